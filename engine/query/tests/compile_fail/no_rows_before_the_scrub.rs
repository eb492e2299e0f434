use martlet_query::RowStream;

fn rows(stream: RowStream) {
    let _ = stream.rows;
}

fn main() {
    let _ = rows;
}

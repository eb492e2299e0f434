use martlet_query::scan::SecuredScan;

fn main() {}

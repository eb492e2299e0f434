use martlet_query::secured_table::SecuredTable;

fn main() {}

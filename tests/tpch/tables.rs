//! The eight tables: their columns, keys, and rows as text.

use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};

const MONEY: &str = "decimal(15,2)";

/// One table.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static [(&'static str, &'static str)],
    pub(super) primary_key: &'static [&'static str],
    pub(super) cluster_key: &'static [&'static str],
}

impl Table {
    /// Its rows: fields between `|`, a line each.
    pub(super) fn text(&self, scale: f64) -> String {
        match self.name {
            "region" => lines(RegionGenerator::new(scale, 1, 1).iter()),
            "nation" => lines(NationGenerator::new(scale, 1, 1).iter()),
            "supplier" => lines(SupplierGenerator::new(scale, 1, 1).iter()),
            "customer" => lines(CustomerGenerator::new(scale, 1, 1).iter()),
            "part" => lines(PartGenerator::new(scale, 1, 1).iter()),
            "partsupp" => lines(PartSuppGenerator::new(scale, 1, 1).iter()),
            "orders" => lines(OrderGenerator::new(scale, 1, 1).iter()),
            "lineitem" => lines(LineItemGenerator::new(scale, 1, 1).iter()),
            other => panic!("no generator of `{other}`"),
        }
    }
}

/// The generator ends every field with a `|`, the last one too.
fn lines<R: std::fmt::Display>(rows: impl Iterator<Item = R>) -> String {
    rows.map(|row| format!("{}\n", row.to_string().trim_end_matches('|'))).collect()
}

pub(super) const TABLES: &[Table] = &[
    Table {
        name: "region",
        columns: &[("r_regionkey", "int32"), ("r_name", "text"), ("r_comment", "text")],
        primary_key: &["r_regionkey"],
        cluster_key: &["r_regionkey"],
    },
    Table {
        name: "nation",
        columns: &[
            ("n_nationkey", "int32"),
            ("n_name", "text"),
            ("n_regionkey", "int32"),
            ("n_comment", "text"),
        ],
        primary_key: &["n_nationkey"],
        cluster_key: &["n_nationkey"],
    },
    Table {
        name: "supplier",
        columns: &[
            ("s_suppkey", "int64"),
            ("s_name", "text"),
            ("s_address", "text"),
            ("s_nationkey", "int32"),
            ("s_phone", "text"),
            ("s_acctbal", MONEY),
            ("s_comment", "text"),
        ],
        primary_key: &["s_suppkey"],
        cluster_key: &["s_suppkey"],
    },
    Table {
        name: "customer",
        columns: &[
            ("c_custkey", "int64"),
            ("c_name", "text"),
            ("c_address", "text"),
            ("c_nationkey", "int32"),
            ("c_phone", "text"),
            ("c_acctbal", MONEY),
            ("c_mktsegment", "text"),
            ("c_comment", "text"),
        ],
        primary_key: &["c_custkey"],
        cluster_key: &["c_custkey"],
    },
    Table {
        name: "part",
        columns: &[
            ("p_partkey", "int64"),
            ("p_name", "text"),
            ("p_mfgr", "text"),
            ("p_brand", "text"),
            ("p_type", "text"),
            ("p_size", "int32"),
            ("p_container", "text"),
            ("p_retailprice", MONEY),
            ("p_comment", "text"),
        ],
        primary_key: &["p_partkey"],
        cluster_key: &["p_partkey"],
    },
    Table {
        name: "partsupp",
        columns: &[
            ("ps_partkey", "int64"),
            ("ps_suppkey", "int64"),
            ("ps_availqty", "int32"),
            ("ps_supplycost", MONEY),
            ("ps_comment", "text"),
        ],
        primary_key: &["ps_partkey", "ps_suppkey"],
        cluster_key: &["ps_partkey", "ps_suppkey"],
    },
    Table {
        name: "orders",
        columns: &[
            ("o_orderkey", "int64"),
            ("o_custkey", "int64"),
            ("o_orderstatus", "text"),
            ("o_totalprice", MONEY),
            ("o_orderdate", "date"),
            ("o_orderpriority", "text"),
            ("o_clerk", "text"),
            ("o_shippriority", "int32"),
            ("o_comment", "text"),
        ],
        primary_key: &["o_orderkey"],
        cluster_key: &["o_orderdate"],
    },
    Table {
        name: "lineitem",
        columns: &[
            ("l_orderkey", "int64"),
            ("l_partkey", "int64"),
            ("l_suppkey", "int64"),
            ("l_linenumber", "int32"),
            ("l_quantity", MONEY),
            ("l_extendedprice", MONEY),
            ("l_discount", MONEY),
            ("l_tax", MONEY),
            ("l_returnflag", "text"),
            ("l_linestatus", "text"),
            ("l_shipdate", "date"),
            ("l_commitdate", "date"),
            ("l_receiptdate", "date"),
            ("l_shipinstruct", "text"),
            ("l_shipmode", "text"),
            ("l_comment", "text"),
        ],
        primary_key: &["l_orderkey", "l_linenumber"],
        cluster_key: &["l_shipdate"],
    },
];

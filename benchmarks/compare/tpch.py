"""TPC-H: its eight tables as text by `tpchgen-cli`, and how Martlet and the peers load them."""

import json
import pathlib
import shutil
import subprocess
import sys

from compare import loadfile, mart, policy
from compare.data import Dataset
from compare.say import say

DATE = "1998-12-31"
MONEY = "decimal(15,2)"
# Columns with their types, the primary key, and the cluster key where it is another.
TABLES = {
    "region": ({"r_regionkey": "int32", "r_name": "text", "r_comment": "text"}, ["r_regionkey"], None),
    "nation": (
        {"n_nationkey": "int32", "n_name": "text", "n_regionkey": "int32", "n_comment": "text"},
        ["n_nationkey"], None,
    ),
    "supplier": (
        {"s_suppkey": "int64", "s_name": "text", "s_address": "text", "s_nationkey": "int32", "s_phone": "text",
         "s_acctbal": MONEY, "s_comment": "text"},
        ["s_suppkey"], None,
    ),
    "customer": (
        {"c_custkey": "int64", "c_name": "text", "c_address": "text", "c_nationkey": "int32", "c_phone": "text",
         "c_acctbal": MONEY, "c_mktsegment": "text", "c_comment": "text"},
        ["c_custkey"], None,
    ),
    "part": (
        {"p_partkey": "int64", "p_name": "text", "p_mfgr": "text", "p_brand": "text", "p_type": "text",
         "p_size": "int32", "p_container": "text", "p_retailprice": MONEY, "p_comment": "text"},
        ["p_partkey"], None,
    ),
    "partsupp": (
        {"ps_partkey": "int64", "ps_suppkey": "int64", "ps_availqty": "int32", "ps_supplycost": MONEY,
         "ps_comment": "text"},
        ["ps_partkey", "ps_suppkey"], None,
    ),
    "orders": (
        {"o_orderkey": "int64", "o_custkey": "int64", "o_orderstatus": "text", "o_totalprice": MONEY,
         "o_orderdate": "date", "o_orderpriority": "text", "o_clerk": "text", "o_shippriority": "int32",
         "o_comment": "text"},
        ["o_orderkey"], ["o_orderdate"],
    ),
    "lineitem": (
        {"l_orderkey": "int64", "l_partkey": "int64", "l_suppkey": "int64", "l_linenumber": "int32",
         "l_quantity": MONEY, "l_extendedprice": MONEY, "l_discount": MONEY, "l_tax": MONEY, "l_returnflag": "text",
         "l_linestatus": "text", "l_shipdate": "date", "l_commitdate": "date", "l_receiptdate": "date",
         "l_shipinstruct": "text", "l_shipmode": "text", "l_comment": "text"},
        ["l_orderkey", "l_linenumber"], ["l_shipdate"],
    ),
}


def dataset(options):
    """Makes the text, or takes that of an earlier run of the same scale."""
    folder = options.data / f"tpch-{options.tpch_scale:g}"
    text = folder / "text"
    facts_file = folder / "facts.json"

    def write():
        say(f"making TPC-H at scale {options.tpch_scale:g}")
        program = pathlib.Path(sys.executable).with_name("tpchgen-cli")
        scale = f"{options.tpch_scale:g}"
        subprocess.run([program, "csv", "-s", scale, "-o", text / "feed"], check=True, stdout=subprocess.DEVNULL)

    if not facts_file.exists():
        shutil.rmtree(folder, ignore_errors=True)
        text.mkdir(parents=True)
        write()
        (text / "night.toml").write_text(load_file(), encoding="utf-8")
        facts_file.write_text(json.dumps({"scale": options.tpch_scale, "date": DATE}), encoding="utf-8")
    facts = json.loads(facts_file.read_text(encoding="utf-8"))
    return Dataset("tpch", folder, DATE, loadfile.read(text / "night.toml"), facts, write)


def constants(options):
    """The fraction of query 11 depends on the scale."""
    return {"tpch_fraction": f"{0.0001 / options.tpch_scale:.12f}"}


def load_file():
    lines = ['name = "tpch"', "reject_limit = 0"]
    for name, (columns, primary_key, cluster_key) in TABLES.items():
        lines += ["", "[[table]]", f'name = "{name}"', 'mode = "replace"', f"primary_key = {json.dumps(primary_key)}",
                  f"cluster_key = {json.dumps(cluster_key or primary_key)}"]
        for column, kind in columns.items():
            lines += ["", "  [[table.column]]", f'  name = "{column}"', f'  type = "{kind}"', '  class = "open"',
                      "  nullable = false"]
        lines += ["", "  [[table.source]]", '  system = "tpch"', f'  files = ["feed/{name}.csv"]',
                  '  format = "delimited"', '  delimiter = ","', "  header = true", '  encoding = "utf-8"']
    return "\n".join(lines) + "\n"


def spec(of):
    """What a peer needs to load it: as the text comes."""
    tables = []
    for table in of.tables.values():
        tables.append({
            "name": table.name, "cluster_key": table.cluster_key, "primary_key": table.primary_key,
            "has_outlet": False,
            "columns": [{"name": c.name, "type": c.type, "nullable": c.nullable} for c in table.columns],
            "text": {"glob": str(of.folder / "text" / table.patterns[0]), "delimiter": ",", "quote": '"',
                     "header": True, "ordered": False},
        })
    return {"tables": tables, "row_rules": {}}


def load(of, binaries):
    """Into a mart of its own, open to one principal."""
    text, folder = of.folder / "text", of.folder / "martlet"
    place = folder / "mart"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(text / "night.toml", folder / "night.toml")
    figures = mart.load(binaries, folder / "night.toml", place, of.date, text)
    bundle, principals = policy.write_open(folder / "policy", list(of.tables), ["open"], binaries)
    mart.apply(binaries, place, bundle, principals)
    return figures

"""What the command takes."""

import argparse
import pathlib

HERE = pathlib.Path(__file__).resolve().parents[1]
ENGINES = ["martlet", "martlet_flight", "duckdb", "duckdb_art", "clickhouse", "datafusion", "postgres"]


def parse(arguments=None):
    parser = argparse.ArgumentParser(
        prog="benchmarks/run", description="Measure Martlet beside DuckDB, ClickHouse, DataFusion and PostgreSQL."
    )
    add = parser.add_argument
    add("--transactions", type=number, default=10_000_000, help="rows of the largest table (10_000_000)")
    add("--tpch-scale", type=float, default=1.0, help="TPC-H scale factor; 0 leaves it out")
    add("--engines", type=names, default=ENGINES, help=f"which engines, of {','.join(ENGINES)}; none: no comparison")
    add("--classes", type=names, default=None, help="which classes of queries, by name or letter")
    add("--queries", default="", help="only the queries whose name contains this")
    add("--runs", type=int, default=5, help="timed runs of each query; the median counts")
    add("--timeout", type=float, default=60.0, help="seconds after which a run is given up")
    add("--cold", action="store_true", help="also measure each query once with empty caches")
    add("--data", type=pathlib.Path, default=pathlib.Path.home() / ".cache/martlet-bench", help="where the data lie")
    add("--keep", action="store_true", help="keep the delimited text after the loads")
    add("--fresh", action="store_true", help="remove the data of an earlier run first")
    add("--seed", type=int, default=1994, help="the same seed makes the same bank and asks the same questions")
    add("--only-load", action="store_true", help="make and load the data, ask nothing")
    add("--paths", action="store_true",
        help="also ask Martlet everything by the path that its rules pick and by each path forced on it")
    add("--guard", action="store_true",
        help="also ask what the guard costs: principals under rules, beside a copy of what they see")
    add("--growth", type=number, default=0, metavar="N",
        help="also load a bank of N transactions into Martlet alone, piece by piece, and ask it the same")
    add("--pieces", type=int, default=0, help="pieces of that bank; default: one per 80 million transactions")
    add("--postgres-rows", type=number, default=20_000_000, help="PostgreSQL takes part up to so many transactions")
    add("--art-rows", type=number, default=20_000_000,
        help="DuckDB also gets ART indexes on the transactions' keys up to so many rows")
    add("--threads", type=int, default=2, help="threads of each engine")
    add("--memory-gib", type=int, default=8, help="gibibytes that each engine may use")
    add("--results", type=pathlib.Path, default=HERE / "results", help="where the report goes")
    options = parser.parse_args(arguments)
    if options.engines == ["none"]:
        options.engines = []
    unknown = [name for name in options.engines if name not in ENGINES]
    if unknown:
        parser.error(f"no engine is called {', '.join(unknown)}; there are {', '.join(ENGINES)}")
    options.data = options.data.resolve()
    return options


def number(text):
    return int(text.replace("_", "").replace(",", ""))


def names(text):
    return [name for name in text.split(",") if name]

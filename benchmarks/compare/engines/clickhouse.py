"""ClickHouse in this process (chdb), on MergeTree tables ordered by the cluster key."""

import time
import pathlib

from chdb import session

from compare.engines import peer

TYPES = {
    "text": "String", "int32": "Int32", "int64": "Int64", "float64": "Float64",
    "boolean": "Bool", "date": "Date", "timestamp": "DateTime64(0)",
}
# What is spelt alike in few ways; the rest are numbers and names of their own.
FEW_VALUED = {
    "outlet", "channel", "type", "direction", "currency", "memo", "gender", "education", "occupation",
    "marital_status", "segment", "risk_level", "product", "status", "reason", "note", "level", "category",
    "collateral", "campaign", "response",
    "l_returnflag", "l_linestatus", "l_shipinstruct", "l_shipmode", "o_orderstatus", "o_orderpriority",
    "c_mktsegment", "p_brand", "p_type", "p_container", "p_mfgr", "n_name", "r_name",
}
# As in the other engines: a missing partner of an outer join is null, an alias never hides a column.
SETTINGS = {
    "join_use_nulls": 1, "prefer_column_name_to_alias": 1, "cast_keep_nullable": 1,
    "output_format_arrow_string_as_string": 1, "allow_experimental_correlated_subqueries": 1,
}


class ClickHouse(peer.Peer):
    def open(self):
        folder = pathlib.Path(self.config["folder"]) / "clickhouse"
        self.session = session.Session(str(folder))
        self.session.query("CREATE DATABASE IF NOT EXISTS main")
        self.session.query("USE main")
        self.database = "main"
        memory = self.config["memory_gib"] << 30
        settings = {**SETTINGS, "max_threads": self.config["threads"], "max_memory_usage": memory,
                    "max_execution_time": 60}
        for name, value in settings.items():
            self.session.query(f"SET {name} = {value}")

    def close(self):
        self.session.close()

    def run(self, sql, principal):
        database = self.config["schemas"].get(principal, "main")
        if database != self.database:
            self.session.query(f"USE {database}")
            self.database = database
        return self.session.query(sql, "ArrowTable")

    def load(self, spec):
        seconds = {}
        self.session.query("SET max_execution_time = 0")
        for table in spec["tables"]:
            self.create(table)
            if table.get("text"):
                for step, taken in self.load_text(table).items():
                    seconds[step] = seconds.get(step, 0) + taken
            else:
                names = ", ".join(c["name"] for c in table["columns"])
                self.session.query(
                    f"INSERT INTO main.{table['name']} ({names}) "
                    f"SELECT {names} FROM file('{table['parquet']}', 'Parquet')"
                )
                self.session.query(f"OPTIMIZE TABLE main.{table['name']} FINAL")
            if table.get("text", {}).get("ordered"):
                sizes = self.session.query(
                    f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = '{table['name']}'", "CSV"
                )
                seconds["largest_bytes"] = int(str(sizes).strip())
        self.views(spec)
        self.session.query("SET max_execution_time = 60")
        return seconds

    def create(self, table):
        text = ", ".join(f"{c['name']} {column_type(c)}" for c in table["columns"])
        order = ", ".join(table["cluster_key"])
        self.session.query(
            f"CREATE TABLE main.{table['name']} ({text}) ENGINE = MergeTree ORDER BY ({order})"
        )

    def load_text(self, table):
        text = table["text"]
        structure = ", ".join(f"{c['name']} {column_type(c)}" for c in table["columns"]).replace("'", "''")
        names = ", ".join(c["name"] for c in table["columns"])
        quotes = 1 if text["quote"] else 0
        settings = {
            "format_csv_delimiter": f"'{text['delimiter']}'", "format_csv_allow_double_quotes": quotes,
            "format_csv_allow_single_quotes": 0, "input_format_csv_skip_first_lines": int(text["header"]),
            "max_insert_threads": self.config["threads"], "input_format_csv_allow_variable_number_of_columns": 1,
        }
        listed = ", ".join(f"{name} = {value}" for name, value in settings.items())
        start = time.perf_counter()
        self.session.query(
            f"INSERT INTO main.{table['name']} ({names}) SELECT {names} "
            f"FROM file('{text['glob']}', 'CSV', '{structure}') SETTINGS {listed}"
        )
        inserted = time.perf_counter()
        self.session.query(f"OPTIMIZE TABLE main.{table['name']} FINAL")
        return {"copy": inserted - start, "merge": time.perf_counter() - inserted}

    def views(self, spec):
        for principal, rule in spec.get("row_rules", {}).items():
            self.session.query(f"CREATE DATABASE {principal}")
            for table in spec["tables"]:
                where = f" WHERE {rule}" if table["has_outlet"] else ""
                name = table["name"]
                self.session.query(f"CREATE VIEW {principal}.{name} AS SELECT * FROM main.{name}{where}")


def column_type(column):
    kind = TYPES.get(column["type"])
    if kind is None:
        kind = column["type"].replace("decimal", "Decimal")
    # A key of the order must not be null, and before 1970 there is only Date32.
    if column["name"] == "birth_date":
        kind = "Date32"
    if column["nullable"]:
        kind = f"Nullable({kind})"
    if column["type"] == "text" and column["name"] in FEW_VALUED:
        kind = f"LowCardinality({kind})"
    return kind


if __name__ == "__main__":
    peer.main(ClickHouse)

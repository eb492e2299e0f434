"""DuckDB on a database file of its own.

It is loaded twice: as the text comes (its `COPY`, the figure of the load), and ordered by the
cluster key (what the queries run on, since its zone maps are its only index).
"""

import pathlib
import time

import duckdb

from compare.engines import peer

TYPES = {
    "text": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE",
    "boolean": "BOOLEAN", "date": "DATE", "timestamp": "TIMESTAMP",
}


class DuckDb(peer.Peer):
    def open(self):
        self.path = pathlib.Path(self.config["folder"]) / "bank.duckdb"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.connect(self.path)

    def connect(self, path):
        self.connection = duckdb.connect(str(path))
        run = self.connection.execute
        run(f"SET threads = {self.config['threads']}")
        run(f"SET memory_limit = '{self.config['memory_gib']}GB'")
        run(f"SET temp_directory = '{self.path.parent / 'temp'}'")
        run("SET enable_progress_bar = false")
        self.schema = "main"

    def close(self):
        self.connection.close()

    def interrupt(self):
        self.connection.interrupt()

    def run(self, sql, principal):
        schema = self.config["schemas"].get(principal, "main")
        if schema != self.schema:
            self.connection.execute(f"USE {schema}")
            self.schema = schema
        return self.connection.sql(sql).to_arrow_table()

    def load(self, spec):
        seconds = {}
        for table in spec["tables"]:
            if table.get("text", {}).get("ordered"):
                seconds |= self.load_text(table)
            elif table.get("text"):
                seconds["copy"] = seconds.get("copy", 0) + self.load_plain(table)
            else:
                self.load_parquet(table)
        self.views(spec)
        for name, columns in spec.get("indexes", []):
            start = time.perf_counter()
            self.connection.execute(f"CREATE INDEX {name}_{columns} ON {name} ({columns})")
            seconds[f"index {name}.{columns}"] = time.perf_counter() - start
        self.connection.execute("CHECKPOINT")
        return seconds

    def load_text(self, table):
        """COPY into a file of its own, then in order into the file that is asked."""
        plain = self.path.with_name("plain.duckdb")
        self.close()
        plain.unlink(missing_ok=True)
        self.connect(plain)
        run = self.connection.execute
        run(f"CREATE TABLE {table['name']} ({columns(table)})")
        start = time.perf_counter()
        run(copy(table))
        run("CHECKPOINT")
        seconds = {"copy": time.perf_counter() - start, "plain_bytes": plain.stat().st_size}
        self.close()
        self.connect(self.path)
        run = self.connection.execute
        run(f"ATTACH '{plain}' AS plain (READ_ONLY)")
        start = time.perf_counter()
        order = ", ".join(table["cluster_key"])
        run(f"CREATE TABLE {table['name']} ({columns(table)})")
        run(f"INSERT INTO {table['name']} SELECT * FROM plain.main.{table['name']} ORDER BY {order}")
        run("CHECKPOINT")
        seconds["order"] = time.perf_counter() - start
        seconds["largest_bytes"] = self.path.stat().st_size
        run("DETACH plain")
        plain.unlink()
        return seconds

    def load_plain(self, table):
        start = time.perf_counter()
        self.connection.execute(f"CREATE TABLE {table['name']} ({columns(table)})")
        self.connection.execute(copy(table))
        return time.perf_counter() - start

    def load_parquet(self, table):
        order = ", ".join(table["cluster_key"])
        self.connection.execute(f"CREATE TABLE {table['name']} ({columns(table)})")
        self.connection.execute(
            f"INSERT INTO {table['name']} SELECT * FROM read_parquet('{table['parquet']}') ORDER BY {order}"
        )

    def views(self, spec):
        for principal, rule in spec.get("row_rules", {}).items():
            self.connection.execute(f"CREATE SCHEMA {principal}")
            for table in spec["tables"]:
                where = f" WHERE {rule}" if table["has_outlet"] else ""
                name = table["name"]
                self.connection.execute(f"CREATE VIEW {principal}.{name} AS SELECT * FROM main.{name}{where}")


def columns(table):
    return ", ".join(
        f"{c['name']} {TYPES.get(c['type'], c['type'])}{'' if c['nullable'] else ' NOT NULL'}" for c in table["columns"]
    )


def copy(table):
    text = table["text"]
    quote = text["quote"]
    return (
        f"COPY {table['name']} FROM '{text['glob']}' (FORMAT csv, HEADER {str(text['header']).lower()}, "
        f"DELIMITER '{text['delimiter']}', QUOTE '{quote}', ESCAPE '{quote}', NULLSTR '', "
        "AUTO_DETECT false, DATEFORMAT '%Y-%m-%d', TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S')"
    )


if __name__ == "__main__":
    peer.main(DuckDb)

"""PostgreSQL from the system's packages: the traditional database, with its usual b-tree indexes.

Its server is this process's own: made, started on a socket in its folder, and stopped at the end.
"""

import glob
import io
import os
import pathlib
import pwd
import shutil
import subprocess
import time

import psycopg
import pyarrow.csv
import pyarrow.parquet

from compare.engines import peer

TYPES = {"int32": "integer", "int64": "bigint", "float64": "double precision", "timestamp": "timestamp"}
INDEXED = ["customer_id", "outlet", "booked_on", "account_id", "mobile", "id_number", "email"]
SETTINGS = {
    "shared_buffers": "2GB", "work_mem": "512MB", "maintenance_work_mem": "1GB", "effective_cache_size": "8GB",
    "max_parallel_workers": "{threads}", "max_parallel_workers_per_gather": "{threads}",
    "max_parallel_maintenance_workers": "{threads}", "max_worker_processes": "8", "wal_level": "minimal",
    "max_wal_senders": "0", "max_wal_size": "8GB", "synchronous_commit": "off", "listen_addresses": "''",
    "timezone": "UTC", "jit": "on",
}


def programs():
    """The folder of PostgreSQL's programs, or nothing where it is not installed."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if found:
        return pathlib.Path(found[-1]).parent
    found = shutil.which("initdb")
    return pathlib.Path(found).parent if found else None


def version():
    if programs() is None:
        return ""
    said = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=False)
    return said.stdout.strip().removeprefix("postgres (PostgreSQL) ")


def place(folder):
    """Where the server's files lie: PostgreSQL refuses root, and its own user cannot look into /root."""
    folder = pathlib.Path(folder)
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 1 for parent in folder.absolute().parents):
        return pathlib.Path("/var/tmp") / ("martlet-bench" + str(folder).replace("/", "-"))
    return folder


class Postgres(peer.Peer):
    def open(self):
        self.folder = place(self.config["folder"])
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if not (self.folder / "data" / "PG_VERSION").exists():
            self.create()
        if self.command("pg_ctl", "-D", self.folder / "data", "status", check=False):
            log = self.folder / "server.log"
            self.command("pg_ctl", "-D", self.folder / "data", "-l", log, "-w", "-t", "120", "start")
        self.connection = psycopg.connect(
            host=str(self.folder), user=self.user, dbname="postgres", autocommit=True
        )
        self.schema = ""
        self.connection.execute("SET statement_timeout = '60s'")

    def create(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(self.folder, self.user)
        self.command("initdb", "-D", self.folder / "data", "-E", "UTF8", "--locale=C.UTF-8", "-A", "trust")
        lines = [f"{name} = {value.format(**self.config)}" for name, value in SETTINGS.items()]
        lines.append(f"unix_socket_directories = '{self.folder}'")
        with open(self.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def command(self, program, *arguments, check=True):
        command = [str(programs() / program), *[str(argument) for argument in arguments]]
        if os.geteuid() == 0:
            command = ["runuser", "-u", self.user, "--", *command]
        # What the server inherits must not keep this process's pipes open.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/", check=check)
        return done.returncode

    def close(self):
        self.connection.close()
        self.command("pg_ctl", "-D", self.folder / "data", "-m", "fast", "-w", "stop")

    def interrupt(self):
        self.connection.cancel()

    def run(self, sql, principal):
        schema = self.config["schemas"].get(principal, "main")
        if schema != self.schema:
            self.connection.execute(f"SET search_path TO {schema}")
            self.schema = schema
        cursor = self.connection.execute(sql)
        return cursor.description, cursor.fetchall()

    def cells(self, result, rows_max):
        description, rows = result
        types = [str(column.type_display) for column in description]
        return types, [[peer.text(cell) for cell in row] for row in rows[:rows_max]], len(rows)

    def load(self, spec):
        seconds = {}
        run = self.connection.execute
        run("SET statement_timeout = 0")
        run("CREATE SCHEMA main")
        run("SET search_path TO main")
        for table in spec["tables"]:
            copied, indexed = self.load_table(table)
            if table.get("text") or table["name"] == spec.get("largest"):
                seconds |= {"copy": copied, "index": indexed}
                (seconds["largest_bytes"],) = run(f"SELECT pg_total_relation_size('{table['name']}')").fetchone()
        for principal, rule in spec.get("row_rules", {}).items():
            run(f"CREATE SCHEMA {principal}")
            for table in spec["tables"]:
                where = f" WHERE {rule}" if table["has_outlet"] else ""
                run(f"CREATE VIEW {principal}.{table['name']} AS SELECT * FROM main.{table['name']}{where}")
        (seconds["bytes"],) = run(
            "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE n.nspname = 'main' AND c.relkind = 'r'"
        ).fetchone()
        run("CHECKPOINT")
        run("SET statement_timeout = '60s'")
        return seconds

    def load_table(self, table):
        name = table["name"]
        start = time.perf_counter()
        # Created in the transaction that fills it, so that its pages need no log.
        with self.connection.transaction():
            self.connection.execute(f"CREATE TABLE {name} ({columns(table)})")
            (self.copy_text if table.get("text") else self.copy_parquet)(table)
        copied = time.perf_counter()
        keys = [c["name"] for c in table["columns"]]
        if table.get("primary_key"):
            self.connection.execute(f"ALTER TABLE {name} ADD PRIMARY KEY ({', '.join(table['primary_key'])})")
        for key in INDEXED:
            if key in keys and [key] != table.get("primary_key"):
                self.connection.execute(f"CREATE INDEX ON {name} ({key})")
        self.connection.execute(f"VACUUM (ANALYZE) {name}")
        return copied - start, time.perf_counter() - copied

    def copy_text(self, table):
        text = table["text"]
        options = f"FORMAT csv, HEADER, DELIMITER '{text['delimiter']}', QUOTE E'\\x01', NULL ''"
        for path in sorted(glob.glob(text["glob"])):
            with self.connection.cursor().copy(f"COPY {table['name']} FROM STDIN ({options})") as copy:
                with open(path, "rb") as file:
                    while block := file.read(1 << 20):
                        copy.write(block)

    def copy_parquet(self, table):
        statement = f"COPY {table['name']} FROM STDIN (FORMAT csv, NULL '')"
        with self.connection.cursor().copy(statement) as copy:
            for batch in pyarrow.parquet.ParquetFile(table["parquet"]).iter_batches():
                out = io.BytesIO()
                pyarrow.csv.write_csv(batch, out, pyarrow.csv.WriteOptions(include_header=False))
                copy.write(out.getvalue())


def columns(table):
    return ", ".join(
        f"{c['name']} {TYPES.get(c['type'], c['type'])}{'' if c['nullable'] else ' NOT NULL'}" for c in table["columns"]
    )


if __name__ == "__main__":
    peer.main(Postgres)

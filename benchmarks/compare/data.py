"""The data: the synthetic bank's text files, what the peers need of them, and TPC-H's tables.

Hands on a `Dataset`: where everything lies, and how large it is.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import duckdb

from compare import loadfile
from compare.say import say

CUSTOMERS_PER_OUTLET = 750
OUTLETS_MAX = 20_000
CUSTOMERS_MIN = 1_000
# The tables that the questions are about; the others stay with Martlet's own load.
TABLES = ["customer", "account", "transaction", "loan", "card", "service_contact", "campaign_response"]


@dataclasses.dataclass
class Dataset:
    """Data as text, and as the peers take them."""

    name: str
    folder: pathlib.Path
    date: str
    tables: dict
    facts: dict
    write: object
    """Writes the text anew: it is removed once everyone has loaded it."""

    def need_text(self):
        if not (self.folder / "text" / "feed").exists():
            self.write()

    @property
    def load_file(self):
        return self.folder / "text" / "night.toml"

    def parquet(self, table):
        return self.folder / "shared" / f"{table}.parquet"


def plan(transactions):
    """Customers and outlets for so many transactions: an outlet keeps its size when the bank grows."""
    customers = max(CUSTOMERS_MIN, transactions // 20)
    return customers, max(40, min(OUTLETS_MAX, customers // CUSTOMERS_PER_OUTLET))


def place(options):
    return options.data / f"bank-{options.transactions}-{options.seed}"


def bank(options, binaries):
    """Makes the bank's text, or takes that of an earlier run of the same size and seed."""
    folder = place(options)
    text = folder / "text"
    facts_file = folder / "facts.json"
    customers, outlets = plan(options.transactions)

    def write():
        say(f"making a bank of {customers:,} customers, {options.transactions:,} transactions, {outlets:,} outlets")
        return generate(binaries, text, customers, options.transactions, outlets, options.seed)

    if not facts_file.exists():
        shutil.rmtree(folder, ignore_errors=True)
        text.mkdir(parents=True)
        made = write() | {"customers": customers, "outlets": outlets, "transactions": options.transactions}
        share(folder, made["date"])
        facts_file.write_text(json.dumps(made, indent=1), encoding="utf-8")
    facts = json.loads(facts_file.read_text(encoding="utf-8"))
    tables = loadfile.read(text / "night.toml")
    return Dataset("bank", folder, facts["date"], {name: tables[name] for name in TABLES}, facts, write)


def generate(binaries, folder, customers, transactions, outlets, seed, extra=()):
    command = [
        binaries / "bank-generate", "--dir", folder, "--customers", customers, "--transactions", transactions,
        "--outlets", outlets, "--seed", seed, *extra,
    ]
    done = subprocess.run(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True
    )
    return json.loads(done.stdout)


def share(folder, date):
    """The small tables as Parquet, typed, for the peers: only the largest table's load is measured."""
    shared = folder / "shared"
    shared.mkdir(exist_ok=True)
    tables = loadfile.read(folder / "text" / "night.toml")
    connection = duckdb.connect()
    connection.execute("SET threads = 2; SET memory_limit = '6GB'; SET preserve_insertion_order = false")
    connection.execute(f"SET temp_directory = '{shared}'")
    for name in TABLES:
        if name != "transaction":
            _share(connection, tables[name], folder / "text", date, shared / f"{name}.parquet")
    connection.close()


def _share(connection, table, folder, date, target):
    files = table.files(folder, date)
    recoded = []
    if table.encoding != "utf-8":
        recoded = [_recode(path, table.encoding, target.parent) for path in files]
    fields = {column.field: "VARCHAR" for column in table.columns if column.field}
    rows = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM read_csv($files, columns = $fields, header = true, delim = $delimiter, "
        "quote = $quote, escape = $quote, auto_detect = false, nullstr = '') LIMIT 1)",
        {"files": recoded or files, "fields": fields, "delimiter": table.delimiter, "quote": table.quote},
    ).fetchone()
    assert rows, table.name
    values = ", ".join(f"{_value(column, table, date)} AS {column.name}" for column in table.columns)
    connection.execute(
        f"COPY (SELECT {values} FROM read_csv($files, columns = $fields, header = true, delim = $delimiter, "
        "quote = $quote, escape = $quote, auto_detect = false, nullstr = '')) "
        f"TO '{target}' (FORMAT parquet)",
        {"files": recoded or files, "fields": fields, "delimiter": table.delimiter, "quote": table.quote},
    )
    for path in recoded:
        os.remove(path)


def _recode(path, encoding, folder):
    target = folder / pathlib.Path(path).name
    with open(target, "wb") as out:
        subprocess.run(["iconv", "-f", encoding.upper(), "-t", "UTF-8", path], stdout=out, check=True)
    return str(target)


def _value(column, table, date):
    if column.value == "batch_date":
        return f"DATE '{date}'"
    field = f'"{column.field}"'
    for null in table.null:
        if null:
            field = f"nullif({field}, '{null}')"
    if column.type.startswith("decimal") and table.decimal_point != ".":
        field = f"replace({field}, '{table.decimal_point}', '.')"
    if column.type == "date" and column.format:
        return f"CAST(strptime({field}, '{column.format}') AS DATE)"
    if column.type == "timestamp" and column.format:
        return f"CAST(strptime({field}, '{column.format}') AS TIMESTAMP)"
    kind = {"text": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE"}
    return f"CAST({field} AS {kind.get(column.type, column.type)})"


def spec(dataset, row_rules):
    """What a peer needs to load the bank."""
    tables = []
    for table in dataset.tables.values():
        entry = {
            "name": table.name,
            "cluster_key": table.cluster_key,
            "primary_key": table.primary_key,
            "has_outlet": any(column.name == "outlet" for column in table.columns),
            "columns": [{"name": c.name, "type": c.type, "nullable": c.nullable} for c in table.columns],
            "parquet": str(dataset.parquet(table.name)),
        }
        if table.name == "transaction":
            pattern = table.patterns[0].replace("{yyyymmdd}", dataset.date.replace("-", ""))
            entry["text"] = {
                "glob": str(dataset.folder / "text" / pattern), "delimiter": table.delimiter,
                "quote": table.quote, "header": table.header, "ordered": True,
            }
        tables.append(entry)
    # The largest first: what lies on the disk then is its own.
    tables.sort(key=lambda entry: "text" not in entry)
    return {"tables": tables, "row_rules": row_rules}


def drop_text(dataset):
    """Removes the delimited text; the load file and the policy stay."""
    shutil.rmtree(dataset.folder / "text" / "feed", ignore_errors=True)

"""Martlet's load file as the one description of the tables: peers get their schemas from it."""

import dataclasses
import glob
import json
import pathlib
import re
import tomllib


@dataclasses.dataclass(frozen=True)
class Column:
    name: str
    type: str
    nullable: bool
    field: str | None
    value: str | None
    format: str | None


@dataclasses.dataclass(frozen=True)
class Table:
    name: str
    columns: list[Column]
    primary_key: list[str]
    cluster_key: list[str]
    patterns: list[str]
    delimiter: str
    quote: str
    header: bool
    encoding: str
    null: list[str]
    decimal_point: str

    def files(self, folder, date):
        """The table's text files of a night, in the order of their names."""
        found = []
        for pattern in self.patterns:
            filled = pattern.replace("{yyyymmdd}", date.replace("-", "")).replace("{date}", date)
            found += glob.glob(str(pathlib.Path(folder) / filled))
        return sorted(found)


def read(path):
    """The tables of a load file, by name."""
    content = tomllib.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    return {table["name"]: _table(table) for table in content["table"]}


def _table(spec):
    source = spec["source"][0]
    columns = [
        Column(
            name=column["name"],
            type=column["type"],
            nullable=column.get("nullable", True),
            field=None if "value" in column else column.get("field", column["name"]),
            value=column.get("value"),
            format=column.get("format"),
        )
        for column in spec["column"]
    ]
    return Table(
        name=spec["name"],
        columns=columns,
        primary_key=spec.get("primary_key", []),
        cluster_key=spec.get("cluster_key", []),
        patterns=source["files"],
        delimiter=source.get("delimiter", ","),
        quote=source.get("quote", '"'),
        header=source.get("header", True),
        encoding=source.get("encoding", "utf-8"),
        null=source.get("null", [""]),
        decimal_point=source.get("decimal_point", "."),
    )


def derive(path, target, name, keep, append=()):
    """Writes the load file of some of the tables: those that `keep` accepts.

    The text is cut at its tables, so that what Martlet reads is what the generator wrote.
    """
    text = pathlib.Path(path).read_text(encoding="utf-8")
    head, *tables = re.split(r"(?m)^(?=\[\[table\]\])", text)
    head = re.sub(r'(?m)^name = .*$', f"name = {json.dumps(name)}", head)
    wanted = []
    for table in tables:
        table_name = re.search(r'(?m)^name = "(.*)"$', table).group(1)
        if keep(table_name):
            if table_name in append:
                table = table.replace('mode = "replace"', 'mode = "append"')
            wanted.append(table)
    pathlib.Path(target).write_text(head + "".join(wanted), encoding="utf-8")

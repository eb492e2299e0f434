"""The ADBC Python driver as each of the demo's people: log-in, metadata, prepare, bind, fetch.

Expected slices are counted from the generated feed files, never from the server.
"""

import csv
import os
import pathlib
import re
import tomllib

import adbc_driver_flightsql
import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_manager
import pandas
import polars
import pyarrow
import pytest

URI = os.environ["MARTLET_URI"]
BANK = pathlib.Path(os.environ["MARTLET_BANK"])
TOKEN = re.compile(r"^[0-9a-f]{32}$")


def connect(user, password="clients"):
    return flight_sql.connect(
        URI,
        db_kwargs={"username": user, "password": password},
        autocommit=True,
    )


def rows(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetch_arrow_table()


def table_spec(name):
    load = tomllib.loads((BANK / "night.toml").read_text(encoding="utf-8"))
    return next(table for table in load["table"] if table["name"] == name)


def feed(name):
    """Every row of a table's feed files, as dictionaries by column name."""
    spec = table_spec(name)
    for source in spec["source"]:
        for pattern in source["files"]:
            for path in sorted(BANK.glob(pattern.replace("{yyyymmdd}", "*"))):
                with open(path, encoding=source.get("encoding", "utf-8"), newline="") as text:
                    quote = source.get("quote", '"')
                    options = {"delimiter": source.get("delimiter", ",")}
                    if quote:
                        options["quotechar"] = quote
                    else:
                        options["quoting"] = csv.QUOTE_NONE
                    reader = csv.DictReader(text, **options)
                    field_of = {c["name"]: c.get("field", c["name"]) for c in spec["column"]}
                    for row in reader:
                        yield {name: row.get(field) for name, field in field_of.items()}


@pytest.fixture(scope="session")
def customers():
    return list(feed("customer"))


@pytest.fixture(scope="session")
def principals():
    with open(BANK / "principals.csv", encoding="utf-8", newline="") as text:
        return {row["name"]: row for row in csv.DictReader(text)}


def outlets_below(node):
    with open(BANK / "policy" / "organization.csv", encoding="utf-8", newline="") as text:
        parent = {row["node"]: row["parent"] for row in csv.DictReader(text)}
    below = {node}
    grown = True
    while grown:
        more = {child for child, above in parent.items() if above in below} - below
        below |= more
        grown = bool(more)
    return below


@pytest.mark.parametrize("user", ["teller", "manager", "analyst"])
def test_each_person_sees_exactly_the_own_slice(user, customers, principals):
    below = outlets_below(principals[user]["node"])
    expected = sum(1 for row in customers if row["outlet"] in below)
    assert expected > 0
    with connect(user) as connection:
        counted = rows(connection, "SELECT count(*) AS n FROM customer").to_pydict()
        assert counted == {"n": [expected]}
        listed = rows(connection, "SELECT * FROM customer")
        assert listed.num_rows == expected


def test_the_teller_reads_masked_values_only(customers, principals):
    with connect("teller") as connection:
        seen = rows(connection, "SELECT customer_id, id_number, mobile FROM customer").to_pylist()
    raw = {row["customer_id"]: row for row in customers}
    assert any(raw[row["customer_id"]]["id_number"] for row in seen)
    for row in seen:
        truth = raw[row["customer_id"]]
        if truth["id_number"]:
            assert row["id_number"] == truth["id_number"][:-6] + "******"
        if truth["mobile"]:
            assert row["mobile"] == truth["mobile"][:3] + "****" + truth["mobile"][-4:]


def test_the_analyst_joins_by_tokens_and_never_sees_an_identifier(customers):
    with connect("analyst") as connection:
        people = rows(connection, "SELECT customer_id FROM customer").to_pydict()["customer_id"]
        assert all(TOKEN.match(token) for token in people)
        assert len(set(people)) == len({row["customer_id"] for row in customers})
        joined = rows(
            connection,
            "SELECT count(*) AS n FROM account a JOIN customer c ON a.customer_id = c.customer_id",
        ).to_pydict()
        assert joined["n"] == [sum(1 for _ in feed("account"))]


@pytest.mark.parametrize("user", ["auditor", "security"])
def test_auditor_and_security_see_no_customer(user):
    with connect(user) as connection:
        with pytest.raises(adbc_driver_manager.Error) as refused:
            rows(connection, "SELECT * FROM customer")
        missing = str(refused.value).replace("customer", "nonexistent")
        with pytest.raises(adbc_driver_manager.Error) as absent:
            rows(connection, "SELECT * FROM nonexistent")
        assert strip_ids(missing) == strip_ids(str(absent.value))


def strip_ids(text):
    return re.sub(r"[0-9a-f]{32}|[0-9a-f-]{36}", "ID", text)


def test_the_auditor_reads_what_the_teller_asked():
    marker = "SELECT 41 + 1 AS audited_marker FROM product LIMIT 1"
    with connect("teller") as connection:
        rows(connection, marker)
    with connect("auditor") as connection:
        seen = rows(
            connection,
            "SELECT principal, decision, outcome, rows FROM system.audit_record WHERE statement = ?",
            [marker],
        ).to_pylist()
    assert seen and all(row["principal"] == "teller" for row in seen)
    assert any(row["decision"] == "allowed" and row["rows"] == 1 for row in seen)


def test_prepared_statements_bind_both_spellings(customers):
    with connect("manager") as connection:
        one = rows(connection, "SELECT customer_id FROM customer ORDER BY customer_id LIMIT 1")
        wanted = one.to_pydict()["customer_id"][0]
        for sql in (
            "SELECT customer_id FROM customer WHERE customer_id = ?",
            "SELECT customer_id FROM customer WHERE customer_id = $1",
        ):
            assert rows(connection, sql, [wanted]).to_pydict() == {"customer_id": [wanted]}
        with connection.cursor() as cursor:
            schema = cursor.adbc_prepare("SELECT customer_id FROM customer WHERE opened_on > ?")
            assert schema is not None and len(schema) == 1
            assert pyarrow.types.is_date32(schema.field(0).type)


def test_metadata_is_cut_by_the_grant():
    with connect("auditor") as connection:
        objects = connection.adbc_get_objects(depth="tables").read_all().to_pylist()
        names = {
            table["table_name"]
            for catalog in objects
            for schema in catalog["catalog_db_schemas"] or []
            for table in schema["db_schema_tables"] or []
        }
        assert names == {"audit_record"}
        assert connection.adbc_get_table_types() == ["TABLE"]
    with connect("teller") as connection:
        schema = connection.adbc_get_table_schema("customer")
        listed = rows(connection, "SELECT * FROM customer LIMIT 1").schema
        assert schema.names == listed.names
        assert [field.type for field in schema] == [field.type for field in listed]
        info = connection.adbc_get_info()
        assert info["vendor_name"] == "Martlet"


def test_empty_results_keep_their_columns():
    with connect("manager") as connection:
        empty = rows(connection, "SELECT customer_id, opened_on FROM customer WHERE 1 = 0")
        assert empty.num_rows == 0 and empty.schema.names == ["customer_id", "opened_on"]


def test_pandas_and_polars_read_the_same(customers):
    sql = "SELECT segment, count(*) AS n FROM customer GROUP BY segment ORDER BY segment"
    with connect("analyst") as connection:
        frame = pandas.read_sql(sql, connection)
        other = polars.read_database(sql, connection)
    assert frame["n"].tolist() == other["n"].to_list()
    assert sum(frame["n"]) == len(customers)


def test_writes_are_refused_and_say_so():
    with connect("analyst") as connection:
        for sql in ("DELETE FROM customer", "CREATE TABLE t (a INT)", "INSERT INTO customer VALUES (1)"):
            with pytest.raises(adbc_driver_manager.Error, match="read-only"):
                rows(connection, sql)


def test_wrong_passwords_and_unknown_users_look_the_same():
    texts = set()
    for user in ("teller", "nobody_of_that_name"):
        with pytest.raises(adbc_driver_manager.Error) as refused:
            with connect(user, "wrong") as connection:
                rows(connection, "SELECT 1")
        texts.add(strip_ids(str(refused.value)))
    assert len(texts) == 1


def test_explain_is_for_those_who_may():
    with connect("analyst") as connection:
        plan = str(rows(connection, "EXPLAIN SELECT count(*) FROM customer WHERE segment = 'gold'").to_pylist())
        assert "bitmap" in plan
    with connect("teller") as connection:
        with pytest.raises(adbc_driver_manager.Error):
            rows(connection, "EXPLAIN SELECT count(*) FROM customer")


def test_the_driver_is_the_pinned_one():
    assert adbc_driver_flightsql.__version__ == "1.13.0"

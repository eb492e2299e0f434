"""The constants in the questions: drawn from the data by the seed, once, before the text goes.

A customer, a card, an account … that exist, so that a look-up finds something.
"""

import json
import random

import duckdb

from compare import loadfile


def of(dataset, seed):
    """The placeholders' values, kept beside the data."""
    kept = dataset.folder / "constants.json"
    if not kept.exists():
        kept.write_text(json.dumps(draw(dataset, seed), indent=1, ensure_ascii=False), encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))


def draw(dataset, seed):
    chance = random.Random(seed)
    connection = duckdb.connect()

    def one(table, where, columns, order):
        """A random row of those that qualify."""
        count = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()[0]
        at = chance.randrange(count)
        return connection.execute(
            f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order} LIMIT 1 OFFSET {at}"
        ).fetchone()

    def parquet(name):
        return f"read_parquet('{dataset.parquet(name)}')"

    transactions = _sample(dataset, chance)
    busy = (
        f"(SELECT customer_id, outlet, count(*) AS n FROM {transactions} GROUP BY ALL HAVING n BETWEEN 15 AND 80)"
    )
    customer, customer_outlet, _ = one(busy, "true", "*", "customer_id")
    other_customer, _, _ = one(busy, f"customer_id <> '{customer}'", "*", "customer_id")
    account, number = one(transactions, "true", "account_id, transaction_id", "transaction_id")
    (counterparty,) = one(transactions, "counterparty_account IS NOT NULL", "counterparty_account", "transaction_id")
    accounts = [one(transactions, "true", "account_id", "transaction_id")[0] for _ in range(8)]
    mobile, id_number, email = one(
        parquet("customer"), "mobile IS NOT NULL AND id_number IS NOT NULL AND email IS NOT NULL",
        "mobile, id_number, email", "customer_id",
    )
    card_no, card_customer, card_outlet = one(parquet("card"), "true", "card_no, customer_id, outlet", "card_no")
    caller, caller_outlet = one(parquet("service_contact"), "true", "customer_id, outlet", "contact_id")
    (memo,) = one(parquet("customer"), "memo LIKE '%电话1%'", "memo", "customer_id")
    rows, outlets = dataset.facts["transactions"], dataset.facts["outlets"]
    return {
        "outlet": dataset.facts["teller_outlet"], "province": dataset.facts["manager_node"],
        "outlet_rows_large": rows * 5 // outlets,
        "customer": customer, "customer_outlet": customer_outlet, "other_customer": other_customer,
        "account": account, "transaction_id": number, "counterparty": counterparty,
        "account_list": ", ".join(f"'{account}'" for account in accounts),
        "mobile": mobile, "id_number": id_number, "email": email,
        "card_no": card_no, "card_customer": card_customer, "card_outlet": card_outlet,
        "caller": caller, "caller_outlet": caller_outlet, "memo_digits": memo[-8:-3],
    }


def _sample(dataset, chance):
    """One file of the transactions, whole: an expression to select from."""
    table = loadfile.read(dataset.load_file)["transaction"]
    path = chance.choice(table.files(dataset.folder / "text", dataset.date))
    fields = {column.name: "VARCHAR" for column in table.columns}
    return (
        f"read_csv('{path}', columns = {fields}, header = true, delim = '{table.delimiter}', quote = '', escape = '', "
        "auto_detect = false, nullstr = '')"
    )

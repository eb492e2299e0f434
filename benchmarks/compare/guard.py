"""What the guard costs: a principal under rules and masks, beside a copy that has nothing to hide.

The copy holds the rows that the principal sees as the principal sees them, fetched as that principal
over Flight SQL and loaded into a mart of its own, in which somebody of the same name sees all. So
both give the same answers, which is checked; how long they take differs by what the rules and
masks cost.
"""

import dataclasses
import json
import shutil

from compare import mart, policy, runner, summary
from compare.say import say

GUARDED, COPY = "guarded", "copy"
PRINCIPALS = ("manager", "teller")
# Who sees every row; a branch user has to be so much faster.
HEAD, BRANCH = "researcher", "teller"
AT_MOST, FASTER_AT_LEAST = 1.05, 20.0
# Classes of questions that head office and a branch can both ask, and that read what each sees.
OF_ALL_ROWS = ("grouped",)


def measure(makers, queries, constants, options, result):
    """Asks as each principal of the mart and of the copy, in turn, and adds the times to the result."""
    entries = []
    for principal in PRINCIPALS:
        place = _copy(makers, principal)
        asked = [dataclasses.replace(query, principals=[principal]) for query in queries]
        engines = [makers.martlet_of(GUARDED, None), makers.martlet_of(COPY, place)]
        entries += _asked(engines, asked, constants, options, "runs")
        shutil.rmtree(place.parent)
    both = [dataclasses.replace(query, principals=[HEAD, BRANCH]) for query in queries if query.of.name in OF_ALL_ROWS]
    heads = _asked([makers.martlet_of("slice", None)], both, constants, options, "questions")
    result["guard"] = {"at_most": AT_MOST, "faster_at_least": FASTER_AT_LEAST, "entries": entries, "slices": heads}


def _asked(engines, queries, constants, options, turns):
    try:
        return runner.measure(engines, queries, constants, options, turns=turns)
    finally:
        for engine in engines:
            engine.stop()


def _copy(makers, principal):
    """The mart of what the principal sees."""
    say(f"copying what the {principal} sees")
    folder = makers.dataset.folder / f"copy-{principal}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "feed").mkdir(parents=True)
    columns = _fetch(makers, principal, folder / "feed")
    load_file = folder / "night.toml"
    load_file.write_text(_load_file(makers.spec["tables"], columns), encoding="utf-8")
    mart.load(makers.binaries, load_file, folder / "mart", makers.dataset.date, folder)
    bundle, principals = policy.write_open(folder / "policy", list(columns), ["open"], makers.binaries, principal)
    mart.apply(makers.binaries, folder / "mart", bundle, principals)
    return folder / "mart"


def _fetch(makers, principal, folder):
    """Writes every table that the principal sees; gives their columns' types."""
    # Only this needs the drivers.
    import adbc_driver_flightsql.dbapi as flight_sql
    from pyarrow import parquet

    server = mart.Server(makers.binaries, makers.mart(), makers.options.threads, makers.options.memory_gib)
    columns = {}
    try:
        login = {"username": principal, "password": policy.PASSWORD}
        with flight_sql.connect(server.uri, db_kwargs=login, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'mart' ORDER BY 1")
            for (table,) in cursor.fetchall():
                cursor.execute(f"SELECT * FROM {table}")
                rows = cursor.fetch_arrow_table()
                parquet.write_table(rows, folder / f"{table}.parquet")
                columns[table] = {field.name: type_of(field.type) for field in rows.schema}
    finally:
        server.stop()
    return columns


def type_of(arrow):
    """Martlet's word for an Arrow type that it sends."""
    words = {"string": "text", "int32": "int32", "int64": "int64", "double": "float64", "bool": "boolean",
             "date32[day]": "date", "timestamp[us]": "timestamp"}
    text = str(arrow)
    if text.startswith("decimal128"):
        return "decimal" + text.removeprefix("decimal128").replace(" ", "")
    return words[text]


def _load_file(tables, columns):
    """Sorted as in the mart, as far as the columns are shown; masked keys are no keys any more."""
    keys = {table["name"]: table for table in tables}
    lines = ['name = "copy"', "reject_limit = 0"]
    for name, types in columns.items():
        lines += ["", "[[table]]", f'name = "{name}"', 'mode = "replace"']
        wanted = keys.get(name, {}).get("cluster_key", [])
        if wanted and all(column in types for column in wanted):
            lines.append(f"cluster_key = {json.dumps(wanted)}")
        for column, kind in types.items():
            lines += ["", "  [[table.column]]", f'  name = "{column}"', f'  type = "{kind}"', '  class = "open"']
        lines += ["", "  [[table.source]]", '  system = "copy"', f'  files = ["feed/{name}.parquet"]',
                  '  format = "parquet"']
    return "\n".join(lines) + "\n"


def summarize(found):
    """What the entries come to: by principal, and head office against the branch."""
    return {**found, "principals": [_principal(found, principal) for principal in PRINCIPALS], "slice": _slice(found)}


def _principal(found, principal):
    times, wrong, refused = {}, [], []
    for entry in found["entries"]:
        if entry["principal"] == principal:
            key = f"{entry['class']}/{entry['query']}"
            if entry.get("agrees") is False:
                wrong.append(key)
            if "median_ms" in entry:
                times.setdefault(key, {})[entry["engine"]] = entry["median_ms"]
            elif entry["engine"] == GUARDED:
                refused.append(key)
    ratios = {key: by[GUARDED] / max(by[COPY], 0.001) for key, by in times.items() if len(by) == 2}
    mean = summary.geometric(list(ratios.values()))
    worst = max(ratios, key=ratios.get, default=None)
    verdict = "wrong" if wrong else "unanswered" if mean is None else "reached" if mean <= found["at_most"] else "missed"
    return {"principal": principal, "questions": len(ratios), "mean": mean, "worst": worst,
            "worst_times": ratios.get(worst), "not_granted": sorted(set(refused)), "wrong": sorted(set(wrong)),
            "times": times, "verdict": verdict}


def _slice(found):
    times = {}
    for entry in found["slices"]:
        if "median_ms" in entry:
            times.setdefault(entry["query"], {})[entry["principal"]] = entry["median_ms"]
    ratios = {query: by[HEAD] / max(by[BRANCH], 0.001) for query, by in times.items() if len(by) == 2}
    mean = summary.geometric(list(ratios.values()))
    least = min(ratios, key=ratios.get, default=None)
    verdict = "unanswered" if mean is None else "reached" if mean >= found["faster_at_least"] else "missed"
    return {"questions": len(ratios), "mean": mean, "least": least, "least_times": ratios.get(least), "verdict": verdict}


def markdown(found):
    """The report's part about it."""
    lines = [
        "## The cost of the guard\n",
        "Martlet in process: each question under the principal's rules and masks, and of a copy that holds what the "
        "principal sees, by somebody who sees all of it; *times* is the first against the second, as a geometric mean.\n",
        "| as | questions | times | worst | at most | not granted | |", "|---|---:|---:|---|---:|---:|---|",
    ]
    for row in found["principals"]:
        lines.append(f"| {row['principal']} | {row['questions']} | {_times(row['mean'])} | {_times(row['worst_times'])} "
                     f"{row['worst'] or ''} | {found['at_most']:g} | {len(row['not_granted'])} | {row['verdict']} |")
    part = found["slice"]
    lines += ["", f"A branch's {BRANCH} against the {HEAD} of head office, the same {part['questions']} questions of class "
              f"{', '.join(OF_ALL_ROWS)}: **{_times(part['mean'])}** times faster (least: {_times(part['least_times'])}, "
              f"{part['least']}), at least {found['faster_at_least']:g} wanted: {part['verdict']}.", "",
              f"| query | as | {GUARDED} | {COPY} | times |", "|---|---|---:|---:|---:|"]
    for row in found["principals"]:
        for query, by in row["times"].items():
            if len(by) == 2:
                lines.append(f"| {query} | {row['principal']} | {by[GUARDED]:.2f} | {by[COPY]:.2f} | "
                             f"{by[GUARDED] / max(by[COPY], 0.001):.2f} |")
    return "\n".join(lines) + "\n"


def _times(value):
    return "–" if value is None else f"{value:.2f}"

"""Asks every question of every engine, in turn, and compares the answers."""

import os
import statistics

from compare import answers
from compare.protocol import Unanswered
from compare.say import say

ROWS_COMPARED_MAX = 50_000
# Slow queries are timed less often: the first answer tells how slow they are.
PATIENCE = ((2_000, 99), (10_000, 3), (float("inf"), 1))


def measure(engines, queries, constants, options):
    """One entry per query, principal and engine."""
    entries = []
    for query in queries:
        for principal in query.principals:
            entries += _one(engines, query, principal, constants, options)
    return entries


def _one(engines, query, principal, constants, options):
    asked, said = [], {}
    for engine in engines:
        if engine.name == "duckdb_art" and query.of.name != "lookup":
            continue
        entry, rows = _ask(engine, query, principal, constants, options)
        asked.append(entry)
        if rows is not None:
            said[engine.name] = rows
    _compare(asked, said, query.tolerance)
    _tell(query, principal, asked)
    return asked


def _ask(engine, query, principal, constants, options):
    entry = {
        "engine": engine.name, "class": query.of.name, "query": query.name, "group": query.group,
        "principal": principal, "question": query.question,
    }
    question = {"sql": query.sql(engine.dialect, constants), "principal": principal, "timeout": options.timeout}
    try:
        first = engine.ask({**question, "runs": 0, "rows_max": ROWS_COMPARED_MAX}, options.timeout + 10)
        if not first["ok"]:
            return {**entry, "error": first["error"]}, None
        times = []
        while len(times) < _runs(first["first_ms"], options.runs):
            again = engine.ask({**question, "runs": 1, "rows_max": 0}, options.timeout * 2 + 10)
            if not again["ok"]:
                return {**entry, "error": again["error"]}, None
            times += again["times_ms"]
    except Unanswered as error:
        return {**entry, "error": str(error)}, None
    engine.child.note_memory()
    if options.cold and "reopen" in engine.can:
        entry["cold_ms"] = _cold(engine, question, options)
    entry |= {
        "median_ms": round(statistics.median(times), 4), "min_ms": round(min(times), 4), "runs": len(times),
        "first_ms": round(first["first_ms"], 3), "rows_out": first["rows_out"],
    }
    return entry, answers.canonical(first)


def _cold(engine, question, options):
    """One run right after the engine was opened anew and the system's file cache was emptied."""
    empty_file_cache()
    answer = engine.ask({**question, "runs": 0, "rows_max": 0, "reopen": True}, options.timeout * 2 + 10)
    return round(answer["first_ms"], 3) if answer["ok"] else None


def empty_file_cache():
    os.sync()
    try:
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as switch:
            switch.write("3")
    except OSError as error:
        raise SystemExit(f"--cold needs the right to empty the file cache (run it as root): {error}") from error


def _runs(first_ms, wanted):
    return min(wanted, next(runs for limit, runs in PATIENCE if first_ms < limit))


def _compare(entries, said, tolerance):
    """Every engine against the first that most others agree with; who stands alone is wrong, or first."""
    names = list(said)
    if not names:
        return
    def agreeing(name):
        return sum(not answers.difference(said[name], said[other], tolerance) for other in names)

    reference = max(names, key=agreeing)
    for entry in entries:
        if entry["engine"] in said:
            difference = answers.difference(said[reference], said[entry["engine"]], tolerance)
            entry["agrees"] = not difference
            if difference:
                entry["difference"] = f"against {reference}: {difference}"


def _tell(query, principal, entries):
    parts = []
    for entry in entries:
        time = f"{entry['median_ms']:.1f}" if "median_ms" in entry else "failed"
        parts.append(f"{entry['engine']} {time}")
    who = "" if principal == "researcher" else f" as {principal}"
    say(f"{query.of.letter} {query.name}{who}: {', '.join(parts)} ms")
    for entry in entries:
        if "error" in entry:
            say(f"    {entry['engine']}: {entry['error'][:300]}")
        elif not entry["agrees"]:
            say(f"    {entry['engine']} DISAGREES {entry['difference']}")

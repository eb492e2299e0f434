"""Asks every question of every engine, in turn, and compares the answers."""

import os
import statistics

from compare import answers
from compare.protocol import Unanswered
from compare.say import say

ROWS_COMPARED_MAX = 50_000
# Slow queries are timed less often: the first answer tells how slow they are.
PATIENCE = ((2_000, 99), (10_000, 3), (float("inf"), 1))


def measure(engines, queries, constants, options, turns="questions"):
    """One entry per query, principal and engine.

    Engines take turns by questions, each with all its runs; or by runs, where they are alike and
    what the machine does meanwhile must not fall on one of them alone. Every other round goes
    backwards, so that none of them always comes after the same one, who leaves the processors'
    caches full of other data.
    """
    if not engines:
        return []
    entries = []
    for query in queries:
        for principal in query.principals:
            entries += _one(engines, query, principal, constants, options, turns)
    return entries


def _one(engines, query, principal, constants, options, turns):
    taking_part = [engine for engine in engines if engine.name != "duckdb_art" or query.of.name == "lookup"]
    asked = [_Asked(engine, query, principal, constants, options) for engine in taking_part]
    for one in asked:
        one.first_time()
        while turns == "questions" and one.wants_more():
            one.once_more()
        if turns == "questions":
            one.finish()
    order = list(asked)
    while any(one.wants_more() for one in asked):
        for one in filter(_Asked.wants_more, order):
            one.once_more()
        order.reverse()
    entries = [one.finish() for one in asked]
    said = {one.engine.name: one.rows for one in asked if one.rows is not None}
    _compare(entries, said, query.tolerance)
    _tell(query, principal, entries)
    return entries


class _Asked:
    """A question to one engine: the first answer, then the times of more."""

    def __init__(self, engine, query, principal, constants, options):
        self.engine, self.options = engine, options
        self.question = {"sql": query.sql(engine.dialect, constants), "principal": principal, "timeout": options.timeout}
        self.entry = {
            "engine": engine.name, "class": query.of.name, "query": query.name, "group": query.group,
            "principal": principal, "question": query.question,
        }
        self.runs, self.times, self.rows, self.is_finished = 0, [], None, False

    def first_time(self):
        first = self._ask({"runs": 0, "rows_max": ROWS_COMPARED_MAX}, self.options.timeout + 10)
        if first:
            self.runs = _runs(first["first_ms"], self.options.runs)
            self.entry |= {"first_ms": round(first["first_ms"], 3), "rows_out": first["rows_out"]}
            self.rows = answers.canonical(first)

    def wants_more(self):
        return "error" not in self.entry and len(self.times) < self.runs

    def once_more(self):
        again = self._ask({"runs": 1, "rows_max": 0}, self.options.timeout * 2 + 10)
        if again:
            self.times += again["times_ms"]

    def finish(self):
        """The entry, with what came of all runs."""
        if "error" in self.entry:
            self.rows = None
        elif not self.is_finished:
            self.is_finished = True
            self.engine.child.note_memory()
            if self.options.cold and "reopen" in self.engine.can:
                self.entry["cold_ms"] = _cold(self.engine, self.question, self.options)
            self.entry |= {
                "median_ms": round(statistics.median(self.times), 4), "min_ms": round(min(self.times), 4),
                "runs": len(self.times),
            }
        return self.entry

    def _ask(self, how, timeout):
        try:
            answer = self.engine.ask({**self.question, **how}, timeout)
        except Unanswered as error:
            answer = {"ok": False, "error": str(error)}
        if answer["ok"]:
            return answer
        self.entry["error"] = answer["error"]
        return None


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

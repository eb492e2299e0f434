"""Martlet against itself: the path that its rules pick, beside every path that can be forced on it.

The rules are right where no forced path is much faster. The least of three medians is a little low
by chance, so the ratio errs against the rules.
"""

from compare import runner, workload
from compare.say import say

RULE = "cost"
FORCED = ("totals", "gather", "scan")
# How many times as long as the best forced path a question may take by the rules.
AT_MOST = 1.2
# Under so many milliseconds, or so few apart, the clock and the machine's other work decide.
NOISE = {"both_under_ms": 2.0, "apart_less_than_ms": 0.5}
# What a clock tells of something that took no time.
LEAST_MS = 0.001


def measure(makers, queries, constants, options, result):
    """Asks every question of one process per path, run by run in turn, and adds their times to the result."""
    say(f"asking Martlet by each path: {', '.join((RULE, *FORCED))}")
    engines = [makers.martlet_path(path) for path in (RULE, *FORCED)]
    try:
        found = runner.measure(engines, queries, constants, options, turns="runs")
    finally:
        for engine in engines:
            engine.stop()
    known = result.setdefault("paths", {"at_most": AT_MOST, "noise": NOISE, "entries": []})
    known["entries"] += [{**entry, "engine": "martlet", "path": entry["engine"]} for entry in found]


def summarize(paths):
    """What the entries come to, by question and by class: all that the report says of them."""
    questions = _questions(paths)
    return {**paths, "questions": questions, "classes": _classes(paths, questions)}


def _questions(paths):
    asked = {}
    for entry in paths["entries"]:
        key = (entry["class"], entry["group"], entry["query"], entry["principal"])
        asked.setdefault(key, {})[entry["path"]] = entry
    return [_question(paths, key, by) for key, by in asked.items()]


def _question(paths, key, by):
    of, group, query, principal = key
    times = {path: entry["median_ms"] for path, entry in by.items() if "median_ms" in entry}
    forced = {path: times[path] for path in FORCED if path in times}
    best = min(forced, key=forced.get, default=None)
    row = {
        "class": of, "group": group, "query": query, "principal": principal, "median_ms": times, "best": best,
        "times": None, "verdict": "",
        "unanswered": [path for path, entry in by.items() if "error" in entry],
        "wrong": [path for path, entry in by.items() if entry.get("agrees") is False],
    }
    if row["wrong"]:
        return row | {"verdict": "wrong"}
    if RULE not in times or best is None:
        return row | {"verdict": "unanswered"}
    ratio = times[RULE] / max(forced[best], LEAST_MS)
    return row | {"times": ratio, "verdict": _verdict(paths, times[RULE], forced[best])}


def _verdict(paths, ruled, best):
    if ruled <= paths["at_most"] * best:
        return "reached"
    noise = paths["noise"]
    is_noise = max(ruled, best) < noise["both_under_ms"] or ruled - best < noise["apart_less_than_ms"]
    return "within noise" if is_noise else "missed"


def _classes(paths, questions):
    rows = []
    for of in workload.classes():
        for group in of.targets:
            for principal in of.principals:
                mine = [row for row in questions
                        if (row["class"], row["group"], row["principal"]) == (of.name, group, principal)]
                if mine:
                    named = {"class": of.name, "letter": of.letter, "title": of.title, "group": group}
                    rows.append({**named, "principal": principal, **_class(paths, mine)})
    return rows


def _class(paths, questions):
    def named(verdict):
        return [row["query"] for row in questions if row["verdict"] == verdict]

    def worst(verdicts):
        found = [row for row in questions if row["times"] is not None and row["verdict"] in verdicts]
        row = max(found, key=lambda row: row["times"], default=None)
        return {"query": row["query"], "times": row["times"], "best": row["best"]} if row else None

    missed = named("missed")
    verdict = "within noise" if len(named("within noise")) == len(questions) else "reached"
    if missed:
        verdict = f"missed: {len(missed)}"
    for failed in ("unanswered", "wrong"):
        if named(failed):
            verdict = f"{len(named(failed))} {failed}"
    return {
        "questions": len(questions), "at_most": paths["at_most"], "worst": worst(("reached", "missed")),
        "missed": missed, "within_noise": named("within noise"), "worst_within_noise": worst(("within noise",)),
        "verdict": verdict,
    }

"""What the single figures come to, class by class, against the targets."""

import math

from compare import workload


def classes(entries):
    """One row per class, group and principal."""
    rows = []
    for of in workload.classes():
        mine = [entry for entry in entries if entry["class"] == of.name]
        for group, target in of.targets.items():
            for principal in of.principals:
                chosen = [entry for entry in mine if entry["group"] == group and entry["principal"] == principal]
                if chosen:
                    rows.append(_row(of, group, target, principal, chosen))
    return rows


def _row(of, group, target, principal, entries):
    times = {}
    for entry in entries:
        if "median_ms" in entry:
            times.setdefault(entry["query"], {})[entry["engine"]] = entry["median_ms"]
    ratios = ratios_of(times, target["against"])
    engines = {engine for by in times.values() for engine in by}
    least = min(ratios, key=ratios.get, default=None)
    mean = geometric(ratios.values())
    unanswered = [e["query"] for e in entries if e["engine"] == "martlet" and "error" in e]
    wrong = [e["query"] for e in entries if e["engine"] == "martlet" and e.get("agrees") is False]
    return {
        "class": of.name, "letter": of.letter, "title": of.title, "group": group, "principal": principal,
        "queries": len({entry["query"] for entry in entries}),
        "mean_ms": {engine: _mean_where_all(times, engine) for engine in engines},
        "against": target["against"], "target": target["times"], "times_faster": mean,
        "least_query": least, "least_times": ratios.get(least), "slower_queries": [q for q, r in ratios.items() if r < 1],
        "unanswered": unanswered, "wrong": wrong, "verdict": _verdict(ratios, target, unanswered, wrong),
    }


def ratios_of(times, against):
    """By query: the fastest of those peers against Martlet in process."""
    ratios = {}
    for query, by in times.items():
        peers = [by[name] for name in against if name in by]
        if peers and by.get("martlet"):
            ratios[query] = min(peers) / by["martlet"]
    return ratios


def geometric(values):
    values = [value for value in values if value > 0]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def _mean_where_all(times, engine):
    """The geometric mean of an engine's times; of the queries that it answered."""
    return geometric([by[engine] for by in times.values() if engine in by])


def _verdict(ratios, target, unanswered, wrong):
    if wrong:
        return f"{len(wrong)} wrong"
    if unanswered:
        return f"{len(unanswered)} unanswered"
    if not ratios:
        return ""
    if geometric(ratios.values()) < target["times"]:
        return "missed"
    slower = sum(ratio < 1 for ratio in ratios.values()) if target["never_slower"] else 0
    return f"missed: {slower} slower" if slower else "reached"


def growth(small, large):
    """How much each class costs more when the bank grows: Martlet's entries of two sizes."""
    rows = []
    for of in workload.classes():
        for group in of.targets:
            for principal in of.principals:
                def times(entries):
                    return {
                        entry["query"]: entry["median_ms"] for entry in entries["entries"]
                        if entry["class"] == of.name and entry["group"] == group and entry["principal"] == principal
                        and entry["engine"] == "martlet" and "median_ms" in entry
                    }

                before, after = times(small), times(large)
                ratios = {query: after[query] / before[query] for query in before if query in after}
                if ratios:
                    most = max(ratios, key=ratios.get)
                    rows.append({
                        "class": of.name, "letter": of.letter, "title": of.title, "group": group,
                        "principal": principal, "rows": [small["rows"], large["rows"]],
                        "mean_ms": [geometric(before[q] for q in ratios), geometric(after[q] for q in ratios)],
                        "times": geometric(ratios.values()), "most_query": most, "most_times": ratios[most],
                    })
    return rows

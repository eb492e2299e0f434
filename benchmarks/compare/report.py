"""The report: JSON for programs, Markdown and a chart for people. All three say the same figures."""

import datetime
import json

from compare import chart, guard, paths, summary, targets

TITLES = {
    "martlet": "Martlet", "martlet_flight": "Martlet (Flight SQL)", "duckdb": "DuckDB",
    "duckdb_art": "DuckDB + ART", "clickhouse": "ClickHouse", "datafusion": "DataFusion", "postgres": "PostgreSQL",
}


def begin(options, machine, versions):
    return {
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine, "versions": versions, "rows": options.transactions, "tpch_scale": options.tpch_scale,
        "threads": options.threads, "memory_gib": options.memory_gib, "runs": options.runs, "seed": options.seed,
        "timeout_seconds": options.timeout, "loads": [], "entries": [], "growth": [],
    }


def add(result, dataset, figures, memory, entries):
    """One dataset's loads and answers."""
    for engine, known in figures.items():
        result["loads"].append(load_figures(dataset, engine, known) | {"peak_resident_bytes": memory.get(engine, 0)})
    result["entries"] += entries


def load_figures(dataset, engine, known):
    """Seconds and bytes of an engine's load; of the largest table alone where that was measured."""
    entry = {"dataset": dataset.name, "engine": engine}
    if dataset.name == "bank":
        entry["text_bytes"] = dataset.facts["tables"]["transaction"]["bytes"]
    if engine.startswith("martlet"):
        entry["seconds"] = known.get("seconds")
        sizes = known.get("transaction_bytes") or known.get("bytes") or {}
        entry["bytes_on_disk"] = sum(sizes.values())
        entry["bytes_without_indexes"] = sizes.get("segments", 0)
        entry["bytes_all_tables"] = sum(known.get("bytes", {}).values())
    else:
        entry["seconds"] = known.get("copy")
        entry["bytes_on_disk"] = known.get("largest_bytes", known.get("bytes"))
        entry["bytes_all_tables"] = known.get("bytes")
    further = {name: value for name, value in known.items() if name not in ("report", "bytes", "transaction_bytes")}
    entry["steps"] = {name: value for name, value in further.items() if isinstance(value, (int, float))}
    return entry


def write(result, folder):
    folder.mkdir(parents=True, exist_ok=True)
    result["summary"] = summary.classes(result["entries"])
    if "paths" in result:
        result["paths"] = paths.summarize(result["paths"])
    if "guard" in result:
        result["guard"] = guard.summarize(result["guard"])
    result["targets"] = targets.rows(result)
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (folder / "latest.json").write_text(text + "\n", encoding="utf-8")
    (folder / "latest.md").write_text(markdown(result), encoding="utf-8")
    if result["entries"]:
        (folder / "latest.svg").write_text(chart.draw(result, TITLES), encoding="utf-8")


def markdown(result):
    parts = [_head(result), _classes(result), _targets(result), _loads(result), _growth(result), _queries(result),
             _paths(result), guard.markdown(result["guard"]) if "guard" in result else ""]
    return "\n".join(part for part in parts if part)


def _head(result):
    machine, versions = result["machine"], result["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    drawn = "\n![The chart](latest.svg)\n" if result["entries"] else ""
    return (
        "# Martlet beside its peers\n\n"
        f"{result['rows']:,} transactions, TPC-H at scale {result['tpch_scale']:g}. {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gib']:g} GiB, {machine['system']}; {result['threads']} threads "
        f"and {result['memory_gib']} GiB for each engine; the median of {result['runs']} warm runs, after one that "
        f"is not counted. Measured at {result['measured_at']}.\n\n"
        f"{told}.\n{drawn}"
    )


def _classes(result):
    if not result["summary"]:
        return ""
    lines = [
        "## By class\n",
        "Geometric means in milliseconds. *Times faster* is the geometric mean, query by query, of the fastest "
        "peer of the target against Martlet in process; *least* is the query where Martlet is least ahead.\n",
        "| class | as | queries | Martlet | over Flight | DuckDB | ClickHouse | DataFusion | PostgreSQL | times faster "
        "| least | target | |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|---|",
    ]
    for row in result["summary"]:
        means = [
            _ms(row["mean_ms"].get(name))
            for name in ("martlet", "martlet_flight", "duckdb", "clickhouse", "datafusion", "postgres")
        ]
        group = f", {row['group']}" if row["group"] else ""
        ratio = f"**{row['times_faster']:.1f}**" if row["times_faster"] else ""
        least = f"{row['least_times']:.2f} {row['least_query']}" if row["least_query"] else ""
        lines.append(
            f"| ({row['letter']}) {row['title']}{group} | {row['principal']} | {row['queries']} | "
            + " | ".join(means)
            + f" | {ratio} | {least} | {row['target']:g} | {row['verdict']} |"
        )
    return "\n".join(lines) + "\n"


def _targets(result):
    if not result["targets"]:
        return ""
    lines = ["## Sizes, load, growth, memory against their targets\n", "| what | measured | at most | |",
             "|---|---:|---:|---|"]
    for row in result["targets"]:
        unit = "" if row["unit"] == "times" else f" {row['unit']}"
        lines.append(f"| {row['what']} | {row['measured']:.2f}{unit} | {row['at_most']:.2f}{unit} | "
                     f"{'reached' if row['reached'] else 'missed'} |")
    return "\n".join(lines) + "\n"


def _loads(result):
    if not result["loads"]:
        return ""
    lines = [
        "## Loads, sizes, memory\n",
        "Seconds from text to a state that can be queried, and bytes on disk: of the transaction table alone, for "
        "TPC-H of all tables. Memory is the highest resident memory while the questions were asked; files that are "
        "mapped into memory count.\n",
        "| data | engine | text | load s | on disk | of the text | without indexes | all tables | peak memory | steps |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for load in result["loads"]:
        text, disk = load.get("text_bytes"), load.get("bytes_on_disk")
        share = f"{disk / text:.2f}" if text and disk else ""
        seconds = f"{load['seconds']:.1f}" if load.get("seconds") is not None else ""
        steps = ", ".join(
            f"{name} {value:.1f}" for name, value in load["steps"].items()
            if name != "seconds" and not name.endswith("bytes")
        )
        cells = [
            load["dataset"], TITLES[load["engine"]], _bytes(text), seconds, _bytes(disk), share,
            _bytes(load.get("bytes_without_indexes")), _bytes(load.get("bytes_all_tables")),
            _bytes(load.get("peak_resident_bytes")), steps,
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _growth(result):
    if not result["growth"]:
        return ""
    lines = ["## Growth\n", "Martlet in process, the same questions over a small and a large bank.\n",
             "| class | as | rows | ms | rows | ms | costs |", "|---|---|---:|---:|---:|---:|---:|"]
    for row in result["growth"]:
        lines.append(
            f"| ({row['letter']}) {row['title']}{', ' + row['group'] if row['group'] else ''} | {row['principal']} | "
            f"{row['rows'][0]:,} | {_ms(row['mean_ms'][0])} | {row['rows'][1]:,} | {_ms(row['mean_ms'][1])} | "
            f"{row['times']:.2f} times, at most {row['most_times']:.2f} ({row['most_query']}) |"
        )
    grown = result["grown"]
    memory = ", ".join(f"{TITLES[name]} {_bytes(peak)}" for name, peak in grown["peak_resident_bytes"].items())
    lines += ["", f"The bank of {grown['rows']:,} transactions was loaded, with all tables, in "
              f"{grown['load_seconds']:.0f} s and takes {_bytes(sum(grown['bytes'].values()))}. Highest resident "
              f"memory while it was asked: {memory}."]
    return "\n".join(lines) + "\n"


def _queries(result):
    engines = [name for name in TITLES if any(entry["engine"] == name for entry in result["entries"])]
    rows = {}
    for entry in result["entries"]:
        rows.setdefault((entry["class"], entry["query"], entry["principal"]), {})[entry["engine"]] = entry
    if not rows:
        return ""
    lines = [
        "## Query by query\n",
        "Medians in milliseconds. ≠ marks an answer that differs from the others', – what was not asked.\n",
        "| query | as | rows | " + " | ".join(TITLES[name] for name in engines) + " |",
        "|---|---|---:|" + "---:|" * len(engines),
    ]
    for (of, query, principal), by in rows.items():
        rows_out = next((entry["rows_out"] for entry in by.values() if "rows_out" in entry), "")
        cells = [_cell(by.get(name)) for name in engines]
        lines.append(f"| {of}/{query} | {principal} | {rows_out} | " + " | ".join(cells) + " |")
    cold = [entry for entry in result["entries"] if entry.get("cold_ms") is not None]
    if cold:
        lines += ["", "### Cold: once, right after opening, with empty file caches (ms)", ""] + _cold(cold)
    failed = [entry for entry in result["entries"] if "error" in entry or entry.get("agrees") is False]
    if failed:
        lines += ["", "### What failed or differed", ""]
        lines += [f"- {TITLES[entry['engine']]}, {_failure(entry)}" for entry in failed]
    return "\n".join(lines) + "\n"


def _paths(result):
    if "paths" not in result:
        return ""
    found = result["paths"]
    noise = found["noise"]
    names = (paths.RULE, *paths.FORCED)
    lines = [
        "## The choice of paths\n",
        "Martlet in process, each question by the path that its rules pick (*cost*) and by each path that is forced: "
        "*totals* from indexes wherever they are possible, *gather* (indexes select rows and give columns, plain "
        "operators do the rest), *scan* (no index). *Times* is the median by the rules against the least of the "
        f"forced ones, wanted at most {found['at_most']:g} in each question. Beyond that it is *within noise*, and no "
        f"miss, where both are under {noise['both_under_ms']:g} ms or less than {noise['apart_less_than_ms']:g} ms "
        "apart.\n",
        "| class | as | questions | worst | missed | within noise | at most | |", "|---|---|---:|---|---|---|---:|---|",
    ]
    for row in found["classes"]:
        group = f", {row['group']}" if row["group"] else ""
        excused = f"{len(row['within_noise'])}" if row["within_noise"] else ""
        if excused:
            excused += f", worst {_worst(row['worst_within_noise'])}"
        lines.append(
            f"| ({row['letter']}) {row['title']}{group} | {row['principal']} | {row['questions']} | "
            f"{_worst(row['worst'])} | {', '.join(row['missed'])} | {excused} | {row['at_most']:g} | {row['verdict']} |"
        )
    lines += ["", "Medians in milliseconds; **bold** is the best of the forced.", "",
              "| query | as | " + " | ".join(names) + " | times | |", "|---|---|" + "---:|" * len(names) + "---:|---|"]
    for row in found["questions"]:
        times = "" if row["times"] is None else f"{row['times']:.2f}"
        cells = [_path_cell(row, name) for name in names]
        lines.append(f"| {row['class']}/{row['query']} | {row['principal']} | {' | '.join(cells)} | {times} | "
                     f"{row['verdict']} |")
    failed = [entry for entry in found["entries"] if "error" in entry or entry.get("agrees") is False]
    if failed:
        lines += ["", "### What failed or differed by a path", ""]
        lines += [f"- {entry['path']}, {_failure(entry)}" for entry in failed]
    return "\n".join(lines) + "\n"


def _worst(row):
    return f"{row['times']:.2f} {row['query']} ({row['best']})" if row else ""


def _path_cell(row, path):
    cell = _ms(row["median_ms"].get(path)) or ("failed" if path in row["unanswered"] else "–")
    if path in row["wrong"]:
        cell += " ≠"
    return f"**{cell}**" if path == row["best"] else cell


def _failure(entry):
    return (f"{entry['class']}/{entry['query']} as {entry['principal']}: "
            + (entry.get("error") or entry.get("difference", ""))[:200].replace("|", "\\|"))


def _cold(entries):
    engines = [name for name in TITLES if any(entry["engine"] == name for entry in entries)]
    rows = {}
    for entry in entries:
        key = (entry["class"], entry["query"], entry["principal"])
        rows.setdefault(key, {})[entry["engine"]] = _ms(entry["cold_ms"])
    lines = ["| query | as | " + " | ".join(TITLES[name] for name in engines) + " |",
             "|---|---|" + "---:|" * len(engines)]
    for (of, query, principal), by in rows.items():
        lines.append(f"| {of}/{query} | {principal} | " + " | ".join(by.get(name, "–") for name in engines) + " |")
    return lines


def _cell(entry):
    if entry is None:
        return "–"
    if "median_ms" not in entry:
        return "failed"
    return _ms(entry["median_ms"]) + (" ≠" if entry.get("agrees") is False else "")


def _ms(value):
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def _bytes(value):
    if not value:
        return ""
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.1f} MB"

"""The report: JSON for programs, Markdown for people."""

import datetime
import json
import math


def collect(options, machine, versions, facts, loads, entries):
    return {
        "measured_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "machine": machine, "versions": versions, "rows": facts["transactions"], "facts": facts,
        "runs": options.runs, "threads": options.threads, "engines": loads, "entries": entries,
    }


def write(result, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "latest.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "latest.md").write_text(markdown(result), encoding="utf-8")


def markdown(result):
    engines = []
    for entry in result["entries"]:
        if entry["engine"] not in engines:
            engines.append(entry["engine"])
    rows = {}
    for entry in result["entries"]:
        rows.setdefault((entry["class"], entry["query"], entry["principal"]), {})[entry["engine"]] = entry
    lines = [f"| query | as | " + " | ".join(engines) + " |", "|---|---|" + "---:|" * len(engines)]
    for (of, query, principal), by in rows.items():
        cells = []
        for engine in engines:
            entry = by.get(engine)
            cell = "" if entry is None else f"{entry['median_ms']:.1f}" if "median_ms" in entry else "failed"
            if entry and entry.get("agrees") is False:
                cell += " ≠"
            cells.append(cell)
        lines.append(f"| {of}/{query} | {principal} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"

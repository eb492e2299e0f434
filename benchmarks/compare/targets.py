"""The targets that are not about a class of questions: sizes, the load, growth, memory, the choice of paths."""

GIB = 2**30


def rows(result):
    """What was measured against what was wanted, each as a line of the report."""
    loads = {(load["dataset"], load["engine"]): load for load in result["loads"]}
    martlet = loads.get(("bank", "martlet")) or loads.get(("bank", "martlet_flight"))
    found = []
    if martlet:
        found += _sizes(martlet, loads.get(("bank", "duckdb")), loads.get(("bank", "postgres")))
        found += _load(martlet, loads.get(("bank", "duckdb")))
    found += _growth(result)
    found += _paths(result)
    return found


def _line(what, measured, limit, unit="times"):
    return {"what": what, "measured": round(measured, 3), "at_most": limit, "unit": unit, "reached": measured <= limit}


def _sizes(martlet, duckdb, postgres):
    lines = []
    both, rows_alone = martlet["bytes_on_disk"], martlet["bytes_without_indexes"]
    if martlet.get("text_bytes"):
        lines.append(_line("rows and indexes on disk, of the delimited text", both / martlet["text_bytes"], 0.4))
    if postgres and postgres.get("bytes_on_disk"):
        lines.append(_line("rows and indexes on disk, of PostgreSQL's table and indexes",
                           both / postgres["bytes_on_disk"], 1 / 3))
    if duckdb and duckdb.get("bytes_on_disk"):
        lines.append(_line("rows and indexes on disk, of DuckDB's file", both / duckdb["bytes_on_disk"], 2.2))
        lines.append(_line("rows alone on disk, of DuckDB's file", rows_alone / duckdb["bytes_on_disk"], 1.0))
    return lines


def _load(martlet, duckdb):
    if not (duckdb and duckdb.get("seconds") and martlet.get("seconds")):
        return []
    return [_line("load, text to published snapshot with all indexes, of DuckDB's COPY without an index",
                  martlet["seconds"] / duckdb["seconds"], 1.5)]


def _growth(result):
    lines = []
    for row in result["growth"]:
        who = "" if row["principal"] == "researcher" else f", {row['principal']}"
        group = f", {row['group']}" if row["group"] else ""
        limit = 1.2 if row["letter"] in ("c", "d") else 3.3
        lines.append(_line(f"class ({row['letter']}){group}{who}, {row['rows'][0]:,} to {row['rows'][1]:,} rows, "
                           "the query that costs most more", row["most_times"], limit))
    peaks = result.get("grown", {}).get("peak_resident_bytes", {})
    if peaks.get("martlet_flight"):
        lines.append(_line("the server's resident memory at the larger size", peaks["martlet_flight"] / GIB, 8, "GiB"))
    return lines


def _paths(result):
    """The question in which the rules are furthest from the best forced path, of those that tell."""
    worst = [row["worst"] for row in result.get("paths", {}).get("classes", []) if row["worst"]]
    if not worst:
        return []
    most = max(worst, key=lambda row: row["times"])
    return [_line(f"by the rules, of the best forced path: {most['query']}", most["times"],
                  result["paths"]["at_most"])]

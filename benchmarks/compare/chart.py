"""The chart: a bar per engine and class, geometric means on a logarithmic scale, as plain SVG."""

import math

COLOURS = {
    "martlet": "#0b6e4f", "martlet_flight": "#7cc6a4", "duckdb": "#e0a100", "clickhouse": "#c8553d",
    "datafusion": "#5b7db1", "postgres": "#8d8d99",
}
WIDTH, LEFT, RIGHT, TOP = 960, 250, 90, 96
BAR, GAP, BAND = 13, 2, 18


def draw(result, titles):
    rows = [row for row in result["summary"] if row["principal"] == "researcher" or row["letter"] == "c"]
    engines = [name for name in COLOURS if any(name in row["mean_ms"] for row in rows)]
    values = [value for row in rows for value in row["mean_ms"].values() if value]
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def x(value):
        share = (math.log10(max(value, 10**low)) - low) / (high - low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    bars, bottom = _bands(rows, engines, x)
    parts = [_legend(engines, titles), _axis(low, high, x, bottom), *bars]
    head = (
        f'<text class="h" x="24" y="32">Milliseconds per question, by class of questions</text>'
        f'<text class="s" x="24" y="52">{result["rows"]:,} transactions, TPC-H at scale {result["tpch_scale"]:g}, '
        f"{result['threads']} threads each; geometric means of medians, logarithmic: shorter is faster</text>"
    )
    style = (
        "<style>text{font-family:system-ui,'Segoe UI',Helvetica,Arial,sans-serif;font-size:12px;fill:#222}"
        ".h{font-size:18px;font-weight:600}.s{fill:#666}.v{font-size:10.5px;fill:#444}.t{fill:#888;font-size:11px}"
        ".c{font-weight:600}</style>"
    )
    height = bottom + 40
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="Benchmark by class">{style}'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{head}{"".join(parts)}</svg>\n'
    )


def _bands(rows, engines, x):
    parts, y = [], TOP
    for row in rows:
        present = [name for name in engines if row["mean_ms"].get(name)]
        height = len(present) * (BAR + GAP)
        label = f"({row['letter']}) {row['title']}"
        below = ", ".join(part for part in (row["group"], "" if row["principal"] == "researcher" else row["principal"])
                          if part)
        middle = y + height / 2
        parts.append(f'<text class="c" x="{LEFT - 12}" y="{middle + (0 if below else 4):.0f}" text-anchor="end">'
                     f"{_short(label)}</text>")
        if below:
            parts.append(f'<text class="s" x="{LEFT - 12}" y="{middle + 15:.0f}" text-anchor="end">{below}</text>')
        for number, name in enumerate(present):
            value = row["mean_ms"][name]
            top, end = y + number * (BAR + GAP), x(value)
            parts.append(
                f'<rect x="{LEFT}" y="{top}" width="{max(end - LEFT, 1.5):.1f}" height="{BAR}" rx="1.5" '
                f'fill="{COLOURS[name]}"/><text class="v" x="{max(end, LEFT) + 5:.1f}" y="{top + 10.5}">'
                f"{_number(value)}</text>"
            )
        y += height + BAND
    return parts, y


def _axis(low, high, x, bottom):
    parts = []
    for power in range(low, high + 1):
        at = x(10**power)
        label = f"{10**power:g} ms" if power < 3 else f"{10 ** (power - 3):g} s"
        parts.append(
            f'<line x1="{at:.1f}" y1="{TOP - 8}" x2="{at:.1f}" y2="{bottom - 8}" stroke="#ddd"/>'
            f'<text class="t" x="{at:.1f}" y="{bottom + 8}" text-anchor="middle">{label}</text>'
        )
    return "".join(parts)


def _legend(engines, titles):
    parts, x = [], 24
    for name in engines:
        parts.append(
            f'<rect x="{x}" y="66" width="11" height="11" rx="1.5" fill="{COLOURS[name]}"/>'
            f'<text x="{x + 16}" y="76">{titles[name]}</text>'
        )
        x += 36 + 7 * len(titles[name])
    return "".join(parts)


def _short(label):
    return label.replace("Semi-joins of customers and transactions", "Semi-joins")


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"

"""Do two engines say the same? Rows as sets; whole numbers and decimals exactly, floats nearly."""

import decimal

RELATIVE = decimal.Decimal("1e-9")
# Averages and quotients of decimals are cut at different digits: six engines, six habits.
ABSOLUTE = decimal.Decimal("2e-6")


def canonical(answer):
    """The rows of an answer in an order and a spelling that all engines share."""
    kinds = [_kind(name) for name in answer["types"]]
    rows = [tuple(_cell(kind, cell) for kind, cell in zip(kinds, row)) for row in answer["rows"]]
    return sorted(rows, key=_order)


def difference(mine, other, tolerance):
    """Where two canonical answers differ, in words; empty where they agree."""
    if len(mine) != len(other):
        return f"{len(mine)} rows against {len(other)}"
    for number, (left, right) in enumerate(zip(mine, other)):
        if len(left) != len(right):
            return f"{len(left)} columns against {len(right)}"
        for column, (one, two) in enumerate(zip(left, right)):
            if not _same(one, two, tolerance):
                return f"row {number + 1}, column {column + 1}: {one} against {two}"
    return ""


def _kind(name):
    name = name.lower()
    if name.startswith(("int", "uint", "decimal", "dec", "float", "double", "numeric", "halffloat")):
        return "number"
    if name.startswith("bool"):
        return "truth"
    if name.startswith(("date", "timestamp", "time")):
        return "time"
    return "text"


def _cell(kind, cell):
    if cell is None:
        return None
    if kind == "number":
        return decimal.Decimal(cell)
    if kind == "truth":
        return cell.lower() in ("true", "1", "t")
    if kind == "time":
        cell = cell.replace("T", " ")
        cell = cell.split(".")[0]
        return cell.removesuffix(" 00:00:00")
    return cell.rstrip(" ") if kind == "text" else cell


def _order(row):
    """Numbers are put in order coarsely, so that a last digit does not part what belongs together."""
    key = []
    for cell in row:
        if isinstance(cell, decimal.Decimal):
            key.append((1, float(f"{cell:.6g}"), ""))
        elif isinstance(cell, bool):
            key.append((1, float(cell), ""))
        else:
            key.append((0, 0.0, "") if cell is None else (2, 0.0, cell))
    return key


def _same(one, two, tolerance):
    if isinstance(one, bool) or isinstance(two, bool):
        # A truth value that an engine tells as a number.
        return one is not None and two is not None and int(one) == int(two)
    if isinstance(one, decimal.Decimal) and isinstance(two, decimal.Decimal):
        if one == two:
            return True
        if _exact(one) and _exact(two) and not tolerance:
            return False
        if not (one.is_finite() and two.is_finite()):
            return False
        allowed = max(ABSOLUTE, RELATIVE * max(abs(one), abs(two)), decimal.Decimal(str(tolerance)))
        return abs(one - two) <= allowed
    return one == two


def _exact(number):
    """Money and counts: at most two digits after the point."""
    return number.is_finite() and number == round(number, 2)

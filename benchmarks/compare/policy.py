"""The benchmark's own rules: the bank's bundle, and a researcher who sees every column of every row.

The demo's bundle has no such role, and must not get one.
"""

import csv
import os
import pathlib
import shutil
import subprocess
import tomllib

PASSWORD = "benchmark: everybody alike"

BUNDLE = """
name = "bench"
version = "1.1"
profile = "doc"
"""


def write(generated, target, tables, binaries):
    """Derives bundle and principals from the generated ones; gives both paths."""
    target = pathlib.Path(target)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(generated / "policy", target)
    classes = tomllib.loads((target / "classes.toml").read_text(encoding="utf-8"))["class"]
    with open(target / "roles.toml", "a", encoding="utf-8") as roles:
        roles.write(_role(tables, [entry["name"] for entry in classes]))
    with open(target / "rules.toml", "a", encoding="utf-8") as rules:
        rules.write(_rule(tables))
    principals = target.parent / "principals.csv"
    _principals(generated / "principals.csv", principals, password_hash(binaries))
    return target, principals


def write_open(target, tables, classes, binaries, principal="researcher"):
    """A bundle for tables without secrets: one class, one role, one principal."""
    target = pathlib.Path(target)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    texts = {
        "bundle.toml": BUNDLE,
        "organization.csv": "node,parent,level,name\n00,,head_office,head office\n",
        "classes.toml": "".join(
            f'[[class]]\nname = "{name}"\npfi = "C1"\nlevel = 1\nmask = "redact"\n' for name in classes
        ),
        "roles.toml": _role(tables, classes),
        "rules.toml": _rule(tables),
    }
    for name, text in texts.items():
        (target / name).write_text(text, encoding="utf-8")
    principals = target.parent / "principals.csv"
    principals.write_text(
        f'name,roles,node,password\n{principal},researcher,00,"{password_hash(binaries)}"\n', encoding="utf-8"
    )
    return target, principals


def _role(tables, classes):
    lines = ["", "# Every column of every row in clear: for measuring only.", "[[role]]", 'name = "researcher"']
    lines.append("tables = [" + ", ".join(f'"{table}"' for table in tables) + "]")
    lines += ['may = ["explain"]', "", "[role.classes]"]
    lines += [f'{name} = "clear"' for name in classes]
    return "\n".join(lines) + "\n"


def _rule(tables):
    listed = ", ".join(f'"{table}"' for table in tables)
    return (
        '\n[[row_rule]]\nname = "every-row-for-measuring"\neffect = "permit"\nroles = ["researcher"]\n'
        f"tables = [{listed}]\nall = true\n"
    )


def _principals(source, target, hashed):
    """The named people with one password, the researcher, and no branch users."""
    with open(source, encoding="utf-8", newline="") as lines:
        people = [row for row in csv.DictReader(lines) if row["name"] in ("teller", "manager", "analyst")]
    with open(target, "w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["name", "roles", "node", "password"])
        for row in people:
            writer.writerow([row["name"], row["roles"], row["node"], hashed])
        writer.writerow(["researcher", "researcher", "00", hashed])


def password_hash(binaries):
    done = subprocess.run(
        [binaries / "martlet", "policy", "password"], env={**os.environ, "MARTLET_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE, text=True, check=True,
    )
    # It comes quoted, as CSV wants it.
    return done.stdout.strip().strip('"')

"""The questions: SQL texts with a head of comments, filled with constants.

The first line is the question in words. `-- group:`, `-- as:` and `-- tolerance:` may follow;
`-- <engine>:` begins the text for an engine whose dialect differs.
"""

import dataclasses
import pathlib
import re
import tomllib

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "workloads"


@dataclasses.dataclass(frozen=True)
class Class:
    name: str
    letter: str
    title: str
    principals: list[str]
    dataset: str
    targets: dict
    """By group ("" where there is none): which peers, and how many times faster."""


@dataclasses.dataclass(frozen=True)
class Query:
    of: Class
    name: str
    question: str
    group: str
    principals: list[str]
    tolerance: float
    texts: dict

    def sql(self, dialect, constants):
        text = self.texts.get(dialect, self.texts[""])
        return re.sub(r"\{(\w+)\}", lambda found: str(constants[found.group(1)]), text)


def classes(wanted=None):
    content = tomllib.loads((FOLDER / "classes.toml").read_text(encoding="utf-8"))
    found = []
    for name, entry in content.items():
        if wanted and name not in wanted and entry["letter"] not in wanted:
            continue
        groups = entry.get("group", {"": entry})
        targets = {group: {key: at.get(key) for key in ("against", "times", "never_slower")} for group, at in groups.items()}
        found.append(Class(name, entry["letter"], entry["title"], entry["as"], entry.get("dataset", "bank"), targets))
    return found


def queries(of, containing=""):
    files = sorted((FOLDER / of.name).glob("*.sql"))
    return [_read(of, path) for path in files if containing in f"{of.name}/{path.stem}"]


def _read(of, path):
    question, directives, texts, at = "", {}, {"": []}, ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        directive = re.fullmatch(r"-- (\w+):\s*(.*)", line)
        if number == 0:
            question = line.removeprefix("-- ")
        elif directive and directive.group(2):
            directives[directive.group(1)] = directive.group(2)
        elif directive:
            at = directive.group(1)
            texts[at] = []
        elif not line.startswith("--"):
            texts[at].append(line)
    principals = directives["as"].split(", ") if "as" in directives else of.principals
    return Query(
        of=of, name=path.stem, question=question, group=directives.get("group", ""), principals=principals,
        tolerance=float(directives.get("tolerance", 0)),
        texts={dialect: "\n".join(lines).strip() for dialect, lines in texts.items()},
    )

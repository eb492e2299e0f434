"""Every engine of the comparison: how it is started, loaded, and how large it is on disk."""

import dataclasses
import hashlib
import json
import pathlib
import shutil
import sys

from compare import mart, policy, tpch
from compare.engines import postgres
from compare.protocol import Child, peak_resident
from compare.say import say

LOAD_SECONDS_MAX = 3600 * 3


@dataclasses.dataclass
class Engine:
    """One contestant over one dataset."""

    name: str
    title: str
    dialect: str
    child: Child
    server: object = None
    # Whether something must be put away at the end even if the process broke off.
    tidies: bool = False
    # `reopen`: the engine can be opened anew within its process, as cold runs need it.
    can: frozenset = frozenset({"reopen"})

    def ask(self, question, timeout):
        return self.child.ask(question, timeout)

    def memory(self):
        """The highest resident memory: the server's where there is one."""
        if self.server:
            return peak_resident(self.server.process.pid)
        self.child.note_memory()
        return self.child.peak_bytes

    def stop(self):
        if self.tidies and self.child.process is None:
            self.child.start()
        self.child.end()
        if self.server:
            self.server.stop()


def row_rules(dataset):
    """The row rules of the branch users, as a peer writes them: codes of outlets begin with the province's."""
    province, outlet = dataset.facts["manager_node"], dataset.facts["teller_outlet"]
    return {
        "manager": f"outlet >= '{province}' AND outlet < '{int(province) + 1:02d}'",
        "teller": f"outlet = '{outlet}'",
    }


def module(name, config, log):
    return Child([sys.executable, "-m", f"compare.engines.{name}", json.dumps(config)], log=log)


def size(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())


def mark_of(config, spec):
    """What a peer's load depends on: the pinned versions, the settings, the tables."""
    pins = (pathlib.Path(__file__).parents[1] / "peers" / "requirements.txt").read_text(encoding="utf-8")
    return hashlib.sha256(json.dumps([pins, config, spec], sort_keys=True).encode()).hexdigest()


def digest(program):
    with open(program, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Makers:
    """Makes engines over a dataset; loads what is not loaded yet and remembers the figures beside the data."""

    def __init__(self, dataset, options, binaries, spec):
        self.dataset, self.options, self.binaries, self.spec = dataset, options, binaries, spec
        self.common = {"threads": options.threads, "memory_gib": options.memory_gib}

    def make(self, name):
        return getattr(self, name)()

    def figures(self, name):
        """What is known of an engine's load and size."""
        kept = self.dataset.folder / f"load-{'martlet' if name.startswith('martlet') else name}.json"
        return json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}

    def _config(self, folder):
        return {**self.common, "folder": str(folder), "schemas": {name: name for name in self.spec["row_rules"]}}

    def _log(self, name):
        return self.dataset.folder / f"{name}.log"

    def _kept(self, name, mark, load):
        """The figures of a load: of this run, or of an earlier one by the same program (`mark`)."""
        kept = self.dataset.folder / f"load-{name}.json"
        figures = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        if figures.get("mark") != mark:
            self.dataset.need_text()
            say(f"loading {self.dataset.name} into {name}")
            figures = {**load(), "mark": mark}
            kept.write_text(json.dumps(figures), encoding="utf-8")
        return figures

    def _peer(self, name, title, dialect, config, spec=None, origin=None):
        child = module(dialect, config, self._log(name))

        def load():
            child.end()
            for folder in (config["folder"], postgres.place(config["folder"])):
                shutil.rmtree(folder, ignore_errors=True)
            if origin:
                shutil.copytree(origin, config["folder"], ignore=shutil.ignore_patterns("temp"))
            answer = child.ask({"load": spec or self.spec}, LOAD_SECONDS_MAX)
            if not answer["ok"]:
                raise SystemExit(f"loading {name}: {answer['error']}")
            child.end()
            return {"bytes": size(config["folder"]), **answer["seconds"]}

        self._kept(name, mark_of(config, spec or self.spec), load)
        return Engine(name, title, dialect, child)

    def duckdb(self):
        return self._peer("duckdb", "DuckDB", "duckdb", self._config(self.dataset.folder / "duckdb"))

    def duckdb_art(self):
        """DuckDB with ART indexes on the keys that look-ups go by: a copy, so that the plain one stays plain."""
        folder = self.dataset.folder / "duckdb_art"
        keys = [("customer", "mobile"), ("customer", "id_number"), ("customer", "email"), ("customer", "customer_id"),
                ("card", "card_no")]
        if self.dataset.facts["transactions"] <= self.options.art_rows:
            keys += [("transaction", "transaction_id"), ("transaction", "account_id"), ("transaction", "customer_id"),
                     ("transaction", "counterparty_account")]
        self.duckdb().stop()
        spec = {"tables": [], "indexes": keys}
        return self._peer("duckdb_art", "DuckDB with ART indexes", "duckdb", self._config(folder), spec,
                          self.dataset.folder / "duckdb")

    def clickhouse(self):
        return self._peer("clickhouse", "ClickHouse", "clickhouse", self._config(self.dataset.folder / "clickhouse"))

    def postgres(self):
        engine = self._peer("postgres", "PostgreSQL", "postgres", self._config(self.dataset.folder / "postgres"))
        engine.tidies = True
        engine.can = frozenset()
        return engine

    def datafusion(self):
        config = {**self._config(self.dataset.folder), "row_rules": self.spec["row_rules"],
                  "tables": self.spec["tables"], "segments": str(self.mart() / "segments")}
        child = module("datafusion", config, self._log("datafusion"))
        return Engine("datafusion", "DataFusion on Parquet", "datafusion", child)

    def mart(self):
        self.martlet_load()
        return self.dataset.folder / "martlet" / "mart"

    def martlet_load(self, loader=None):
        """Loads the mart, in the dataset's own way unless `loader` does it; gives its figures."""
        def load():
            own = mart.load_bank if self.dataset.name == "bank" else tpch.load
            figures = loader() if loader else own(self.dataset, self.binaries)
            place = self.dataset.folder / "martlet" / "mart"
            figures |= {"bytes": mart.bytes_of(place)}
            if self.dataset.name == "bank":
                figures |= {"transaction_bytes": mart.bytes_of(place, "transaction")}
            return figures

        return self._kept("martlet", digest(self.binaries / "martlet"), load)

    def martlet(self):
        return Engine("martlet", "Martlet, embedded", "martlet", self._embedded("cost", self._log("martlet")))

    def martlet_path(self, path):
        """Martlet in a process of its own that takes one path always, or the one of least cost; named by it."""
        child = self._embedded(path, self._log(f"martlet-{path}"))
        return Engine(path, f"Martlet, {path}", "martlet", child, can=frozenset())

    def martlet_of(self, name, place):
        """Martlet in a process of its own over a mart (`None`: the dataset's), under a name of its own."""
        child = self._embedded("cost", self._log(f"martlet-{name}"), place)
        return Engine(name, f"Martlet, {name}", "martlet", child, can=frozenset())

    def _embedded(self, path, log, place=None):
        command = [self.binaries / "martlet-bench", "--mart", place or self.mart(), "--threads", self.options.threads,
                   "--memory-gib", self.options.memory_gib, "--path", path]
        return Child(command, {"MARTLET_BENCH_PASSWORD": policy.PASSWORD}, log)

    def martlet_flight(self):
        place = self.mart()
        server = mart.Server(self.binaries, place, self.options.threads, self.options.memory_gib)
        config = {"uri": server.uri, "password": policy.PASSWORD}
        child = module("martlet_flight", config, self._log("martlet_flight"))
        return Engine("martlet_flight", "Martlet over Flight SQL", "martlet", child, server,
                      can=frozenset())

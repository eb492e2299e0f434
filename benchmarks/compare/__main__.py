"""The one command: data, loads, questions, report."""

import shutil

from compare import catalog, constants, data, growth, guard, machine, mart, paths, report, runner, tpch, workload
from compare import options as command
from compare.engines import postgres
from compare.say import say


def main():
    options = command.parse()
    options.data.mkdir(parents=True, exist_ok=True)
    binaries = mart.build()
    result = report.begin(options, machine.describe(), machine.versions(binaries, postgres.version()))
    classes = workload.classes(options.classes)
    for of in (Bank(options, binaries), Tpch(options, binaries)):
        wanted = [one for one in classes if one.dataset == of.name]
        if wanted and of.is_wanted():
            measure(of, wanted, options, binaries, result)
            report.write(result, options.results)
    of_bank = [one for one in classes if one.dataset == "bank"]
    if options.growth and of_bank and not options.only_load:
        growth.measure(options, binaries, of_bank, result)
        report.write(result, options.results)
    say(f"the report is in {options.results}")


class Bank:
    """The synthetic bank as a dataset of the run."""

    name = "bank"

    def __init__(self, options, binaries):
        self.options, self.binaries = options, binaries

    def is_wanted(self):
        return self.options.transactions > 0

    def obtain(self):
        if self.options.fresh:
            shutil.rmtree(data.place(self.options), ignore_errors=True)
        dataset = data.bank(self.options, self.binaries)
        spec = data.spec(dataset, catalog.row_rules(dataset))
        return dataset, spec, constants.of(dataset, self.options.seed)

    def engines(self):
        names = list(self.options.engines)
        if "postgres" in names and self.options.transactions > self.options.postgres_rows:
            say(f"PostgreSQL takes part up to {self.options.postgres_rows:,} transactions: left out")
            names.remove("postgres")
        if "postgres" in names and postgres.programs() is None:
            say("PostgreSQL is not installed: left out")
            names.remove("postgres")
        return names


class Tpch:
    """TPC-H as a dataset of the run."""

    name = "tpch"

    def __init__(self, options, binaries):
        self.options = options

    def is_wanted(self):
        return self.options.tpch_scale > 0

    def obtain(self):
        dataset = tpch.dataset(self.options)
        return dataset, tpch.spec(dataset), tpch.constants(self.options)

    def engines(self):
        return [name for name in self.options.engines if name not in ("duckdb_art", "postgres")]


def measure(of, classes, options, binaries, result):
    """Loads a dataset everywhere, asks its questions, and adds what was found to the result."""
    dataset, spec, filled = of.obtain()
    makers = catalog.Makers(dataset, options, binaries, spec)
    names = of.engines()
    for name in names:
        makers.make(name).stop()
    if options.paths or options.guard:
        makers.martlet_load()
    if not options.keep:
        data.drop_text(dataset)
    queries = [query for one in classes for query in workload.queries(one, options.queries)]
    engines = [] if options.only_load else [makers.make(name) for name in names]
    try:
        entries = runner.measure(engines, queries, filled, options)
        memory = {engine.name: engine.memory() for engine in engines}
    finally:
        for engine in engines:
            engine.stop()
    report.add(result, dataset, {name: makers.figures(name) for name in names}, memory, entries)
    if options.paths and not options.only_load:
        paths.measure(makers, queries, filled, options, result)
    if options.guard and of.name == "bank" and not options.only_load:
        guard.measure(makers, queries, filled, options, result)


if __name__ == "__main__":
    main()

"""The one command: data, loads, questions, report."""

import shutil

from compare import catalog, constants, data, machine, mart, options as command, report, runner, workload
from compare.engines import postgres
from compare.say import say


def main():
    options = command.parse()
    options.data.mkdir(parents=True, exist_ok=True)
    if options.fresh:
        shutil.rmtree(options.data / f"bank-{options.transactions}-{options.seed}", ignore_errors=True)
    binaries = mart.build()
    classes = workload.classes(options.classes)
    entries, loads = [], {}
    wanted = {one.dataset for one in classes}
    if "bank" in wanted:
        found, figures, facts = bank(options, binaries, [one for one in classes if one.dataset == "bank"])
        entries += found
        loads["bank"] = figures
    result = report.collect(options, machine.describe(binaries), machine.versions(binaries, postgres.version()), facts, loads, entries)
    report.write(result, options.results)


def bank(options, binaries, classes):
    dataset = data.bank(options, binaries)
    filled = constants.of(dataset, options.seed)
    makers = catalog.Makers(dataset, options, binaries, data.spec(dataset, catalog.row_rules(dataset)))
    for name in loadable(options, dataset):
        makers.make(name).stop()
    if not options.keep:
        data.drop_text(dataset)
    engines = [makers.make(name) for name in loadable(options, dataset)]
    try:
        queries = [query for one in classes for query in workload.queries(one, options.queries)]
        entries = [] if options.only_load else runner.measure(engines, queries, filled, options)
        figures = {
            engine.name: {"load": engine.load, "disk": engine.disk, "memory_bytes": engine.memory()}
            for engine in engines
        }
    finally:
        for engine in engines:
            engine.stop()
    return entries, figures, dataset.facts


def loadable(options, dataset):
    names = list(options.engines)
    if "postgres" in names and dataset.facts["transactions"] > options.postgres_rows:
        say(f"PostgreSQL takes part up to {options.postgres_rows:,} transactions: left out")
        names.remove("postgres")
    if "postgres" in names and postgres.programs() is None:
        say("PostgreSQL is not installed: left out")
        names.remove("postgres")
    return names


if __name__ == "__main__":
    main()

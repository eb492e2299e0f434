"""The larger bank, for Martlet alone: written, loaded and removed piece by piece.

No more text lies on the disk at a time than one piece has; a piece holds a run of outlets, so that
the mart is clustered as one load would have left it.
"""

import json
import math
import shutil

from compare import catalog, constants, data, loadfile, mart, policy, runner, summary, workload
from compare.say import say

ROWS_PER_PIECE = 80_000_000


def measure(options, binaries, classes, result):
    """Loads the larger bank, asks Martlet everything again, and adds the comparison to the result."""
    dataset = _dataset(options, binaries)
    spec = data.spec(dataset, catalog.row_rules(dataset))
    makers = catalog.Makers(dataset, options, binaries, spec)
    figures = makers.martlet_load(lambda: _load(dataset, options, binaries))
    data.drop_text(dataset)
    names = [name for name in ("martlet", "martlet_flight") if name in options.engines]
    engines = [makers.make(name) for name in names]
    try:
        queries = [query for one in classes for query in workload.queries(one, options.queries)]
        entries = runner.measure(engines, queries, constants.of(dataset, options.seed), options)
        memory = {engine.name: engine.memory() for engine in engines}
    finally:
        for engine in engines:
            engine.stop()
    small = {"rows": options.transactions, "entries": result["entries"]}
    large = {"rows": options.growth, "entries": entries}
    result["growth"] = summary.growth(small, large)
    result["grown"] = {
        "rows": options.growth, "entries": entries, "peak_resident_bytes": memory,
        "load_seconds": figures["seconds"], "bytes": figures["bytes"],
    }


def _pieces(options):
    return options.pieces or min(10, math.ceil(options.growth / ROWS_PER_PIECE))


def _dataset(options, binaries):
    """The larger bank with the text of its first piece, from which the constants are drawn."""
    folder = options.data / f"grown-{options.growth}-{options.seed}"
    facts_file = folder / "facts.json"
    if not facts_file.exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "text").mkdir(parents=True)
        customers, outlets = data.plan(options.growth)
        say(f"making the first of {_pieces(options)} pieces of a bank of {options.growth:,} transactions")
        made = _write(options, binaries, folder, 0)
        made |= {"customers": customers, "outlets": outlets, "transactions": options.growth}
        data.share(folder, made["date"])
        facts_file.write_text(json.dumps(made, indent=1), encoding="utf-8")
    facts = json.loads(facts_file.read_text(encoding="utf-8"))
    tables = loadfile.read(folder / "text" / "night.toml")
    known = {name: tables[name] for name in data.TABLES}

    def write():
        _write(options, binaries, folder, 0)

    dataset = data.Dataset("bank", folder, facts["date"], known, facts, write)
    if not (folder / "constants.json").exists():
        dataset.need_text()
        constants.of(dataset, options.seed)
    return dataset


def _write(options, binaries, folder, piece):
    customers, outlets = data.plan(options.growth)
    extra = ("--piece", piece, "--pieces", _pieces(options))
    return data.generate(binaries, folder / "text", customers, options.growth, outlets, options.seed, extra)


def _load(dataset, options, binaries):
    text, folder = dataset.folder / "text", dataset.folder / "martlet"
    place = folder / "mart"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    seconds = 0.0
    for piece in range(_pieces(options)):
        if piece > 0:
            data.drop_text(dataset)
            _write(options, binaries, dataset.folder, piece)
        say(f"loading piece {piece + 1} of {_pieces(options)}")
        load_file = folder / f"piece-{piece}.toml"
        # Reference data come whole with every piece; everything else is added.
        reference = {"organization", "product", "channel"}
        everything = set(loadfile.read(text / "night.toml"))
        wanted = everything if piece == 0 else everything - reference
        loadfile.derive(text / "night.toml", load_file, f"piece_{piece}", wanted.__contains__, everything - reference)
        seconds += mart.load(binaries, load_file, place, dataset.date, text)["seconds"]
    bundle, principals = policy.write(text, folder / "policy", sorted(everything), binaries)
    mart.apply(binaries, place, bundle, principals)
    return {"seconds": seconds}

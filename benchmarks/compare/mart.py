"""Martlet's own side: building the programs, loading marts, starting the server."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from compare import loadfile, policy
from compare.say import say

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = ["martlet", "martlet-bench", "bank-generate"]


def build():
    """The folder of the release programs; built unless MARTLET_BENCH_BINARIES names one."""
    if given := os.environ.get("MARTLET_BENCH_BINARIES"):
        return pathlib.Path(given)
    say("building Martlet (release)")
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    subprocess.run(["cargo", "build", "--quiet", "--release", "--workspace", "--bins"], cwd=ROOT, check=True)
    return target / "release"


def load_bank(dataset, binaries):
    """Loads the largest table alone, timed, and then the others; gives the figures of the load."""
    text, folder = dataset.folder / "text", dataset.folder / "martlet"
    mart = folder / "mart"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    largest, rest = folder / "transaction.toml", folder / "rest.toml"
    loadfile.derive(text / "night.toml", largest, "transaction", lambda name: name == "transaction")
    loadfile.derive(text / "night.toml", rest, "rest", lambda name: name != "transaction")
    figures = load(binaries, largest, mart, dataset.date, text)
    others = load(binaries, rest, mart, dataset.date, text)
    bundle, principals = policy.write(text, folder / "policy", list(loadfile.read(text / "night.toml")), binaries)
    apply(binaries, mart, bundle, principals)
    figures |= {"seconds_all_tables": figures["seconds"] + others["seconds"]}
    return figures


def load(binaries, load_file, mart, date, text, *options):
    report = pathlib.Path(load_file).with_suffix(".json")
    command = [binaries / "martlet", "load", load_file, "--mart", mart, "--date", date, "--input", text,
               "--report", report, *options]
    start = time.perf_counter()
    _run(command)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "report": json.loads(report.read_text(encoding="utf-8"))}


def apply(binaries, mart, bundle, principals):
    _run([binaries / "martlet", "policy", "apply", bundle, "--mart", mart, "--principals", principals])


def _run(command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{pathlib.Path(command[0]).name} {command[1]}: {done.stderr.strip()}")


class Server:
    """`martlet serve` on a free port of this machine."""

    def __init__(self, binaries, mart, threads, memory_gib):
        self.log = open(pathlib.Path(mart).parent / "serve.log", "w+", encoding="utf-8")
        command = [binaries / "martlet", "serve", "--mart", mart, "--listen", "127.0.0.1:0",
                   "--threads", threads, "--memory", f"{memory_gib}G"]
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log)
        self.uri = f"grpc://{self._address()}"

    def _address(self):
        for _ in range(300):
            text = pathlib.Path(self.log.name).read_text(encoding="utf-8")
            if found := re.search(r"127\.0\.0\.1:\d+", text):
                return found.group()
            if self.process.poll() is not None:
                raise SystemExit(f"martlet serve ended: {text.strip()}")
            time.sleep(0.1)
        raise SystemExit("martlet serve did not tell its address")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def bytes_of(mart, table=None):
    """Bytes on disk: of the rows, of the indexes; of one table or of all."""
    def size(folder):
        folder = pathlib.Path(mart) / folder / (table or "")
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    return {"segments": size("segments"), "indexes": size("indexes")}

"""What the figures were measured on."""

import importlib.metadata
import os
import platform
import subprocess


def describe():
    return {
        "cpu": _cpu(), "cores": os.cpu_count(), "memory_gib": round(_memory() / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "flags": [flag for flag in ("avx2", "avx512f", "sse4_2") if flag in _flags()],
    }


def versions(binaries, postgres=None):
    said = {
        "martlet": _first_line([binaries / "martlet", "--version"]).removeprefix("martlet "),
        "commit": _first_line(["git", "-C", os.path.dirname(__file__), "rev-parse", "--short", "HEAD"]),
        "rustc": _first_line(["rustc", "--version"]),
        "python": platform.python_version(),
    }
    for package in ("duckdb", "chdb", "chdb-core", "datafusion", "adbc-driver-flightsql", "pyarrow"):
        said[package] = importlib.metadata.version(package)
    if postgres:
        said["postgresql"] = postgres
    return said


def _first_line(command):
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return (done.stdout.splitlines() or [""])[0].strip()


def _lines(path):
    try:
        with open(path, encoding="utf-8") as lines:
            return lines.read().splitlines()
    except OSError:
        return []


def _cpu():
    models = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return models[0] if models else platform.processor()


def _flags():
    flags = [line for line in _lines("/proc/cpuinfo") if line.startswith("flags")]
    return set(flags[0].split()) if flags else set()


def _memory():
    total = [line for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    return int(total[0].split()[1]) * 1024 if total else 0

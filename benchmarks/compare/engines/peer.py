"""What the peers have in common: JSON lines in, times and rows out.

Only running the statement and fetching all of its rows is timed, never their conversion to text.
"""

import json
import sys
import threading
import time
import traceback


class Peer:
    """An engine in this process. `config` is what the command line gave."""

    def __init__(self, config):
        self.config = config

    def open(self):
        raise NotImplementedError

    def close(self):
        raise NotImplementedError

    def load(self, spec):
        """Loads the tables of `spec`; gives seconds by step."""
        raise NotImplementedError

    def run(self, sql, principal):
        """Runs a statement and fetches every row: an Arrow table, or a list of rows and their types."""
        raise NotImplementedError

    def interrupt(self):
        """Breaks off what runs, where the engine can."""

    def cells(self, result, rows_max):
        """The rows as text, and the types of the columns."""
        types = [str(field.type) for field in result.schema]
        columns = [column.to_pylist() for column in result.slice(0, rows_max).columns]
        rows = [[text(cell) for cell in row] for row in zip(*columns)]
        return types, rows, result.num_rows


def text(cell):
    if cell is None:
        return None
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    if isinstance(cell, float):
        return repr(cell)
    if hasattr(cell, "isoformat"):
        return cell.replace(tzinfo=None).isoformat(" ") if hasattr(cell, "hour") else cell.isoformat()
    return str(cell)


def main(kind):
    peer = kind(json.loads(sys.argv[1]))
    answers = sys.stdout
    sys.stdout = sys.stderr
    peer.open()
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = _answer(peer, question)
        except Exception as error:
            if "load" in question:
                traceback.print_exc()
            answer = {"ok": False, "error": " ".join(str(error).split())[:500]}
        print(json.dumps(answer), file=answers, flush=True)
    peer.close()


def _answer(peer, question):
    if question.get("reopen"):
        peer.close()
        peer.open()
    if "load" in question:
        return {"ok": True, "seconds": peer.load(question["load"])}
    if not question.get("sql"):
        return {"ok": True}
    sql, principal = question["sql"], question.get("principal", "researcher")
    timeout = question.get("timeout", 60.0)
    first_ms, result = _timed(peer, sql, principal, timeout)
    types, rows, rows_out = peer.cells(result, question.get("rows_max", 0))
    del result
    times = [_timed(peer, sql, principal, timeout)[0] for _ in range(question.get("runs", 0))]
    return {"ok": True, "first_ms": first_ms, "times_ms": times, "rows_out": rows_out, "types": types, "rows": rows}


def _timed(peer, sql, principal, timeout):
    timer = threading.Timer(timeout, peer.interrupt)
    timer.daemon = True
    timer.start()
    try:
        start = time.perf_counter()
        result = peer.run(sql, principal)
        return (time.perf_counter() - start) * 1e3, result
    finally:
        timer.cancel()

"""A child process that answers JSON lines: every engine is one, Martlet's own included.

Gives up on a child that does not answer in time, ends it, and starts it anew for the next question.
"""

import json
import os
import selectors
import subprocess
import time


class Unanswered(Exception):
    """The child ended, or did not answer in time."""


class Child:
    def __init__(self, command, environment=None, log=None):
        self.command = [str(part) for part in command]
        self.environment = {**os.environ, **(environment or {})}
        self.log = log
        self.process = None
        self.peak_bytes = 0

    def start(self):
        error = open(self.log, "ab") if self.log else None
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=error, env=self.environment
        )
        if error:
            error.close()
        self.buffer = b""

    def ask(self, question, timeout):
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(question).encode() + b"\n")
            self.process.stdin.flush()
            return json.loads(self._line(timeout))
        except (BrokenPipeError, Unanswered) as error:
            self.end(kill=True)
            raise Unanswered(str(error) or "the engine's process ended") from error

    def _line(self, timeout):
        deadline = time.monotonic() + timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                left = deadline - time.monotonic()
                if left <= 0 or not selector.select(left):
                    raise Unanswered(f"no answer within {timeout:.0f} s")
                read = os.read(self.process.stdout.fileno(), 1 << 20)
                if not read:
                    raise Unanswered("the engine's process ended")
                self.buffer += read
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def note_memory(self):
        if self.process is not None and self.process.poll() is None:
            self.peak_bytes = max(self.peak_bytes, peak_resident(self.process.pid))

    def end(self, kill=False):
        if self.process is None:
            return
        self.note_memory()
        if kill:
            self.process.kill()
        else:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None


def peak_resident(pid):
    """The highest resident memory of a process so far, in bytes; 0 where it cannot be told."""
    return status(pid, "VmHWM")


def status(pid, name):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as lines:
            for line in lines:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0

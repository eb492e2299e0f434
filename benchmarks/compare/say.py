"""Progress, on standard error."""

import sys
import time

START = time.monotonic()


def say(text):
    minutes, seconds = divmod(int(time.monotonic() - START), 60)
    print(f"[{minutes:3d}:{seconds:02d}] {text}", file=sys.stderr, flush=True)

"""Shows that long work goes on: one line on standard error that is written over, and nothing where that is no terminal.

Owns that line alone. It has no colour, and a pipe or a log of CI sees nothing of it.
"""

import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager


class Line:
    """The line, with the seconds since it was begun."""

    def __init__(self) -> None:
        self._began, self._width = time.monotonic(), 0

    def show(self, what: str) -> None:
        """Write it over what stands there."""
        if sys.stderr.isatty():
            text = f"{what} {time.monotonic() - self._began:.0f} s"
            print(f"\r{text.ljust(self._width)}", end="", file=sys.stderr, flush=True)
            self._width = len(text)

    def clear(self) -> None:
        """Make room for what comes to stay."""
        if self._width:
            print(f"\r{' ' * self._width}\r", end="", file=sys.stderr, flush=True)
            self._width = 0


@contextmanager
def counting(what: str) -> Generator[None]:
    """Count the seconds that the block takes."""
    line, done = Line(), threading.Event()

    def count() -> None:
        while not done.wait(1):
            line.show(what)

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        line.clear()

"""What a long command says while it runs: on the error stream, so that output stays clean."""

from __future__ import annotations

import sys
import time


class Progress:
    """Says on the error stream what is going on, once a step has taken two seconds."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self.began = time.monotonic()

    def step(self, what: str) -> None:
        """Announce the next step."""
        if not self.quiet:
            sys.stderr.write(f"[{time.monotonic() - self.began:5.1f} s] {what}\n")
            sys.stderr.flush()

    def rows(self, n: int) -> None:
        """Announce how many rows are done, at most every two seconds."""
        now = time.monotonic()
        if not self.quiet and now - getattr(self, "_said", self.began) > 2:
            self._said = now
            self.step(f"{n:,} messages labelled ({n / (now - self.began):,.0f} a second)")

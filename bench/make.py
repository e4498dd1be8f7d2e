"""What a line of a Makefile costs when `penstock-sh` is its shell."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.installed import Installed
from bench.measure import Goal, Result, take_turns, timed

LINES = 200
MOST = 0.025
"""Seconds that a line may cost more than with /bin/sh."""


def bench_make(here: Installed, rounds: int | None) -> Result:
    """A Makefile of trivial recipes, by the shell that runs them; seconds a line."""
    shells = {
        "penstock-sh": f"{Path(here.penstock).with_name('penstock-sh')}",
        "/bin/sh": "/bin/sh",
        "bash": "/bin/bash",
    }
    with tempfile.TemporaryDirectory() as directory:
        peers = {
            name: _per_line(name, shell, Path(directory), here)
            for name, shell in shells.items()
        }
        seconds = take_turns(peers, rounds or 5)
    result = Result("make", f"a recipe line of {LINES}", seconds)
    more = result.median("penstock-sh") - result.median("/bin/sh")
    goal = Goal("penstock-sh", "/bin/sh", 1 + MOST / result.median("/bin/sh"))
    note = f"{more * 1000:.1f} ms more than /bin/sh (goal: at most {MOST * 1000:.0f})"
    return result._replace(goal=goal, notes=[note])


def _per_line(
    name: str, shell: str, directory: Path, here: Installed
) -> Callable[[], float]:
    makefile = directory / f"{name.replace('/', '_')}.mk"
    # `:;` keeps make from running `true` without a shell.
    makefile.write_text(f"SHELL = {shell}\nall:\n" + "\t@:; true\n" * LINES)
    run = timed(["make", "-f", str(makefile)], here.environment)
    return lambda: run() / LINES

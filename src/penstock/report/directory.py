"""The directory of a run: its journal and its logs, under a name of its own."""

from __future__ import annotations

import os
import time

ROOT = ".penstock/runs"
JOURNAL = "journal.jsonl"


def open_run_directory(now: float, pid: int, root: str = ROOT) -> str:
    """Make the directory of a new run, and return its path.

    It is called ``20261121-091500-PID`` (UTC, so that names sort by time, also on the
    night when the clocks go back), with ``-2`` and so on where that is taken: mkdir(2)
    decides, so that two runs never share one.

    Args:
        now: wall clock, seconds since 1970.
        pid: of this process.
        root: where runs are kept. What is above it gets a ``.gitignore`` when it is
            made here.

    Raises:
        OSError: the directory cannot be made.
    """
    home = os.path.dirname(root)
    if above := os.path.dirname(home):
        os.makedirs(above, exist_ok=True)
    if _make(home):
        with open(os.path.join(home, ".gitignore"), "w", encoding="ascii") as ignored:
            ignored.write("*\n")
    _make(root)
    name = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{pid}"
    directory, attempt = os.path.join(root, name), 1
    while not _make(directory):
        attempt += 1
        directory = os.path.join(root, f"{name}-{attempt}")
    return directory


def _make(directory: str) -> bool:
    """Make it; False if it is there already."""
    try:
        os.mkdir(directory)
    except FileExistsError:
        return False
    return True

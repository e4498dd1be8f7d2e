"""The directory of a run: its journal and its logs, under a name of its own."""

from __future__ import annotations

import time
from pathlib import Path

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
    runs = Path(root)
    runs.parent.parent.mkdir(parents=True, exist_ok=True)
    if _make(runs.parent):
        (runs.parent / ".gitignore").write_text("*\n", encoding="ascii")
    _make(runs)
    name = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{pid}"
    directory, attempt = runs / name, 1
    while not _make(directory):
        attempt += 1
        directory = runs / f"{name}-{attempt}"
    return str(directory)


def _make(directory: Path) -> bool:
    """Make it; False if it is there already."""
    try:
        directory.mkdir()
    except FileExistsError:
        return False
    return True

"""Cells: one victim, run by one tool, ended in one way; and what came of it.

Each cell is run in a PID namespace of its own (`cage`), in which everything that is
alive when the tool is gone was left by it: nothing has to be marked, and nothing can
hide.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
AT_ONCE = 3
NOBODY = 65534
NEVER_READY = "the victim never was ready"

CAGE = ("unshare", "-fp", "--mount-proc", "--kill-child")


class Cell(NamedTuple):
    """What to do.

    Attributes:
        name: of the cell, for whoever reads the results.
        argv: the tool, with the victim.
        signal: sent once the victim is ready; 0 waits for the tool to end it.
        layers: whom it is sent to, in one instant: "U" the tool, "G" its whole group,
            "N" the nursery, "W" every worker; "UU" sends it twice, a moment apart.
        files: written before the start, by name; "{ready}" in them is $READY.
        delay: seconds from the victim's readiness, or from the start if `early`.
        early: do not wait for the victim.
        nobody: as an unprivileged user.
        patience: seconds after which a tool that has not ended is said to hang.
        ready: seconds in which the victim must be ready.
    """

    name: str
    argv: tuple[str, ...]
    signal: int = 0
    layers: str = "U"
    files: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    early: bool = False
    nobody: bool = False
    patience: float = 60.0
    ready: float = 60.0


class Fate(NamedTuple):
    """What came of a cell.

    Attributes:
        name: of the cell.
        status: of the tool, negative for a signal; None if it had to be killed.
        at_return: command lines of what was alive when the tool was gone.
        survivors: what still was some seconds after that.
        seconds: from the signal (or the start) until the tool was gone.
        clean: from the signal (or the tool's end, without one) until nothing was left;
            None if something was.
        err: what the tool said, the end of it.
    """

    name: str
    status: int | None
    at_return: tuple[str, ...]
    survivors: tuple[str, ...]
    seconds: float
    clean: float | None
    err: str


def can_cage() -> bool:
    """Whether PID namespaces can be had: unshare(1), and the right to use it."""
    if shutil.which("unshare") is None or os.getuid() != 0:
        return False
    return (
        subprocess.run([*CAGE, "true"], capture_output=True, check=False).returncode
        == 0
    )


def run_cells(cells: Iterable[Cell], directory: Path) -> Iterator[Fate]:
    """Run `cells`, a few at a time, each in an empty namespace; fates in their order.

    Args:
        cells: what to do.
        directory: to work in; everybody may write there afterwards.
    """
    directory.chmod(0o777)

    def run(number: int, cell: Cell) -> Fate:
        return _run_cell(cell, directory / str(number))

    with ThreadPoolExecutor(AT_ONCE) as threads:  # most of the time is waiting
        yield from threads.map(run, count(), cells)


def _run_cell(cell: Cell, place: Path) -> Fate:
    place.mkdir()
    place.chmod(0o777)
    for name, text in cell.files:
        (place / name).write_text(text.replace("{ready}", str(place / "ready")))
    done = subprocess.run(
        [*CAGE, sys.executable, "-m", "tests.matrix.cage", place],
        input=json.dumps(cell),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=240,
    )
    if done.returncode:
        raise AssertionError(f"the cage broke: {done.stderr}")
    told = json.loads(done.stdout)
    return Fate(told[0], told[1], tuple(told[2]), tuple(told[3]), *told[4:])

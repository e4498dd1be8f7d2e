"""Claimant: a run that has claimed what it writes, as it tells of itself."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence

from penstock.errors import PenstockError
from penstock.proc.marker import RunName, run_marker
from penstock.typed import NamedTuple

_MOST_SHOWN = 5
_END_OF_TIME = 1e11  # seconds since 1970: some thousand years, which localtime(3) takes


class Claimant(NamedTuple):
    """A run that has claimed what it writes.

    Attributes:
        run: its name.
        marker: of its processes.
        command: its command line.
        since: wall clock, seconds since 1970.
        outputs: the real paths of all that it writes.
    """

    run: str
    marker: str
    command: str
    since: float
    outputs: tuple[str, ...]

    @property
    def is_alive(self) -> bool | None:
        """Whether its user's process is; None if that cannot be known here."""
        name = RunName.read(self.marker)
        return name.is_alive() if name is not None and name.is_known() else None

    @property
    def is_dying(self) -> bool:
        """Whether its user's process is gone, so that the rest will be in a moment."""
        return self.is_alive is False

    @property
    def way_to_end(self) -> str:
        """What to type to end it; "" if nothing here could."""
        name = RunName.read(self.marker)
        if name is None or not name.is_known():
            return ""
        return f"penstock stop {name.pid}" if name.is_alive() else "penstock reap"


def claimant(run: str, command: str, since: float) -> Claimant:
    """This run, before it has claimed anything."""
    return Claimant(run, run_marker(), command, since, ())


def decode(data: bytes) -> Claimant | None:
    """What a file says; None if it says nothing, as its run has not yet claimed."""
    try:
        about, *outputs = [json.loads(line) for line in data.splitlines()]
    except (ValueError, RecursionError):
        return None
    match about:
        case {
            "run": str(run),
            "marker": str(marker),
            "command": str(command),
            "since": float(since),
        } if 0 <= since < _END_OF_TIME:
            return Claimant(run, marker, command, since, tuple(map(str, outputs)))
        case _:
            return None


def refusal(claimant: Claimant, taken: Sequence[str]) -> PenstockError:
    """Another run makes the same outputs."""
    name = RunName.read(claimant.marker)
    pid = f"PID {name.pid}, " if name else ""
    since = time.strftime("%H:%M:%S", time.localtime(claimant.since))
    shown = ", ".join(_near(path) for path in taken[:_MOST_SHOWN])
    more = len(taken) - _MOST_SHOWN
    way = claimant.way_to_end
    return PenstockError(
        f"another run is making {shown}"
        + (f" and {more} more" if more > 0 else "")
        + f": {claimant.run} ({pid}`{claimant.command}`, since {since})\n"
        "hint: wait until it is over, or end it" + (f": `{way}`" if way else "")
    )


def _near(path: str) -> str:
    """A path as one would type it here."""
    near = os.path.relpath(path)
    return path if near.startswith("..") else near

"""Pressure: whether the machine has so much to do that no job should be started now.

The load is the number of tasks that run or could run, at this moment, without us; the
averages of the kernel tell of the last minute, and not of what was started just now.
"""

from __future__ import annotations

from penstock.clock import Clock
from penstock.typed import NamedTuple

_AGAIN = 0.5  # seconds until the next look
_SETTLE = 0.05  # seconds in which a start shows
_KIB = 1024


class Bounds(NamedTuple):
    """Within what the machine must be, so that a job is started.

    Attributes:
        load: fewer running tasks than that.
        memory: so many bytes that are free, or would be at need.
    """

    load: float | None = None
    memory: int | None = None


class Pressure:
    """Says how long to wait with a start."""

    def __init__(self, bounds: Bounds, clock: Clock, proc: str = "/proc") -> None:
        """Keep to `bounds`; `proc` is where proc(5) is."""
        self._bounds = bounds
        self._clock = clock
        self._proc = proc
        self._look_at = 0.0

    def pause(self) -> float:
        """Seconds until a job may be started, or it is to be asked again; 0: now."""
        now = self._clock.now()
        if now < self._look_at:
            return self._look_at - now
        load, memory = self._bounds
        beyond = (load is not None and self._running() >= load) or (
            memory is not None and self._available() < memory
        )
        wait = _AGAIN if beyond else _SETTLE
        self._look_at = now + wait
        return wait if beyond else 0.0

    def _running(self) -> int:
        """From the fourth field of loadavg: "2/345"; this process is one of them."""
        with open(f"{self._proc}/loadavg", "rb") as file:
            return int(file.read().split()[3].partition(b"/")[0]) - 1

    def _available(self) -> int:
        with open(f"{self._proc}/meminfo", "rb") as file:
            for line in file:
                if line.startswith(b"MemAvailable:"):
                    return int(line.split()[1]) * _KIB
        return 0

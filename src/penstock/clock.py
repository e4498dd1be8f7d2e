"""Time, as a thing that can be handed in.

Durations and deadlines are float seconds on the monotonic clock; wall time is
only ever printed.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, for people; never for a deadline."""
        ...


class MonotonicClock:
    """The machine's own clocks (clock_gettime(2): CLOCK_MONOTONIC, CLOCK_REALTIME)."""

    def now(self) -> float:
        """Seconds of CLOCK_MONOTONIC."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds of CLOCK_REALTIME."""
        return time.time()

"""Time, as a thing that can be handed in.

Durations and deadlines are float seconds on the monotonic clock; wall time is
only ever printed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from penstock.typed import Protocol

LONGEST_WAIT = 2_000_000.0
"""Seconds to wait in one go: poll(2) and epoll_wait(2) take 24 days at the most."""


class Clock(Protocol):
    """What tells the time."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""
        ...

    def wall(self) -> float:
        """Seconds since 1970, for people; never for a deadline."""
        ...


class MonotonicClock:
    """The machine's own clocks (clock_gettime(2): CLOCK_MONOTONIC, CLOCK_REALTIME).

    `now` and `wall` are the functions of `time` themselves: a worker asks many times.
    """

    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)


class RunningClock:
    """A `Clock` that stands still at times, as those do whose time it tells.

    Args:
        clock: tells how long that is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost = 0.0

    def now(self) -> float:
        """Seconds on the clock, but for those in which this one stood still."""
        return self._clock.now() - self._lost

    def wall(self) -> float:
        """Seconds since 1970; they stand still for nobody."""
        return self._clock.wall()

    def stand_still(self, act: Callable[[], None]) -> None:
        """Stand still while `act` lasts."""
        now = self.now()
        act()
        self._lost += self.now() - now

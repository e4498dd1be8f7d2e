"""A job that stands still: its processes, and the time that it has."""

from __future__ import annotations

from penstock.clock import Clock
from penstock.proc.signals import SIGCONT, SIGSTOP, signal_tree


class Pausable:
    """A `Clock` that can be stopped, and with it everything below this process.

    What is counted on it (timeouts, lingering, how long a command ran) does not go on
    while the processes do not.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lost = 0.0
        self._since: float | None = None
        self.now = clock.now  # until it was stopped for the first time

    def wall(self) -> float:
        """As of the clock below."""
        return self._clock.wall()

    def pause(self) -> None:
        """Stop every process below this one, and the clock."""
        if self._since is None:
            self._since = self._clock.now()
            self.now = self._now
        signal_tree(SIGSTOP)
        signal_tree(SIGSTOP)  # what was forked while we looked

    def resume(self) -> None:
        """Let the processes go on, if they were stopped here, and the clock."""
        if self._since is not None:
            self._lost += self._clock.now() - self._since
            self._since = None
            signal_tree(SIGCONT)

    def _now(self) -> float:
        """Seconds, without those in which it was stopped."""
        now = self._clock.now() if self._since is None else self._since
        return now - self._lost

"""Progress in lines, for what is no terminal: one now and then.

No thread and no timer: the run's own wake-ups, and no more of them than lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from penstock.cli.printing import tell
from penstock.clock import Clock
from penstock.executor.attended import Refusal
from penstock.model.event import Event, Interrupted, RunEnded, RunStarted
from penstock.report.progress import Progress, View


class Ticker:
    """Tells on standard error how far a run is (`Sink`, `Attendant`).

    Nothing is told twice; at the end of the run, how it ended.

    Args:
        progress: how far it is.
        line: of a view at a time on the wall clock.
        every: seconds from one line to the next, at the least.
        clock: the time.
    """

    def __init__(
        self,
        progress: Progress,
        line: Callable[[View, float], str],
        every: float,
        clock: Clock,
    ) -> None:
        self._progress = progress
        self._line = line
        self._every = every
        self._clock = clock
        self._next = clock.now() + every
        self._has_news = False

    def receive(self, event: Event) -> None:
        """Note an event; at the last one, tell how it ended."""
        self._progress.receive(event)
        if isinstance(event, RunEnded):
            self._tell()
        elif not isinstance(event, (RunStarted, Interrupted)):
            self._has_news = True

    def due(self) -> float | None:
        """When a line is to be told, if there is one to tell."""
        return self._next if self._has_news else None

    def attend(self) -> Iterable[Refusal]:
        """Tell it, if it is time."""
        now = self._clock.now()
        if self._has_news and now >= self._next:
            self._tell()
            self._next = now + self._every
        return ()

    def stand_still(self) -> None:
        """There is nothing to take away."""

    def close(self) -> None:
        """There is nothing to take away."""

    def _tell(self) -> None:
        self._has_news = False
        wall = self._clock.wall()
        tell(self._line(self._progress.view(wall), wall) + "\n")

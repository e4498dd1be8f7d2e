"""Progress, drawn below what is printed on the terminal, and taken away before more is.

No thread and no timer: the run's own wake-ups draw it. The cursor is never hidden, and
each drawing is one write(2), so that whatever kills us leaves a usable terminal.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from penstock.cli import printing
from penstock.clock import Clock
from penstock.executor.attended import Refusal
from penstock.model.event import Event, RunEnded
from penstock.report.progress import Progress
from penstock.typed import Protocol

_FIRST = 0.5  # seconds; a shorter run is over before there is anything to see
_EVERY = 0.5  # seconds from one drawing to the next
_AGAIN = 0.1  # seconds after it was taken away
_LOOK = 1.0  # seconds from one look at the memory of jobs to the next
_LINE_END = 1.0  # seconds in which a line that was begun may be ended by its job
_UP, _CLEAR = "\x1b[A", "\x1b[J"


class Screen(Protocol):
    """What prints on the terminal that is drawn on.

    Attributes:
        is_mid_line: the last byte printed did not end a line.
    """

    is_mid_line: bool


class Bar:
    """Draws a run on standard error, which is a terminal (`Sink`, `Attendant`).

    Args:
        progress: how far it is.
        clock: the time.
        colour: whether to colour it.
        screen: what prints on the same terminal; None if nothing does. A line that it
            has begun is left alone.
        tall: whether each job that runs has a line.

    Attributes:
        memory: tells the bytes that each running job holds, as far as it is known.
    """

    def __init__(
        self,
        progress: Progress,
        clock: Clock,
        *,
        colour: bool,
        screen: Screen | None,
        tall: bool = True,
    ) -> None:
        self._progress = progress
        self._tall = tall
        self._clock = clock
        self._colour = colour
        self.memory: Callable[[], Mapping[str, int]] = dict
        self._held: tuple[float, Mapping[str, int]] = (-_LOOK, {})
        self._screen = screen
        self._lines = 0  # that are drawn now
        self._drawn: list[str] = []  # when it was drawn last
        self._first = self._lifted_at = clock.now() + _FIRST
        self._next: float | None = self._first
        printing.clear_the_way = self.lift

    def receive(self, event: Event) -> None:
        """Note an event; the last one takes all away."""
        self._progress.receive(event)
        if isinstance(event, RunEnded):
            self.close()

    def lift(self) -> None:
        """Take it away, until it is drawn again."""
        if self._lines:
            self._put(self._erasure())
            self._lines = 0
        self._lifted_at = now = self._clock.now()
        if self._next is not None:
            self._next = max(self._first, now + _AGAIN)

    def close(self) -> None:
        """Take it away for good."""
        self.lift()
        self._next = None
        printing.clear_the_way = None

    def due(self) -> float | None:
        """When it is to be drawn."""
        return self._next

    def attend(self) -> Iterable[Refusal]:
        """Draw, if it is time."""
        now = self._clock.now()
        if self._next is not None and now >= self._next:
            self._next = now + _EVERY
            if _is_ours():
                self._draw(now)
        return ()

    def stand_still(self) -> None:
        """Leave the terminal to others."""
        self.lift()

    def _draw(self, now: float) -> None:
        from penstock.report.bar import draw  # noqa: PLC0415 (takes long: rich)

        begin = self._erasure()
        if self._screen is not None and self._screen.is_mid_line:
            if now - self._lifted_at < _LINE_END:
                return
            self._screen.is_mid_line = False
            begin = "\r\n"
        view = self._progress.view(self._clock.wall())
        memory = self._look(now)
        lines = draw(view, memory, _extent(), colour=self._colour, tall=self._tall)
        if not self._lines or lines != self._drawn:
            self._put(begin + "\r\n".join(lines))
        self._lines, self._drawn = len(lines), lines

    def _look(self, now: float) -> Mapping[str, int]:
        """What the jobs hold, as of a second ago at the most."""
        if now - self._held[0] >= _LOOK:
            self._held = now, self.memory()
        return self._held[1]

    def _erasure(self) -> str:
        return "\r" + _UP * (self._lines - 1) + _CLEAR if self._lines else ""

    def _put(self, text: str) -> None:
        try:
            printing.put_past(text.encode(errors="replace"))
        except OSError:  # the terminal is gone, and there is nobody to tell
            self._next = None


def _extent() -> tuple[int, int]:
    """Columns and rows of the terminal."""
    try:
        columns, rows = os.get_terminal_size(2)
    except OSError:
        columns, rows = 0, 0
    return columns or 80, rows or 24


def _is_ours() -> bool:
    """Whether we may draw: not from the background, where a shell uses the terminal."""
    try:
        return os.tcgetpgrp(2) == os.getpgrp()
    except OSError:  # it is not the terminal of our session: nobody's else
        return True

"""How far a run of `map` is, shown as the line asks for it: `--bar`, `--progress`."""

from __future__ import annotations

import os
from collections.abc import Callable

from penstock.cli.bar import Bar, Screen
from penstock.cli.lines.map import MapOptions
from penstock.cli.map_outputs import is_straight
from penstock.cli.streams import colour
from penstock.cli.ticker import Ticker
from penstock.clock import MonotonicClock
from penstock.errors import UsageError
from penstock.report.progress import Progress, Prospect
from penstock.report.progress_line import json_line, plain_line

_PLAIN_EVERY = 10.0  # seconds
_JSON_EVERY = 1.0


Shown = Bar | Ticker
"""What shows it, as a `Sink` and an `Attendant`; to be closed at the end."""


def show(
    given: MapOptions, screen: Screen | None, look_ahead: Callable[[], Prospect]
) -> tuple[Shown, ...]:
    """What the line asks for.

    Args:
        given: the line.
        screen: what prints on the terminal that would be drawn on, if anything does.
        look_ahead: see `Progress`.

    Raises:
        UsageError: it asks for what does not go together.
    """
    if given.bar and given.json:
        raise UsageError("--json leaves no place for --bar and --eta: write --progress")
    clock = MonotonicClock()
    shown: list[Shown] = []
    if given.progress:
        progress = Progress(None, look_ahead)
        shown.append(Ticker(progress, json_line, _JSON_EVERY, clock))
    if not given.bar:
        return tuple(shown)
    progress = Progress(None, look_ahead)
    if _is_drawn(given):
        bar = Bar(progress, clock, colour=colour(), screen=screen, tall=False)
        return (*shown, bar)
    return (*shown, Ticker(progress, plain_line, _PLAIN_EVERY, clock))


def _is_drawn(given: MapOptions) -> bool:
    """Whether a bar is drawn: on a terminal that is not the commands' own."""
    has_place = os.isatty(2) and os.environ.get("TERM", "dumb") != "dumb"
    return has_place and not is_straight(given)

"""The view of a run as lines for a terminal, made by rich.

Importing this takes as long as five short commands, so it is done when the first lines
are drawn, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from penstock.report.plain import visible
from penstock.report.progress import Running, View, whole_seconds
from penstock.report.words import duration, size

_WIDEST_NAME = 32
_BAR = 20
_NARROW = 60  # columns, below which there is room for one line only


def draw(
    view: View,
    memory: Mapping[str, int],
    extent: tuple[int, int],
    *,
    colour: bool,
    tall: bool = True,
) -> list[str]:
    """The lines, each shorter than the terminal is wide.

    Args:
        view: what is to be seen.
        memory: bytes that each running job holds, as far as it is known.
        extent: columns and rows of the terminal.
        colour: whether to colour them.
        tall: whether each job that runs has a line.
    """
    columns, rows = extent
    console = Console(
        file=StringIO(),
        force_terminal=True,
        force_jupyter=False,
        width=max(1, columns - 1),
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        emoji=False,
        highlight=False,
        markup=False,
    )
    is_wide = columns >= _NARROW
    is_tall = tall and is_wide
    most = max(0, rows // 2 - 1) if is_tall else 0
    with console.capture() as captured:
        if is_wide and view.total:
            console.print(_with_bar(view, view.total))
        else:
            console.print(_head(view), no_wrap=True, overflow="ellipsis")
        if view.running and most:
            console.print(_table(view.running[:most], memory))
        if is_tall and len(view.running) > most:
            console.print(Text(f"  and {len(view.running) - most} more"))
    return [line.rstrip() for line in captured.get().splitlines()][: max(1, rows - 1)]


def _with_bar(view: View, total: int) -> Table:
    """The head behind a bar."""
    row = Table.grid(padding=(0, 2))
    row.add_column()
    row.add_column(no_wrap=True, overflow="ellipsis")
    row.add_row(ProgressBar(total, view.done, width=_BAR), _head(view))
    return row


def _head(view: View) -> Text:
    """How far it is; what failed in red."""
    parts = [
        Text(part, style="red" if part.endswith(" failed") else "")
        for part in view.headline
    ]
    return Text("  ").join(parts)


def _table(running: tuple[Running, ...], memory: Mapping[str, int]) -> Table:
    """A line for each job."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=_WIDEST_NAME)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for each in running:
        held = memory.get(each.name)
        table.add_row(
            Text("  " + visible(each.name)),
            Text(_time(each)),
            Text("" if held is None else size(held)),
            Text(_what(each), style="dim"),
        )
    return table


def _time(running: Running) -> str:
    elapsed = whole_seconds(running.elapsed)
    if running.timeout is None:
        return elapsed
    return f"{elapsed} of {duration(running.timeout)}"


def _what(running: Running) -> str:
    stages = visible(" | ".join(running.stages))
    again = f"attempt {running.attempt}: " if running.attempt > 1 else ""
    return f"{again}{stages}" + (" (service)" if running.is_service else "")

"""The line of ``penstock graph``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penstock.cli.lines.shared import SET, SET_FILE
from penstock.cli.options import DEFAULT_FILE, NO_SETTINGS, read_path
from penstock.cli.syntax import Operand, Option, Subcommand
from penstock.typed import NamedTuple

FORMATS = ("text", "mermaid", "dot", "svg", "make")


class GraphOptions(NamedTuple):
    """``penstock graph``; what was not given is as here."""

    file: str | None = None
    format: str = FORMATS[0]
    settings: Mapping[str, str] = NO_SETTINGS
    setting_files: Mapping[str, str] = NO_SETTINGS


def read_format(texts: Sequence[str]) -> str:
    """One of `FORMATS`."""
    if texts[-1] not in FORMATS:
        raise ValueError(f"expected one of {', '.join(FORMATS)}")
    return texts[-1]


LINE = Subcommand(
    "graph",
    "penstock.cli.graph",
    GraphOptions,
    "[OPTIONS] [FILE]",
    "Draw the jobs of a definition file, and the commands inside of them.",
    "penstock graph --format svg >jobs.svg",
    f"FILE is {DEFAULT_FILE} unless it is named. Nothing is run.",
    Operand("file", "FILE", read_path, repeats=False),
    (
        Option(
            "format",
            ("-f", "--format"),
            f"How to draw: {', '.join(FORMATS)}. [default: {FORMATS[0]}]",
            read_format,
            "FORMAT",
        ),
        SET,
        SET_FILE,
    ),
)

"""The command line in one table: every subcommand, and where its line is told.

Two readers use it, so that they cannot differ: `fast` for the lines that stand in
Makefiles, Typer (`app`) for help, errors and everything unusual. A reader only sorts
the words of a line; what they mean is said in `lines`, one module for each subcommand,
and carried out by `syntax.build`.

Part of the hot path, so a line is imported only when it was typed.
"""

from __future__ import annotations

from importlib import import_module

from penstock.cli.syntax import Subcommand

NAMES = (
    "run",
    "pipe",
    "map",
    "exec",
    "check",
    "graph",
    "schema",
    "init",
    "why",
    "ps",
    "stop",
    "reap",
    "doctor",
    "sh",
)  # in the order of the help


def find(name: str) -> Subcommand | None:
    """The subcommand of that name."""
    if name not in NAMES:
        return None
    line: Subcommand = import_module(f"penstock.cli.lines.{name}").LINE
    return line


def subcommands() -> tuple[Subcommand, ...]:
    """All of them, in the order of the help."""
    return tuple(line for name in NAMES if (line := find(name)) is not None)

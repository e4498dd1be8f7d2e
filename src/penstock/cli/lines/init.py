"""The line of ``penstock init``."""

from __future__ import annotations

from penstock.cli.options import DEFAULT_FILE, read_path
from penstock.cli.syntax import Operand, Subcommand
from penstock.typed import NamedTuple


class InitOptions(NamedTuple):
    """``penstock init``; what was not given is as here."""

    file: str | None = None


LINE = Subcommand(
    "init",
    "penstock.cli.init",
    InitOptions,
    "[OPTIONS] [FILE]",
    "Write a definition file to begin with, and its JSON Schema for editors.",
    "penstock init && penstock run",
    f"FILE is {DEFAULT_FILE} unless it is named; the schema stands beside it. What is "
    "there already is left alone.",
    Operand("file", "FILE", read_path, repeats=False),
    (),
)

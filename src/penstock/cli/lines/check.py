"""The line of ``penstock check``."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.cli.lines.shared import JSON, QUIET, SET, SET_FILE
from penstock.cli.options import DEFAULT_FILE, NO_SETTINGS, read_path
from penstock.cli.syntax import Operand, Subcommand
from penstock.typed import NamedTuple


class CheckOptions(NamedTuple):
    """``penstock check``; what was not given is as here."""

    file: str | None = None
    settings: Mapping[str, str] = NO_SETTINGS
    setting_files: Mapping[str, str] = NO_SETTINGS
    quiet: bool = False
    json: bool = False


LINE = Subcommand(
    "check",
    "penstock.cli.check",
    CheckOptions,
    "[OPTIONS] [FILE]",
    "Tell everything that is wrong with a definition file, and run nothing.",
    "echo 'jobs: {hello: {rum: echo hello}}' | penstock check /dev/stdin",
    f"FILE is {DEFAULT_FILE} unless it is named.",
    Operand("file", "FILE", read_path, repeats=False),
    (
        SET,
        SET_FILE,
        QUIET._replace(help="Tell mistakes and warnings only."),
        JSON._replace(help="Tell it in JSON, on standard output."),
    ),
)

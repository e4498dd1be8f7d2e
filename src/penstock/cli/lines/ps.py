"""The line of ``penstock ps``."""

from __future__ import annotations

from penstock.cli.lines.shared import JSON
from penstock.cli.syntax import NO_OPERAND, Subcommand
from penstock.typed import NamedTuple


class PsOptions(NamedTuple):
    """``penstock ps``; what was not given is as here."""

    json: bool = False


LINE = Subcommand(
    "ps",
    "penstock.cli.ps",
    PsOptions,
    "[OPTIONS]",
    "Tell which runs are alive, and which commands they run.",
    "penstock ps",
    "Those of this user, and of programs that use the library too. The status is 0, "
    "also if there is none.",
    NO_OPERAND,
    (JSON._replace(help="Tell it in JSON, one run on each line."),),
)

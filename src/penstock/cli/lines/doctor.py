"""The line of ``penstock doctor``."""

from __future__ import annotations

from penstock.cli.lines.shared import JSON
from penstock.cli.syntax import NO_OPERAND, Subcommand
from penstock.typed import NamedTuple


class DoctorOptions(NamedTuple):
    """``penstock doctor``; what was not given is as here."""

    json: bool = False


LINE = Subcommand(
    "doctor",
    "penstock.cli.doctor",
    DoctorOptions,
    "[OPTIONS]",
    "Try what this machine can do, and tell which promises of penstock that weakens.",
    "penstock doctor",
    "Nothing is changed. The status is 1 if there is a promise that cannot be kept "
    "here at all.",
    NO_OPERAND,
    (JSON._replace(help="Tell it in JSON."),),
)

"""The line of ``penstock why``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from penstock.cli.lines.shared import JSON, SET, SET_FILE, split_target
from penstock.cli.options import DEFAULT_FILE, NO_SETTINGS
from penstock.cli.syntax import Operand, Subcommand
from penstock.typed import NamedTuple


class WhyOptions(NamedTuple):
    """``penstock why``; what was not given is as here."""

    operands: tuple[str, ...] = ()
    settings: Mapping[str, str] = NO_SETTINGS
    setting_files: Mapping[str, str] = NO_SETTINGS
    json: bool = False

    def target(self, exists: Callable[[str], bool]) -> tuple[str, tuple[str, ...]]:
        """The definition file, and the jobs that are asked about (none: all).

        Args:
            exists: whether there is a file of that name.
        """
        return split_target(self.operands, exists)


LINE = Subcommand(
    "why",
    "penstock.cli.why",
    WhyOptions,
    "[OPTIONS] [FILE] [JOB]...",
    "Tell which jobs are up to date, and why the others will be run; run nothing.",
    "penstock why penstock.yaml",
    f"FILE is {DEFAULT_FILE}, unless the first word contains a /, ends in .yaml or "
    ".yml, or is the name of a file. A JOB may have a `for`: then it is all that it "
    "makes.",
    Operand("operands", "FILE JOB...", tuple),
    (
        SET,
        SET_FILE,
        JSON._replace(help="Tell it in JSON, one job on each line."),
    ),
)

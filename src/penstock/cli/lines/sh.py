"""The line of ``penstock sh``, for the help; `make.shell_line` reads the words."""

from __future__ import annotations

from penstock.cli.lines.shared import GRACE, LINGER, TIMEOUT
from penstock.cli.syntax import Operand, Subcommand
from penstock.typed import NamedTuple


class ShellOptions(NamedTuple):
    """``penstock sh``; what was not given is as here."""

    recipe: tuple[str, ...]
    timeout: float | None = None
    grace: float | None = None
    linger: float | None = None


LINE = Subcommand(
    "sh",
    "penstock.cli.sh",
    ShellOptions,
    "[OPTIONS] [SHELL OPTIONS] -c RECIPE",
    "Be the shell of make: SHELL = penstock-sh.",
    "penstock sh -t 5 -c 'sort names | head -1'",
    "Each recipe has a deadline, fails when a command of its pipeline does, and leaves "
    "nothing behind. `penstock sh --help` tells more.",
    Operand("recipe", "-c RECIPE", tuple, required=True),
    (TIMEOUT, GRACE, LINGER),
    stops=True,
)

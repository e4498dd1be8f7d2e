"""The program, from its first word to its exit status; and what comes up to the top."""

from __future__ import annotations

import os
import sys

from penstock._version import __version__
from penstock.cli.printing import say, tell
from penstock.errors import DefinitionError, PenstockError, shortage
from penstock.proc.stdio import occupy_stdio

TYPE_CHECKING = False  # `typing` takes 8 ms to import, before the fork
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock.executor.nursery import Nursery

RUNNING = ("exec", "map", "pipe", "run")  # subcommands that start commands
_FOREGROUND = "--foreground"
_JOBSERVER = "--jobserver"
_TROUBLE = 125


def main(argv: Sequence[str]) -> int:
    """Do what the line says; the exit status.

    Args:
        argv: without the name of the program.
    """
    return answer_for(lambda: _run(argv))


def answer_for(act: Callable[[], int]) -> int:
    """The status that `act` returns; or that of its error, after telling the user.

    The only place that catches everything. What the user can mend is 2, what penstock
    could not do is 125, as where the machine runs out of something, and so is a bug,
    which alone is told with its traceback.
    """
    try:
        return act()
    except DefinitionError as error:
        return _refuse_definition(error)
    except PenstockError as error:
        tell(f"penstock: {_visible(str(error))}\n")
        return error.status
    except Exception as error:  # noqa: BLE001 (the only one: whatever it is)
        lacking = shortage(error)
        if lacking is None:
            _report_bug()
        else:
            tell(f"penstock: {_visible(lacking)}\n")
        return _TROUBLE


def _run(argv: Sequence[str]) -> int:
    """Fork the nursery if one will be needed; then do what the line says."""
    occupy_stdio()
    if argv and argv[0] == "--version":
        return say(0, out=f"penstock {__version__}\n")
    if argv and argv[0] == "sh":  # has its own reader, and its own processes
        from penstock.cli.sh import run_shell  # noqa: PLC0415 (only if used)

        return run_shell(argv[1:])
    # Before we import what it does not need: it stays small, and imports what it alone
    # needs meanwhile.
    nursery = _fork_nursery(argv) if _is_to_run(argv) else None
    try:
        from penstock.cli.dispatch import dispatch  # noqa: PLC0415 (after the fork)

        return dispatch(argv, nursery)
    finally:
        if nursery is not None:
            nursery.close()
            if nursery.jobserver is not None:
                nursery.jobserver.give_back()


def _fork_nursery(argv: Sequence[str]) -> Nursery:
    from penstock.executor.nursery import fork_nursery  # noqa: PLC0415 (only if used)

    jobserver = None  # the nursery has to know of it from the start
    if any(word.startswith(_JOBSERVER) for word in argv) or (
        _JOBSERVER in os.environ.get("MAKEFLAGS", "")
    ):
        from penstock.make.prepare import prepare  # noqa: PLC0415 (only if used)

        jobserver = prepare(argv, os.environ)
    return fork_nursery(jobserver, foreground=_FOREGROUND in _before_command(argv))


def _is_to_run(argv: Sequence[str]) -> bool:
    """Whether this line starts commands, as far as a glance can tell."""
    if not argv or argv[0] not in RUNNING:
        return False
    words = _before_command(argv)
    return "--help" not in words and "-h" not in words


def _before_command(argv: Sequence[str]) -> Sequence[str]:
    return argv[: argv.index("--")] if "--" in argv else argv


def _refuse_definition(error: DefinitionError) -> int:
    """Show every mistake as compilers do: its place comes first, for editors."""
    number = len(error.mistakes)
    mistakes = "1 mistake" if number == 1 else f"{number} mistakes"
    lines = (*map(_visible, error.mistakes), f"penstock: {mistakes}, nothing was run")
    tell("\n".join(lines) + "\n")
    return error.status


def _report_bug() -> None:
    from traceback import format_exc  # noqa: PLC0415 (only now)

    python = sys.version.partition(" ")[0]
    tell(
        f"penstock: this is a bug in penstock {__version__} (Python {python}, "
        f"Linux {os.uname().release}); please report it, with these lines:\n"
        + format_exc()
    )


def _visible(text: str) -> str:
    try:
        from penstock.report.plain import visible  # noqa: PLC0415 (only now)
    except (OSError, MemoryError):  # what is to be told may be that nothing is left
        return "\n".join(ascii(line)[1:-1] for line in text.split("\n"))
    return visible(text)

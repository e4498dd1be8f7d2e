"""The program, from its first word to its exit status; and what comes up to the top."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from io import StringIO
from typing import TYPE_CHECKING

from penstock._version import __version__
from penstock.cli.fast import parse_fast
from penstock.cli.options import (
    Answer,
    CheckOptions,
    ExecOptions,
    Options,
    PipeOptions,
    RunOptions,
)
from penstock.cli.table import find
from penstock.errors import DefinitionError, PenstockError, UsageError
from penstock.proc.stdio import occupy_stdio

if TYPE_CHECKING:
    from penstock.executor.nursery import Nursery

_USAGE = 2
_TROUBLE = 125
_SIGPIPE = 128 + 13  # what a shell says of a command that died of it


def main(argv: Sequence[str]) -> int:
    """Do what the line says; the exit status.

    Args:
        argv: without the name of the program.
    """
    return answer_for(lambda: _run(argv))


def answer_for(act: Callable[[], int]) -> int:
    """The status that `act` returns; or that of its error, after telling the user.

    The only place that catches everything. What the user can mend is 2, what penstock
    could not do is 125, and so is a bug, which alone is told with its traceback.
    """
    try:
        return act()
    except DefinitionError as error:
        return _refuse_definition(error)
    except PenstockError as error:
        _tell(f"penstock: {_visible(str(error))}\n")
        return _USAGE if isinstance(error, UsageError) else _TROUBLE
    except Exception:  # noqa: BLE001 (the only one: whatever it is, it is a bug)
        _report_bug()
        return _TROUBLE


def _run(argv: Sequence[str]) -> int:
    """Fork the nursery if one will be needed, read the line, and do what it says."""
    occupy_stdio()
    if argv and argv[0] == "--version":
        return _say(Answer(0, out=f"penstock {__version__}\n"))
    # Before anything heavy is imported: it stays as small as we are now.
    nursery = _fork_nursery() if _is_to_run(argv) else None
    try:
        given = _read(argv)
        if isinstance(given, Answer):
            return _say(given)
        if isinstance(given, CheckOptions):
            return _say(_check(given))
        nursery = nursery or _fork_nursery()
        return _start(given, nursery)
    finally:
        if nursery is not None:
            nursery.close()


def _is_to_run(argv: Sequence[str]) -> bool:
    """Whether this line starts commands, as far as a glance can tell."""
    subcommand = find(argv[0]) if argv else None
    if subcommand is None or not subcommand.runs:
        return False
    words = argv[: argv.index("--")] if "--" in argv else argv
    return "--help" not in words and "-h" not in words


def _fork_nursery() -> Nursery:
    from penstock.executor.nursery import fork_nursery  # noqa: PLC0415 (only if used)

    try:
        return fork_nursery()
    except OSError as error:
        raise PenstockError(f"cannot start a process: {error.strerror}") from error


def _read(argv: Sequence[str]) -> Options | Answer:
    given = parse_fast(argv)
    if given is not None:
        return given
    from penstock.cli.app import parse  # noqa: PLC0415 (takes longer than all the rest)

    return parse(argv)


def _start(given: ExecOptions | PipeOptions | RunOptions, nursery: Nursery) -> int:
    if isinstance(given, ExecOptions):
        from penstock.cli.exec import main as execute  # noqa: PLC0415 (only if used)

        return execute(given, nursery)
    if isinstance(given, PipeOptions):
        from penstock.cli.pipe import main as pipe  # noqa: PLC0415 (only if used)

        return pipe(given, nursery)
    from penstock.cli.run import main as run  # noqa: PLC0415 (only if used)

    return run(given, nursery)


def _check(given: CheckOptions) -> Answer:
    from penstock.cli.check import main as check  # noqa: PLC0415 (only if used)

    with redirect_stdout(StringIO()) as out:
        status = check(given)
    return Answer(status, out.getvalue())


def _say(answer: Answer) -> int:
    """Print it past `sys.stdout`, so that an error is known here, and before the end.

    The interpreter would notice it only on its way out, and then exit with 120.
    """
    _tell(answer.err)
    try:
        _put(1, answer.out)
    except BrokenPipeError:  # nobody reads any more: no reason to complain
        return _SIGPIPE
    except OSError as error:
        why = f"cannot write to standard output: {error.strerror}"
        raise PenstockError(why) from error
    return answer.status


def _refuse_definition(error: DefinitionError) -> int:
    """Show every mistake as compilers do: its place comes first, for editors."""
    number = len(error.mistakes)
    mistakes = "1 mistake" if number == 1 else f"{number} mistakes"
    lines = (*map(_visible, error.mistakes), f"penstock: {mistakes}, nothing was run")
    _tell("\n".join(lines) + "\n")
    return _USAGE


def _report_bug() -> None:
    from traceback import format_exc  # noqa: PLC0415 (only now)

    python = sys.version.partition(" ")[0]
    _tell(
        f"penstock: this is a bug in penstock {__version__} (Python {python}, "
        f"Linux {os.uname().release}); please report it, with these lines:\n"
        + format_exc()
    )


def _visible(text: str) -> str:
    from penstock.report.plain import visible  # noqa: PLC0415 (only now)

    return visible(text)


def _tell(text: str) -> None:
    """Write to standard error; if nobody can be told, the exit status still tells."""
    with suppress(OSError):
        _put(2, text)


def _put(descriptor: int, text: str) -> None:
    data = text.encode(errors="backslashreplace")
    while data:
        data = data[os.write(descriptor, data) :]

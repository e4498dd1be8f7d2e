"""``penstock-sh`` and ``penstock sh``: what make has for its shell.

A line of a Makefile pays for all that is imported here, so that is next to nothing
while the recipe ends well by itself; `cli.recipe` knows all the rest.
"""

from __future__ import annotations

# As in `penstock.__main__`: until it is heeded, SIGINT shall simply end us.
import _signal  # type: ignore[import-not-found]  # typeshed does not know it

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os
import sys

from penstock.cli.answer import CANCELLED, EXITED, answer_for
from penstock.make.shell_line import ShellLine, read_shell_line
from penstock.proc.coercion import undo_coercion
from penstock.proc.lean import LeanJob
from penstock.proc.name import VARIABLE, name_of
from penstock.proc.pair import Answered, work_apart
from penstock.proc.stdio import leave, occupy_stdio
from penstock.proc.title import show_as

TYPE_CHECKING = False  # `typing` takes 8 ms
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

_USAGE = 2
_TROUBLE = 125
_HELP = """\
Usage: penstock-sh [OPTIONS] [SHELL OPTIONS] -c RECIPE [NAME [ARG]...]

  SHELL = penstock-sh
  .SHELLFLAGS = -t 5m -c

Be the shell of make: each recipe line has a deadline, fails when a command of its
pipeline does, and leaves nothing behind. The rest is as with /bin/sh.

Options:
  -t, --timeout DURATION  When to end it, with all that it has started: 5, 500ms,
                          1h30m; 0 for never. [default: never]
  -g, --grace DURATION    From SIGTERM to SIGKILL. [default: 5s]
  --linger DURATION       How long what it has left behind may go on, to end by
                          itself. [default: 1s]
  --shell PROGRAM         What reads the recipe, e.g. bash. [default: /bin/sh]
  --at PLACE              Where the recipe stands, for messages.
                          [default: looked for in the Makefile]
  -h, --help              Show this message.

Shell options (-e, -u, -x, -o pipefail ...) are handed to the shell.

The exit status is the shell's; 124 if it timed out, 125 if something could not be
ended. If a signal ends it, it dies of that signal.
"""


def main() -> NoReturn:
    """Run the line that this process was started with."""
    undo_coercion()
    show_as("penstock-sh")
    leave(run_shell(sys.argv[1:]))


def run_shell(words: Sequence[str]) -> int:
    """Run the recipe; the exit status. Does not return if a signal ended it.

    Args:
        words: without the name of the program.
    """
    occupy_stdio()
    if words and words[0] in ("-h", "--help"):
        return _say_help()
    try:
        line = read_shell_line(words)
    except ValueError as error:
        return _refuse(str(error))
    os.environ[VARIABLE] = name_of(os.getpid())
    strangers = _children()
    maker = os.getppid()
    try:
        answered = work_apart(lambda lifeline: _work(line, lifeline, maker))
    except OSError as error:
        return _refuse(f"cannot start a process: {error.strerror}", _TROUBLE)
    return _conclude(answered, strangers)


def _work(line: ShellLine, lifeline: int, maker: int) -> bytes:
    """In the worker: run the recipe, and tell how it ended."""
    stages = _stages(line)
    job = LeanJob()
    if not job.is_wanted(lifeline):
        return CANCELLED + b"\0"
    job.start([_argv(line, stage) for stage in stages])
    if job.is_over(lifeline, line.timeout or None):
        statuses = [started.status for started in job.started]
        if statuses == [0] * len(statuses):
            return EXITED + b"\0"
        if len(statuses) == 1 and statuses[0] is not None:
            return answer_for(statuses[0])
    from penstock.cli.recipe import finish  # noqa: PLC0415 (few recipes need it)

    return finish(line, stages, job, lifeline, maker)


def _stages(line: ShellLine) -> tuple[str, ...]:
    """What is run side by side; one text, unless the recipe is a pipeline."""
    recipe = line.recipe or ""
    if "|" not in recipe or "pipefail" in line.flags:
        return (recipe,)
    from penstock.make.recipe import split_pipeline  # noqa: PLC0415 (if used)

    return split_pipeline(recipe)


def _argv(line: ShellLine, stage: str) -> tuple[str, ...]:
    if line.recipe is None:
        return (line.shell, *line.flags, *line.rest)
    return (line.shell, *line.flags, "-c", stage, *line.rest)


def _conclude(answered: Answered, strangers: frozenset[int]) -> int:
    """The exit status, or death by the signal that ended the recipe, or us."""
    kind, number = answered.answer[:1], answered.answer[1:2]
    if not kind:
        from penstock.cli.recipe import clean_up  # noqa: PLC0415 (hardly ever)

        clean_up(strangers)
        return _TROUBLE
    signal = answered.signal
    if kind == EXITED and (signal is None or number[0] == _TROUBLE):
        return number[0]
    from penstock.proc.signals import die_by  # noqa: PLC0415 (only now)

    die_by(number[0] if signal is None else signal)
    return _TROUBLE  # as PID 1 we cannot: the kernel shields it


def _children() -> frozenset[int]:
    """What a shell had started before it became us: it is not ours to end."""
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as children:
            return frozenset(map(int, children.read().split()))
    except OSError:
        return frozenset()


def _refuse(why: str, status: int = _USAGE) -> int:
    from penstock.cli.printing import tell  # noqa: PLC0415 (only now)

    tell(f"penstock-sh: {why}\n")
    return status


def _say_help() -> int:
    from penstock.cli.printing import say  # noqa: PLC0415 (only now)

    return say(0, _HELP)

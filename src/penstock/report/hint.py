"""Hints: what to try after a failure. Pure; None where no advice would be honest."""

from __future__ import annotations

import errno as _errno

from penstock.errors import REMEDIES
from penstock.model.job import Stage
from penstock.model.outcome import (
    NOT_EXECUTABLE,
    NOT_FOUND,
    SIGNAL_BASE,
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    OutOfMemory,
    Signaled,
    TimedOut,
)
from penstock.model.signals import signal_name
from penstock.model.verdict import SIGPIPE
from penstock.report.words import duration, share_of_median, size

_SIGKILL = 9
_PASSING = (_errno.EAGAIN, _errno.EMFILE, _errno.ENFILE, _errno.ENOMEM)
_FINDS_NOTHING = ("grep", "egrep", "fgrep", "zgrep", "rg", "pgrep")
_FINDS_DIFFERENCES = ("diff", "cmp", "comm")
_OUT_OF_MEMORY = "penstock did not send that; perhaps memory ran out (see `dmesg`)"
_RAISED = {
    "ready": "`within` of the service",
    "stall": "`stall` of the job",
    "run": "--deadline",
}
_BROKEN_PIPE = "what reads its output ended first: look there"


def hint_for(
    stage: Stage | None, ending: Ending, search_path: str | None = None
) -> str | None:
    """What to try, in one line.

    Args:
        stage: the stage that failed; None if the job did as a whole.
        ending: how.
        search_path: PATH of the commands, where their own does not replace it.
    """
    match ending:
        case TimedOut() | OutOfMemory():
            return _over_limit(stage, ending)
        case NotStarted():
            return REMEDIES.get(_passing(ending)) or _not_started(
                stage, ending, search_path
            )
        case Exited(code):
            return None if stage is None else _exited(stage, code, search_path)
        case Signaled(signal, _):
            return _signaled(signal)
        case Lost():
            return "perhaps memory ran out (see `dmesg`), or somebody killed the worker"
        case Cancelled():
            return None


def _passing(ending: NotStarted) -> int:
    """The errno, if it tells of something that there may be more of; 0 if not."""
    return ending.errno if ending.errno in _PASSING else 0


def _over_limit(stage: Stage | None, ending: TimedOut | OutOfMemory) -> str:
    """Where the limit can be changed: the command line, or the definition."""
    in_file = stage is None or stage.place is not None
    if isinstance(ending, OutOfMemory):
        where = "`memory` of the command" if in_file else "--memory"
        return f"raise {where} (it is {size(ending.limit_bytes)})"
    if ending.limit_of == "median":
        return f"raise -t/--timeout (it is {share_of_median(ending.percent)})"
    if ending.limit_of in _RAISED:
        return f"raise {_RAISED[ending.limit_of]} (it is {duration(ending.timeout)})"
    limit = "idle" if ending.limit_of == "idle" else "timeout"
    whose = "the job" if ending.limit_of == "job" else "the command"
    option = "--idle" if limit == "idle" else "-t/--timeout"
    where = f"`{limit}` of {whose}" if in_file else option
    hint = f"raise {where} (it is {duration(ending.timeout)})"
    if not ending.escalated:
        return hint
    first = "SIGTERM" if stage is None else signal_name(stage.command.signal)
    return f"{hint}; {first.removeprefix('SIG')} alone did not end it"


def _not_started(
    stage: Stage | None, ending: NotStarted, search_path: str | None
) -> str | None:
    in_file = stage is None or stage.place is not None
    if in_file and ending.culprit == "file" and ending.errno == _errno.ENOENT:
        return "if another job makes it, name that job in `needs`"
    if stage is None or ending.culprit != "command":
        return None
    program = ending.program or stage.command.argv[0]
    if ending.errno == _errno.ENOENT and ending.program is None:
        return _not_found(stage, search_path)
    hints = {
        _errno.ENOENT: f"look at the first line of {program}; "
        "if it is no script, file(1) tells more",
        _errno.EACCES: f"may it be executed? chmod +x {program}",
        _errno.ENOEXEC: f"does {program} begin with a line such as #!/bin/sh?",
        _errno.E2BIG: "let it read what is so long, as with `penstock map --stdin`",
    }
    return None if ending.errno is None else hints.get(ending.errno)


def _not_found(stage: Stage, search_path: str | None) -> str:
    program = stage.command.argv[0]
    if "/" in program:
        return "does it exist, seen from where the command runs?"
    path = dict(stage.command.env).get("PATH", search_path)
    return "is it installed?" + ("" if path is None else f" PATH is {path}")


def _exited(stage: Stage, code: int, search_path: str | None) -> str | None:
    if code > SIGNAL_BASE and _is_shell(stage):
        return _signaled(code - SIGNAL_BASE)
    if code == NOT_FOUND and _is_shell(stage):
        path = dict(stage.command.env).get("PATH", search_path)
        found = "the shell did not find a command, or what the first line of a script "
        found += "names; is it installed?"
        return found + ("" if path is None else f" PATH is {path}")
    if code == NOT_EXECUTABLE and _is_shell(stage):
        return "the shell could not execute a command: may it be executed? (chmod +x)"
    if code == 1 and _program(stage) in _FINDS_NOTHING:
        return "1 says that nothing matched; if that is fine: `ok: [0, 1]`"
    if code == 1 and _program(stage) in _FINDS_DIFFERENCES:
        return "1 says that there are differences; if that is fine: `ok: [0, 1]`"
    return None


def _signaled(signal: int) -> str | None:
    if signal == _SIGKILL:
        return _OUT_OF_MEMORY
    return _BROKEN_PIPE if signal == SIGPIPE else None


def _is_shell(stage: Stage) -> bool:
    return stage.command.argv[:2] == ("/bin/sh", "-c")


def _program(stage: Stage) -> str:
    """The name of the program, or of the first one that its shell would run."""
    words = stage.command.typed.split() if _is_shell(stage) else stage.command.argv
    return words[0].rpartition("/")[2] if words else ""

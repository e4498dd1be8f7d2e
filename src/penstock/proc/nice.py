"""How much a command gives way to others: its niceness (nice(2)).

Set from outside, right after the start. A worker without privileges could raise its own
niceness for the start but never lower it again; `preexec_fn` would make every start a
fork(2); nice(1) would cost an execve(2), and report what fails in its own way.
"""

from __future__ import annotations

import os
from contextlib import suppress

from penstock.model.command import Command
from penstock.model.outcome import NotStarted
from penstock.proc.descendants import children_of
from penstock.proc.spawn import CannotStart


def check_nice(command: Command) -> None:
    """Find out whether `command` may have its niceness, before anything is started.

    Only a lower one than ours may be refused; who may take that may also go back.

    Raises:
        CannotStart: the system does not allow it.
    """
    if command.nice >= 0:
        return
    own = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, own + command.nice)
    except OSError as error:
        reason = f"its niceness cannot be lowered by {-command.nice}: {error.strerror}"
        raise CannotStart(NotStarted(error.errno, reason, "command")) from None
    os.setpriority(os.PRIO_PROCESS, 0, own)


def renice(pid: int, by: int) -> None:
    """Add `by` to the niceness of `pid`, which has just been started.

    And to that of what it may have started before we came to it; whatever it starts
    from then on inherits it.
    """
    niceness = os.getpriority(os.PRIO_PROCESS, 0) + by
    started = [pid]
    for each in started:
        with suppress(ProcessLookupError, PermissionError):  # gone; or set-id by now
            os.setpriority(os.PRIO_PROCESS, each, niceness)
        started.extend(children_of(each))

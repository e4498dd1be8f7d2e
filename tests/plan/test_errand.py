from __future__ import annotations

import pytest

from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    Outcome,
    OutOfMemory,
    Signaled,
    StageOutcome,
    TimedOut,
)
from penstock.plan.errand import doubt_of

KILLED = Signaled(9, core=False)


@pytest.mark.parametrize(
    ("ending", "doubt"),
    [
        (Exited(0), None),
        (Exited(1), None),
        (Exited(125), None),
        (Exited(126), "exited with 126: is there such a command?"),
        (Exited(127), None),
        (KILLED, "was killed by SIGKILL"),
        (TimedOut(2.5, "job", KILLED, escalated=True), "timed out after 2.5s"),
        (OutOfMemory(1 << 20, 2 << 20, KILLED), "held more memory than it may"),
        (NotStarted(2, "no such file: ask", "command"), "no such file: ask"),
        (Lost("its worker was killed"), "its worker was killed"),
        (Cancelled("job db failed", KILLED, escalated=False), "job db failed"),
    ],
)
def test_only_an_exit_status_is_an_answer(ending: Ending, doubt: str | None):
    assert doubt_of(Outcome("-when a", ending, ok=False)) == doubt


def test_a_shell_that_misses_a_command_says_so():
    ending = Exited(127)
    asked = StageOutcome("when", ending, ok=False, tail=b"sh: 1: aks: not found\n")
    outcome = Outcome("-when a", ending, ok=False, stages=(asked,))
    assert doubt_of(outcome) == "exited with 127: is there such a command?"

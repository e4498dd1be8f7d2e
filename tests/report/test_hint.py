from __future__ import annotations

import errno

import pytest

from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    Signaled,
    TimedOut,
)
from penstock.report.hint import hint_for
from tests.report.examples import KILL, LATE, TERM, stage


def not_started(
    number: int | None, culprit: str = "command", found: str | None = None
) -> NotStarted:
    return NotStarted(number, "why", culprit, found)


@pytest.mark.parametrize(
    ("typed", "ending", "part"),
    [
        ("nope", not_started(errno.ENOENT), "is it installed? PATH is /bin"),
        ("./nope", not_started(errno.ENOENT), "does it exist"),
        ("./x.sh", not_started(errno.EACCES), "chmod +x ./x.sh"),
        ("x", not_started(errno.EACCES, found="/bin/x"), "chmod +x /bin/x"),
        ("x", not_started(errno.ENOENT, found="/bin/x"), "the first line of /bin/x"),
        ("./x", not_started(errno.ENOEXEC), "#!/bin/sh"),
        ("sort in", not_started(errno.ENOENT, "file"), "`needs`"),
        ("sort", LATE, "raise `timeout` of the command (it is 30s); TERM alone"),
        ("sort", TimedOut(9.0, "job", TERM, escalated=False), "of the job (it is 9s)"),
        ("/usr/bin/grep x", Exited(1), "`ok: [0, 1]`"),
        ("diff a b", Exited(1), "`ok: [0, 1]`"),
        ("sort", Signaled(13, core=False), "what reads its output"),
        ("sort", KILL, "memory"),
        ("sort", Lost("its worker died"), "memory"),
    ],
)
def test_what_to_try(typed: str, ending: Ending, part: str):
    assert part in (hint_for(stage(typed), ending, "/bin") or "")


@pytest.mark.parametrize(
    ("code", "part"),
    [(127, "PATH is /bin"), (126, "chmod"), (137, "memory"), (1, "`ok: [0, 1]`")],
)
def test_what_to_try_if_a_shell_ran_it(code: int, part: str):
    grep = stage("grep x | wc", shell=True)
    assert part in (hint_for(grep, Exited(code), "/bin") or "")


@pytest.mark.parametrize(
    "ending",
    [
        Exited(1),
        Exited(137),
        Signaled(11, core=True),
        Cancelled("why", TERM, escalated=False),
        not_started(errno.EIO),
        not_started(None, "sibling"),
    ],
)
def test_no_advice_is_better_than_a_guess(ending: Ending):
    assert hint_for(stage("sort"), ending) is None


def test_a_job_as_a_whole_has_no_command_to_advise_on():
    assert hint_for(None, Exited(1)) is None
    assert hint_for(None, not_started(errno.ENOENT)) is None


def test_the_path_of_the_command_itself_comes_first():
    nope = stage("nope")
    nope = nope._replace(command=nope.command._replace(env=(("PATH", "/own"),)))
    hint = hint_for(nope, not_started(errno.ENOENT), "/bin")
    assert hint == "is it installed? PATH is /own"


def test_without_a_known_path_none_is_told():
    assert hint_for(stage("nope"), not_started(errno.ENOENT)) == "is it installed?"

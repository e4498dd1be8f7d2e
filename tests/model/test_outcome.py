from __future__ import annotations

import errno
import pickle
from collections.abc import Sequence
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from penstock.model.action import (
    CancelJob,
    EndErrand,
    EndJob,
    PassJob,
    RetryJob,
    SetAlarm,
    SkipJob,
    StartErrand,
    StartJob,
)
from penstock.model.command import Command
from penstock.model.event import (
    AlarmRang,
    ErrandEnded,
    Finished,
    Interrupted,
    JobEnded,
    JobPassed,
    JobRetried,
    JobSkipped,
    JobStarted,
    RunEnded,
    RunStarted,
)
from penstock.model.job import Job, Link, Pipeline, Place, Stage
from penstock.model.limits import Limits
from penstock.model.outcome import (
    NOT_EXECUTABLE,
    NOT_FOUND,
    TIMED_OUT,
    TROUBLE,
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    Outcome,
    OutOfMemory,
    Process,
    Signaled,
    StageOutcome,
    TimedOut,
    Usage,
    shell_status,
)
from penstock.model.stream import Direct, Handed, Inherit, Input, Log, Null, Output
from penstock.model.tally import Tally
from penstock.model.verdict import Verdict
from penstock.model.wiring import PipeEnd, StageWiring

statuses = st.one_of(
    st.builds(Exited, st.integers(0, 255)),
    st.builds(Signaled, st.integers(1, 64), st.booleans()),
)
maybe = statuses | st.none()
seconds = st.floats(0, 1e9)
culprits = st.sampled_from(["command", "file", "system", "sibling"])
numbers = st.none() | st.sampled_from(sorted(errno.errorcode))
endings: st.SearchStrategy[Ending] = st.one_of(
    statuses,
    st.builds(
        TimedOut,
        seconds,
        st.sampled_from(["command", "job", "median"]),
        maybe,
        st.booleans(),
        seconds,
    ),
    st.builds(Cancelled, st.text(), maybe, st.booleans()),
    st.builds(OutOfMemory, st.integers(1), st.integers(1), maybe),
    st.builds(NotStarted, numbers, st.text(), culprits, st.none() | st.text()),
    st.builds(Lost, st.text()),
)


def refused(number: int | None, culprit: str = "command") -> int:
    return shell_status(NotStarted(number, "why", culprit))


# --- the status that a shell shows --------------------------------------------------


def test_every_exit_code_is_shown_as_it_is():
    assert [shell_status(Exited(code)) for code in range(256)] == list(range(256))


def test_a_signal_is_shown_as_128_and_its_number_with_or_without_a_core():
    for number, core in product(range(1, 65), (False, True)):
        assert shell_status(Signaled(number, core)) == 128 + number


@given(seconds, maybe, st.booleans())
def test_a_timeout_is_124_whatever_the_command_made_of_it(
    timeout: float,
    status: Exited | Signaled | None,
    escalated: bool,  # noqa: FBT001 (drawn)
):
    assert shell_status(TimedOut(timeout, "job", status, escalated)) == TIMED_OUT == 124


def test_what_is_not_found_is_127():
    for number in (errno.ENOENT, errno.ENOTDIR):
        assert refused(number) == NOT_FOUND == 127


def test_what_cannot_be_executed_is_126():
    for number in (errno.EACCES, errno.ENOEXEC, errno.EISDIR, errno.EINVAL):
        assert refused(number) == NOT_EXECUTABLE == 126


def test_want_of_something_is_125():
    for number in (errno.E2BIG, errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        assert refused(number) == TROUBLE == 125


def test_what_failed_before_the_command_is_125():
    for culprit in ("file", "system", "sibling"):
        for number in (None, errno.ENOENT, errno.EACCES):
            assert refused(number, culprit) == TROUBLE


def test_what_held_too_much_ends_as_what_the_kernel_kills_for_that():
    assert shell_status(OutOfMemory(1, 2, None)) == 137


def test_cancelled_and_lost_are_125():
    assert shell_status(Cancelled("x", Exited(0), escalated=False)) == TROUBLE
    assert shell_status(Lost("x")) == TROUBLE


@given(endings)
def test_only_exit_code_0_is_shown_as_0(ending: Ending):
    status = shell_status(ending)
    assert 0 <= status <= 255
    assert (status == 0) == (ending == Exited(0))


# --- the status of an outcome -------------------------------------------------------


@given(endings)
def test_an_outcome_is_0_if_it_is_ok_and_never_otherwise(ending: Ending):
    assert Outcome("j", ending, ok=True).status == 0
    assert Outcome("j", ending, ok=False).status in range(1, 256)


@given(endings)
def test_a_survivor_makes_it_125(ending: Ending):
    outcome = Outcome("j", ending, ok=False, survivors=(Process(7, "x"),))
    assert outcome.status == TROUBLE


def test_an_output_that_could_not_be_named_makes_it_125():
    assert Outcome("j", Exited(0), ok=False, trouble="disk full").status == TROUBLE


def test_a_code_0_that_was_not_accepted_is_1():
    assert Outcome("j", Exited(0), ok=False).status == 1


# --- values -------------------------------------------------------------------------


@given(endings, endings)
def test_endings_of_different_types_are_never_equal(one: Ending, other: Ending):
    assert type(one) is type(other) or one != other


def test_streams_that_mean_different_things_are_not_equal():
    streams: Sequence[tuple[object, ...]] = [
        Null(),
        Inherit(1),
        Input("f"),
        Output("f", ".f.partial"),
        Direct("f"),
        Log("f"),
        Log(None),
    ]
    assert len(set(streams)) == len(streams)


@given(endings)
def test_every_ending_survives_the_journey_to_another_process(ending: Ending):
    again = pickle.loads(pickle.dumps(ending, protocol=5))
    assert type(again) is type(ending)
    assert again == ending


COMMAND = Command(("a", "\udcff"), "a \udcff", (("N", "v"),), "/", (0, 1))
STAGE = Stage(
    "s", COMMAND, Input("i"), Output("o", ".o"), Log("l"), Limits(1.0), Place("f", 1, 2)
)
JOB = Job("j", (STAGE, STAGE), (Link(0, 1),), ("k",), Limits(2.0), Place("f", 1, 1))
USAGE = Usage(0.1, 0.2, 3)
DONE = StageOutcome("s", Exited(0), True, 7, 0.5, USAGE, b"\0\xff", "disk full")  # noqa: FBT003
OUTCOME = Outcome("j", Exited(0), True, (DONE,), None, 1.0, (Process(8, "x"),))  # noqa: FBT003

VALUES: tuple[tuple[object, ...], ...] = (
    JOB,
    Pipeline((JOB,), "f"),
    OUTCOME,
    *(Null(), Inherit(0), Handed(0), Direct("d")),
    *(StartJob(JOB), CancelJob("j", "why"), SkipJob(JOB, "why")),
    *(PassJob(JOB, "why"), JobPassed(JOB, "why", 2.0)),
    *(RunStarted("r", 1.0, ("j",), 1, None), JobStarted(JOB, 1.0)),
    *(JobEnded(JOB, OUTCOME, 2.0), JobSkipped(JOB, "why", 2.0)),
    *(EndJob(JOB, OUTCOME), RetryJob(JOB, OUTCOME, 1, 2.0), StartErrand(JOB)),
    *(EndErrand(JOB, "when", OUTCOME), SetAlarm("retry j", 2.0)),
    *(JobRetried(JOB, OUTCOME, 1, 2.0, 3.0), ErrandEnded(JOB, "when", OUTCOME, 3.0)),
    *(Finished(JOB, OUTCOME), AlarmRang("retry j")),
    *(Interrupted(2, 1.0), RunEnded(0, 3.0, 2.0)),
    *(Tally(1), Verdict((True,), None)),
    StageWiring((0,), PipeEnd(0, "r"), PipeEnd(1, "w"), Log(None), (PipeEnd(0, "r"),)),
)


def test_every_value_survives_the_journey_to_another_process():
    for value in VALUES:
        again = pickle.loads(pickle.dumps(value, protocol=5))
        assert type(again) is type(value)
        assert again == value

from __future__ import annotations

import pytest

from penstock.model.event import (
    Event,
    Interrupted,
    JobEnded,
    JobPassed,
    JobSkipped,
    RunEnded,
)
from penstock.model.job import Job
from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Lost,
    Outcome,
    Process,
    Signaled,
    TimedOut,
)
from penstock.model.tally import Tally, count

JOB = Job("a", ())
LATE = TimedOut(1.0, "command", Signaled(15, core=False), escalated=False)
STOPPED = Cancelled("job b failed", Signaled(15, core=False), escalated=False)


def ended(ending: Ending, *, ok: bool = False) -> JobEnded:
    return JobEnded(JOB, Outcome("a", ending, ok), 0.0)


def tally_of(*events: Event) -> Tally:
    tally = Tally()
    for event in events:
        tally = count(tally, event)
    return tally


GOOD = ended(Exited(0), ok=True)
BAD = ended(Exited(3))
SKIPPED = JobSkipped(JOB, "job b failed", 0.0)
SURVIVED = JobEnded(
    JOB, Outcome("a", STOPPED, ok=False, survivors=(Process(7, "x"),)), 0.0
)
MISPLACED = JobEnded(JOB, Outcome("a", Exited(0), ok=False, trouble="no rename"), 0.0)
LOSSY = JobEnded(JOB, Outcome("a", STOPPED, ok=False, trouble="it was killed"), 0.0)


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), 0),
        ((GOOD, GOOD), 0),
        ((GOOD, BAD), 1),
        ((GOOD, BAD, SKIPPED), 1),
        ((GOOD, ended(LATE)), 124),
        ((ended(LATE), ended(STOPPED), SKIPPED), 124),
        ((ended(LATE), BAD), 1),
        ((ended(STOPPED),), 1),
        ((BAD, ended(Lost("its worker was killed"))), 125),
        ((BAD, SURVIVED), 125),
        ((MISPLACED,), 125),
        ((GOOD, Interrupted(15, 0.0), SKIPPED), 143),
        ((GOOD, Interrupted(2, 0.0)), 130),
        ((Interrupted(2, 0.0), SURVIVED), 125),
        ((ended(Exited(125)),), 1),
        ((ended(LATE), LOSSY), 125),
    ],
)
def test_status_of_a_run(events: tuple[Event, ...], status: int):
    assert tally_of(*events).status == status


def test_each_job_is_counted_once():
    passed = JobPassed(JOB, "up to date", 0.0)
    events = (GOOD, BAD, ended(LATE), ended(STOPPED), SKIPPED, SURVIVED, passed)
    assert tally_of(*events).jobs == 7


def test_the_first_signal_is_the_one_that_counts():
    tally = tally_of(Interrupted(2, 0.0), Interrupted(15, 0.0))
    assert tally.signal == 2


def test_other_events_change_nothing():
    assert tally_of(RunEnded(0, 0.0, 0.0)) == Tally()

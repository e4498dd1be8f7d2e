"""Which limits of a job still count, by what has ended of it."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from penstock.model.command import Command
from penstock.model.job import Job, Stage, chain
from penstock.model.limits import Limits
from penstock.model.outcome import Exited
from penstock.proc.launch import Running
from penstock.proc.start import Started
from penstock.proc.stop import Deadline, next_deadline


def job(*timeouts: float | None, timeout: float | None, linger: float) -> Job:
    stages = [
        Stage(f"s{n}", Command(("s",), "s"), limits=Limits(timeout=each))
        for n, each in enumerate(timeouts)
    ]
    limits = Limits(timeout=timeout, linger=linger)
    return Job("job", tuple(stages), chain(len(stages)), limits=limits)


def next_of(what: Job, ended: Sequence[bool]) -> Deadline | None:
    """The next limit to pass of a job whose stages all began at 100."""
    running = []
    for position, is_over in enumerate(ended):
        each = Running(position, Started(1000 + position), 100.0)
        if is_over:
            each.end(Exited(0), None, 101.0)
        running.append(each)
    return next_deadline(what, running, 100.0)


def test_the_first_that_will_pass_is_next():
    two = job(3.0, 5.0, timeout=4.0, linger=1.0)
    assert next_of(two, [False, False]) == Deadline(103.0, 3.0, 0)
    assert next_of(two, [True, False]) == Deadline(104.0, 4.0, None)


def test_the_time_of_a_plain_job_is_over_with_its_commands():
    assert next_of(job(3.0, timeout=4.0, linger=600.0), [True]) is None


def test_the_time_of_a_service_is_not():
    assert next_of(job(3.0, timeout=4.0, linger=inf), [True]) == Deadline(103, 3, 0)


def test_of_several_commands_of_a_service_the_time_of_the_whole_goes_on():
    service = job(3.0, None, timeout=9.0, linger=inf)
    assert next_of(service, [True, False]) == Deadline(109.0, 9.0, None)
    assert next_of(service, [True, True]) == Deadline(109.0, 9.0, None)

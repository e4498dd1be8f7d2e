"""Jobs for a real pool: made in one line, run to their end, heard while they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import IO, TypedDict, Unpack

from penstock.clock import MonotonicClock
from penstock.executor.base import Executor
from penstock.model.command import Command
from penstock.model.job import Job, Stage, chain
from penstock.model.limits import GRACE, LINGER, Limits
from penstock.model.outcome import Outcome, TimedOut
from penstock.model.stream import Handed, Null, Stderr, Stdin, Stdout
from tests.commands import pid_in, ready_pid, sh

PATIENCE = 60.0
"""Seconds in which any job of these tests must have ended."""


class Streams(TypedDict, total=False):
    """Where the streams of a stage go, if not to ``/dev/null`` and a log."""

    stdin: Stdin
    stdout: Stdout
    stderr: Stderr


def stage(
    argv: Sequence[str],
    *,
    timeout: float | None = None,
    grace: float = GRACE,
    **streams: Unpack[Streams],
) -> Stage:
    """A stage that is named as its program."""
    command = Command(tuple(argv), " ".join(argv))
    made = Stage(argv[0], command, stdout=Null(), limits=Limits(timeout, grace))
    return made._replace(**streams)


def job(*stages: Stage, name: str = "job", **limits: float) -> Job:
    """A job of one stage, or of several joined by pipes."""
    return Job(name, stages, chain(len(stages)), limits=Limits(**limits))


def shell(
    script: str,
    name: str = "job",
    *,
    timeout: float | None = None,
    **limits: float,
) -> Job:
    """A job of one shell command; `timeout` is the command's, the rest the job's."""
    return job(stage(sh(script), timeout=timeout), name=name, **limits)


def outcomes_of(pool: Executor, number: int = 1) -> list[Outcome]:
    """The next outcomes, in the order in which they come."""
    clock = MonotonicClock()
    deadline = clock.now() + PATIENCE
    found: list[Outcome] = []
    while len(found) < number:
        assert clock.now() < deadline, f"{number - len(found)} outcomes never came"
        found += pool.wait(deadline)
    assert len(found) == number
    return found


def run(pool: Executor, what: Job, descriptors: Sequence[int] = ()) -> Outcome:
    """Run one job to its end, while nothing else runs."""
    pool.submit(what, descriptors)
    (outcome,) = outcomes_of(pool)
    assert outcome.job == what.name
    return outcome


def output_of(pool: Executor, *stages: Stage) -> bytes:
    """What the last stage of a job that succeeds prints: 60 KiB at the most."""
    reader, writer = os.pipe()
    last = stages[-1]._replace(stdout=Handed(0))
    pool.submit(job(*stages[:-1], last), (writer,))
    os.close(writer)
    (outcome,) = outcomes_of(pool)
    with open(reader, "rb") as stream:
        seen = stream.read()
    assert outcome.ok, outcome
    return seen


class Heard:
    """A job that runs, and the stdout of its last stage."""

    def __init__(self, pool: Executor, what: Job) -> None:
        reader, writer = os.pipe()
        last = what.stages[-1]._replace(stdout=Handed(0))
        pool.submit(what._replace(stages=(*what.stages[:-1], last)), (writer,))
        os.close(writer)
        self.stream: IO[bytes] = os.fdopen(reader, "rb", buffering=0)

    def ready_pid(self) -> int:
        """The pid that it announces."""
        return ready_pid(self.stream)


def start(
    pool: Executor,
    argv: Sequence[str],
    *,
    timeout: float | None = None,
    grace: float = GRACE,
    linger: float = LINGER,
) -> int:
    """Run a helper command as job "job", and return the pid that it announces.

    `timeout` is to pass after that: where it has not, the command is given longer.
    """

    def make(seconds: float | None) -> Job:
        made = stage(argv, timeout=seconds, grace=grace)
        return job(made, grace=grace, linger=linger)

    if timeout is not None:
        return start_in_time(pool, make, timeout)
    heard = Heard(pool, make(None))
    with heard.stream:
        return heard.ready_pid()


def start_in_time(pool: Executor, make: Callable[[float], Job], timeout: float) -> int:
    """The pid that a job announces before its time is over, however slow the machine.

    Args:
        pool: what runs it; nothing else does.
        make: the job that has so many seconds.
        timeout: those that it is given at first.
    """
    while True:
        heard = Heard(pool, make(timeout))
        with heard.stream:
            line = heard.stream.readline()
        if line or timeout > PATIENCE:
            return pid_in(line)
        outcomes_of(pool)
        timeout *= 4


def untimed(outcome: Outcome) -> TimedOut:
    """How a job ended that was late, wherever its limit was in the end."""
    assert isinstance(outcome.ending, TimedOut)
    return outcome.ending._replace(timeout=0.0)

"""What to do next: the answers of the scheduler, carried out by the engine."""

from __future__ import annotations

from typing import NamedTuple

from penstock.model.job import Job


class StartJob(NamedTuple):
    """Give the job to the executor; a slot is free for it."""

    job: Job


class CancelJob(NamedTuple):
    """End a running job.

    Attributes:
        name: the job's.
        cause: in words, e.g. "job fetch failed".
        now: skip the grace.
    """

    name: str
    cause: str
    now: bool = False


class SkipJob(NamedTuple):
    """Never start the job.

    Attributes:
        because: in words, naming the job at the root of it, or the signal.
    """

    job: Job
    because: str


class PassJob(NamedTuple):
    """Do not run the job, for there is no need: what needs it goes on.

    The engine answers with `JobPassed`, which is the end of the job.

    Attributes:
        because: in words, e.g. "up to date".
    """

    job: Job
    because: str


class SetAlarm(NamedTuple):
    """Hand back `AlarmRang` with the same name when so many seconds have passed.

    Attributes:
        name: an alarm of the same name that has not rung yet is replaced.
        after: in seconds, from now; at once if it is not positive.
    """

    name: str
    after: float


Action = StartJob | CancelJob | SkipJob | PassJob | SetAlarm

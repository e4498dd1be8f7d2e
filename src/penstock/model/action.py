"""What to do next: the answers of a plan, carried out by the engine."""

from __future__ import annotations

from penstock.model.event import ErrandKind
from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.typed import NamedTuple


class StartJob(NamedTuple):
    """Give the job to the executor, which has room for it; attempts count from 1."""

    job: Job
    attempt: int = 1


class RetryJob(NamedTuple):
    """Tell that an attempt of a job has failed, and when there will be another.

    Attributes:
        job: as it was in `Finished`.
        attempt: the number of the one that failed.
        after: seconds until the next; the plan sets its own alarm.
    """

    job: Job
    outcome: Outcome
    attempt: int
    after: float


class EndJob(NamedTuple):
    """Tell that a job is over; each job once, if it is not skipped.

    Attributes:
        job: as it was in `Finished`.
        outcome: as it was there, or as the plan sees it.
    """

    job: Job
    outcome: Outcome
    attempt: int = 1


class StartErrand(NamedTuple):
    """Give the executor a command that is no job of the run; it has room for it."""

    job: Job


class EndErrand(NamedTuple):
    """Tell that an errand is over."""

    job: Job
    kind: ErrandKind
    outcome: Outcome


class CancelJob(NamedTuple):
    """End a running job or errand.

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


class DropAlarm(NamedTuple):
    """Forget an alarm, if there is one of that name that has not rung yet."""

    name: str


Action = (
    StartJob
    | RetryJob
    | EndJob
    | StartErrand
    | EndErrand
    | CancelJob
    | SkipJob
    | PassJob
    | SetAlarm
    | DropAlarm
)

"""What happens in a run, and who hears of it."""

from __future__ import annotations

from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.typed import Literal, NamedTuple, Protocol

ErrandKind = Literal["when", "ready", "notice"]
"""Whether a job is to be run, whether a service can be used, how the run ended."""


class RunStarted(NamedTuple):
    """A run begins.

    Attributes:
        run: its name, unique in its directory.
        at: wall clock, seconds since 1970.
        jobs: names of the jobs that are to be run.
        slots: how many may be alive at once.
        file: the definition, if there is one.
    """

    run: str
    at: float
    jobs: tuple[str, ...]
    slots: int
    file: str | None


class JobStarted(NamedTuple):
    """A job was given to a worker; once for each attempt, which count from 1."""

    job: Job
    at: float
    attempt: int = 1


class JobRetried(NamedTuple):
    """An attempt of a job has failed, and it is to be tried again.

    Attributes:
        attempt: the number of the one that failed.
        after: seconds until the next.
    """

    job: Job
    outcome: Outcome
    attempt: int
    after: float
    at: float


class JobEnded(NamedTuple):
    """A job is over, and nothing of it is alive (but `outcome.survivors`).

    Each job ends, or is skipped, once.

    Attributes:
        attempt: the number of the last one; its outcome is that of the job.
    """

    job: Job
    outcome: Outcome
    at: float
    attempt: int = 1


class JobSkipped(NamedTuple):
    """A job will not be run.

    Attributes:
        job: or one that stands, by its name, for all of a family that were not started.
        because: in words, naming the job at the root of it, or the signal.
    """

    job: Job
    because: str
    at: float


class ErrandEnded(NamedTuple):
    """A command that serves the run, and is no job of it, is over; it does not count.

    Attributes:
        kind: see `ErrandKind`.
    """

    job: Job
    kind: ErrandKind
    outcome: Outcome
    at: float


class JobPassed(NamedTuple):
    """A job was passed over, as if it had succeeded: it is up to date, say."""

    job: Job
    because: str
    at: float


class Interrupted(NamedTuple):
    """penstock was told to stop, by this signal."""

    signal: int
    at: float


class RanShort(NamedTuple):
    """There is too little of something for as many jobs at once as were asked for.

    Told once of each thing, and not of what was over in a moment.

    Attributes:
        errno: what it was that could not be had.
        slots: how many jobs may be alive at once now; they get fewer, or more again.
        usual: how many were asked for.
    """

    errno: int
    slots: int
    usual: int
    at: float


class RunEnded(NamedTuple):
    """A run is over.

    Attributes:
        status: exit status of the whole run.
        elapsed: seconds on the monotonic clock.
    """

    status: int
    at: float
    elapsed: float


JobEvent = JobStarted | JobRetried | JobEnded | JobSkipped | JobPassed | ErrandEnded
Event = RunStarted | JobEvent | Interrupted | RanShort | RunEnded


class Finished(NamedTuple):
    """What was submitted is over; told to the plan, which says what that means."""

    job: Job
    outcome: Outcome


class CutShort(NamedTuple):
    """The run cannot go on; told to the plan only, which ends it as after a failure.

    Attributes:
        because: in words.
        status: the exit status that tells of it.
    """

    because: str
    status: int


class AlarmRang(NamedTuple):
    """The time of a `SetAlarm` has come; told to the plan, and to no sink."""

    name: str


class InputCame(NamedTuple):
    """What a plan waited for can be read now; told to the plan, and to no sink."""


class SlotsChanged(NamedTuple):
    """So many jobs may be alive at once from now on; told to the plan only."""

    slots: int


News = (
    RunStarted
    | Finished
    | JobPassed
    | Interrupted
    | CutShort
    | AlarmRang
    | InputCame
    | SlotsChanged
)
"""What a plan hears."""


class Sink(Protocol):
    """Hears every event of a run, in order."""

    def receive(self, event: Event) -> None:
        """Take note of `event`; must not block and must not raise."""
        ...

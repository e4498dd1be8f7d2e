"""What happens in a run, and who hears of it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from penstock.model.job import Job
from penstock.model.outcome import Outcome


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
    """A job was given to a worker."""

    job: Job
    at: float


class JobEnded(NamedTuple):
    """A job is over, and nothing of it is alive (but `outcome.survivors`)."""

    job: Job
    outcome: Outcome
    at: float


class JobSkipped(NamedTuple):
    """A job will not be run, because of another or of an interruption."""

    job: Job
    because: str
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


class RunEnded(NamedTuple):
    """A run is over.

    Attributes:
        status: exit status of the whole run.
        elapsed: seconds on the monotonic clock.
    """

    status: int
    at: float
    elapsed: float


Event = (
    RunStarted | JobStarted | JobEnded | JobSkipped | JobPassed | Interrupted | RunEnded
)


class AlarmRang(NamedTuple):
    """The time of a `SetAlarm` has come; told to the plan, and to no sink."""

    name: str


class Sink(Protocol):
    """Hears every event of a run, in order."""

    def receive(self, event: Event) -> None:
        """Take note of `event`; must not block and must not raise."""
        ...

"""An executor at whose waits others are attended to as well: outputs, a display."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.clock import Clock, MonotonicClock
from penstock.executor.base import Executor
from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.typed import NamedTuple, Protocol


class Refusal(NamedTuple):
    """A running job that is to be ended, and why, in words."""

    job: str
    cause: str


class Attendant(Protocol):
    """Whoever has something to do while jobs run; must not block for long."""

    def due(self) -> float | None:
        """When it wants to be attended to next, on the monotonic clock; None: never."""
        ...

    def attend(self) -> Iterable[Refusal]:
        """Do what there is to do now; called at every wake-up, whatever woke us."""
        ...

    def stand_still(self) -> None:
        """Get ready to be stopped, as by Ctrl-Z."""
        ...


class Attended:
    """An `Executor` that attends to others after each wait.

    Args:
        executor: does all the rest.
        attendants: what wakes them, besides their time, has to end its waits.
        clock: their time.
    """

    def __init__(
        self,
        executor: Executor,
        attendants: Sequence[Attendant],
        clock: Clock | None = None,
    ) -> None:
        self._executor = executor
        self._attendants = attendants
        self._clock = clock or MonotonicClock()

    @property
    def slots(self) -> int:
        """How many jobs may be alive at once."""
        return self._executor.slots

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job`; see `Executor.submit`."""
        self._executor.submit(job, descriptors)

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """End the job `name`; see `Executor.cancel`."""
        self._executor.cancel(name, cause, now=now)

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Wait until a job has ended, or an attendant's time has come."""
        times = [attendant.due() for attendant in self._attendants]
        ends = [time for time in (deadline, *times) if time is not None]
        outcomes = self._executor.wait(min(ends, default=None))
        for attendant in self._attendants:
            for job, cause in attendant.attend():
                self._executor.cancel(job, cause)
        return outcomes

    def close(self) -> None:
        """End what still runs; see `Executor.close`."""
        self._executor.close()

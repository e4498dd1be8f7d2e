"""Roll: where each attempt is, once its job needs nothing more.

It is in one place at a time:

    _queue     waits for room
    _asked     has room, and an errand asks whether it is to run
    _running   has room, and was started or passed over
    _resting   has failed, and waits to be tried again; the room is given back
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.plan.attempt import Attempt
from penstock.plan.room import Queue, Room
from penstock.typed import NamedTuple


class Answered(NamedTuple):
    """An attempt whose errand is over.

    Attributes:
        refused: why the answer is of no use; None if it is.
    """

    attempt: Attempt
    refused: str | None


class Withdrawn(NamedTuple):
    """What of a withdrawal is still to be done.

    Attributes:
        alive: names of the jobs and errands to be cancelled.
        dropped: what waited, and is nowhere any more.
    """

    alive: list[str]
    dropped: list[Attempt]


class Roll:
    """The attempts of a run, from the queue to their end."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._queue: Queue[Attempt] = Queue(room)
        self._asked: dict[str, Attempt] = {}
        self._refused: dict[str, str] = {}
        self._running: dict[str, Attempt] = {}
        self._resting: dict[str, Attempt] = {}

    def __bool__(self) -> bool:
        return bool(self._queue or self._asked or self._running or self._resting)

    @property
    def alive(self) -> tuple[str, ...]:
        """The names of the jobs that run, then of the errands."""
        return (*self._running, *self._asked)

    def line_up(self, attempt: Attempt) -> None:
        """Let it wait for room."""
        self._queue.push(attempt.position, attempt.demand, attempt)

    def call(self) -> Attempt | None:
        """The next one that there is room for, which it has then."""
        return self._queue.pop()

    def ask(self, errand: str, attempt: Attempt) -> None:
        """It has room, and waits for the answer that the errand brings."""
        self._asked[errand] = attempt

    def is_asked(self, errand: str) -> bool:
        """Whether an attempt waits for this errand."""
        return errand in self._asked

    def answer(self, errand: str) -> Answered:
        """The errand is over; the attempt keeps its room, and is nowhere else."""
        return Answered(self._asked.pop(errand), self._refused.pop(errand, None))

    def run(self, attempt: Attempt) -> None:
        """It has room, and is started."""
        self._running[attempt.job.name] = attempt

    def is_running(self, job: str) -> bool:
        """Whether this job runs."""
        return job in self._running

    def leave(self, job: str) -> Attempt:
        """It ran, and is over."""
        attempt = self._running.pop(job)
        self._room.give_back(attempt.demand)
        return attempt

    def give_back(self, attempt: Attempt) -> None:
        """It had room, and will not run."""
        self._room.give_back(attempt.demand)

    def rest(self, attempt: Attempt) -> None:
        """Let it wait for its time."""
        self._resting[attempt.job.name] = attempt

    def wake(self, job: str) -> None:
        """Its time has come, if it still waits for that."""
        attempt = self._resting.pop(job, None)
        if attempt is not None:
            self.line_up(attempt)

    def withdraw(
        self, concerns: Callable[[str], bool], cause: str, spared: Callable[[str], bool]
    ) -> Withdrawn:
        """Drop what waits of the units that this `concerns`, and refuse its errands.

        What runs is to be cancelled, and may end by itself before it hears of that.

        Args:
            concerns: by name of the unit.
            cause: why, in words.
            spared: of those, the units that are left to run.
        """
        running = [
            name
            for name, attempt in self._running.items()
            if concerns(attempt.unit) and not spared(attempt.unit)
        ]
        for name in running:
            self._running[name] = self._running[name]._replace(is_withdrawn=True)
        errands = [name for name, each in self._asked.items() if concerns(each.unit)]
        self._refused.update(dict.fromkeys(errands, cause))
        dropped = self._queue.drop(lambda attempt: concerns(attempt.unit))
        for attempt in [a for a in self._resting.values() if concerns(a.unit)]:
            dropped.append(self._resting.pop(attempt.job.name))
        return Withdrawn([*running, *errands], dropped)

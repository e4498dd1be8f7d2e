"""Looking at the processes of a job now and then, while a limit asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock.model.job import Job
from penstock.proc.files import Files
from penstock.proc.idle import Silence
from penstock.proc.launch import Running
from penstock.proc.memory import Memory
from penstock.proc.stop import Stop
from penstock.proc.trees import trees_of

if TYPE_CHECKING:
    from penstock.proc.stall import Stall


class Gauge:
    """What commands write and hold can only be seen by looking: nothing wakes us.

    Attributes:
        stall: looks for a deadlock, if there may be one.
    """

    def __init__(
        self, job: Job, running: Sequence[Running], files: Files, now: float
    ) -> None:
        self._running = running
        self._silence = Silence(job, running, files, now)
        self._memory = Memory(job, running)
        self._trees: dict[int, int] = {}
        self._every = _shortest(self._silence.every, self._memory.every)
        self._next_at = None if self._every is None else now + self._every
        self.stall: Stall | None = None

    @property
    def next_at(self) -> float | None:
        """When to look; None if no limit asks for that."""
        return _shortest(self._next_at, self.stall.next_at if self.stall else None)

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that the job was seen to hold; None if nobody looked."""
        return self._memory.peak_bytes

    def look(self, now: float) -> Stop | None:
        """Look, if it is time; the stop that follows from what was seen."""
        stalled = self.stall.look(now) if self.stall else None
        if self._every is None or self._next_at is None or now < self._next_at:
            return stalled
        self._next_at = now + self._every
        self._trees = trees_of(self._running, self._trees)
        too_much = self._memory.look(self._trees) if self._memory.every else None
        return too_much or stalled or self._silence.look(self._trees, now)


def _shortest(*times: float | None) -> float | None:
    return min((time for time in times if time is not None), default=None)

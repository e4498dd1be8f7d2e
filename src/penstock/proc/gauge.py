"""Looking at the processes of a job now and then, while a limit asks for it."""

from __future__ import annotations

from penstock.model.job import Job
from penstock.proc.brood import Brood
from penstock.proc.files import Files
from penstock.proc.stop import Stop, earlier
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.proc.idle import Silence
    from penstock.proc.memory import Memory
    from penstock.proc.stall import Stall


class Gauge:
    """What commands write and hold can only be seen by looking: nothing wakes us.

    Attributes:
        stall: looks for a deadlock, if there may be one.
    """

    def __init__(self, job: Job, brood: Brood, files: Files, now: float) -> None:
        self._brood = brood
        self._silence = _listen(job, brood, files, now)
        self._memory = _weigh(job, brood)
        self._trees: dict[int, int] = {}
        self._every = earlier(
            self._silence.every if self._silence else None,
            self._memory.every if self._memory else None,
        )
        self._next_at = None if self._every is None else now + self._every
        self.stall: Stall | None = None

    @classmethod
    def of(cls, job: Job, brood: Brood, files: Files, now: float) -> Gauge | None:
        """What looks at `job`; None if no limit of a command asks for that."""
        for stage in job.stages:
            if stage.limits.idle is not None or stage.command.memory is not None:
                return cls(job, brood, files, now)
        return None

    @property
    def next_at(self) -> float | None:
        """When to look; None if no limit asks for that."""
        return earlier(self._next_at, self.stall.next_at if self.stall else None)

    @property
    def peak_bytes(self) -> int | None:
        """The most memory that the job was seen to hold; None if nobody looked."""
        return self._memory.peak_bytes if self._memory else None

    def look(self, now: float) -> Stop | None:
        """Look, if it is time; the stop that follows from what was seen."""
        stalled = self.stall.look(now) if self.stall else None
        if self._every is None or self._next_at is None or now < self._next_at:
            return stalled
        self._next_at = now + self._every
        from penstock.proc.trees import trees_of  # noqa: PLC0415 (few jobs need it)

        brood = self._brood
        trees = self._trees = trees_of(brood.running, brood.relaying, self._trees)
        too_much = self._memory.look(trees) if self._memory else None
        silent = self._silence.look(trees, now) if self._silence else None
        return too_much or stalled or silent


def _listen(job: Job, brood: Brood, files: Files, now: float) -> Silence | None:
    """What looks after the limits on silence; None if there are none."""
    if all(stage.limits.idle is None for stage in job.stages):
        return None
    from penstock.proc.idle import Silence  # noqa: PLC0415 (few jobs need it)

    return Silence(job, brood.running, files, now)


def _weigh(job: Job, brood: Brood) -> Memory | None:
    """What looks after the limits on memory; None if there are none."""
    if all(stage.command.memory is None for stage in job.stages):
        return None
    from penstock.proc.memory import Memory  # noqa: PLC0415 (few jobs need it)

    return Memory(job, brood.running)

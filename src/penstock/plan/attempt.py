"""Attempt: one try of a job, on its way through the scheduler."""

from __future__ import annotations

from penstock.model.event import Finished
from penstock.model.job import Family, Job
from penstock.model.outcome import Cancelled, Outcome
from penstock.plan.room import Demand
from penstock.typed import NamedTuple


class Attempt(NamedTuple):
    """One try of a job.

    Attributes:
        job: as it was defined.
        unit: the job's name, or that of its family.
        position: of the unit in the pipeline.
        demand: what it takes while it runs.
        number: from 1.
        last: how the one before ended, if there was one.
        is_withdrawn: it is being cancelled, so there is none after it, however it ends.
    """

    job: Job
    unit: str
    position: int
    demand: Demand
    number: int = 1
    last: Finished | None = None
    is_withdrawn: bool = False

    def again(self, last: Finished) -> Attempt:
        """The next one, after this one has ended as `last` tells."""
        return self._replace(number=self.number + 1, last=last)


def blame(outcome: Outcome) -> str:
    """Why what needs a job that has failed is not run."""
    match outcome.ending:
        case Cancelled(cause) if outcome.remark is None:
            return cause  # another is to blame
        case _:
            return f"job {outcome.job} failed"


def stand_in(unit: Job | Family) -> Job:
    """A job to tell of; of a family, one for all that were not started."""
    if isinstance(unit, Job):
        return unit
    return Job(unit.name, (), needs=unit.needs, place=unit.place)

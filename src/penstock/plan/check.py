"""Check: whether a pipeline can come to rest at all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from penstock.errors import UsageError
from penstock.model.circle import find_circle
from penstock.model.job import Family, Job, Pipeline
from penstock.plan.room import Room


def check(pipeline: Pipeline, room: Room) -> None:
    """Refuse what could never come to rest.

    Of a family only the first member is looked at: the others are made like it.

    Raises:
        UsageError: a name is used twice or unknown, jobs need each other in a circle,
            a job takes more than there is, or a service what it cannot have.
    """
    units: list[Job | Family] = [*pipeline.jobs, *pipeline.families]
    _check_needs(units)
    for unit in units:
        for job in _examples(unit):
            _check_policy(job, room)
            if isinstance(unit, Family) and job.policy.service is not None:
                raise UsageError(f"service {job.name} is one of a family; name each")


def _check_needs(units: list[Job | Family]) -> None:
    needs = {unit.name: unit.needs for unit in units}
    if len(needs) != len(units):
        raise UsageError("two jobs have the same name")
    for unit in units:
        for need in unit.needs:
            if need not in needs:
                raise UsageError(f"job {unit.name} needs {need}, which does not exist")
    circle = find_circle(needs)
    if circle:
        names = " -> ".join((*circle, circle[0]))
        raise UsageError(f"jobs need each other: {names}")


def _examples(unit: Job | Family) -> Iterator[Job]:
    if isinstance(unit, Job):
        return iter((unit,))
    # What a family is made of may come from those that it needs.
    return islice(unit.members(), 0 if unit.needs else 1)


def _check_policy(job: Job, room: Room) -> None:
    if job.policy.service is not None and job.policy.resources:
        # It would keep them from those that need it, perhaps for ever.
        raise UsageError(f"service {job.name} takes resources: only other jobs can")
    room.demand(job)

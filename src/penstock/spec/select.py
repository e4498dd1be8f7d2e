"""Select: some jobs of a pipeline, and what they need."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.errors import UsageError
from penstock.model.job import Family, Job, Pipeline, family_of
from penstock.spec.mistakes import did_you_mean, shown


def select(pipeline: Pipeline, names: Iterable[str]) -> Pipeline:
    """The named jobs and all that they need, in the order of `pipeline`.

    No name at all means every job. A family may be named, or one of its members.

    Raises:
        UsageError: for a name that no job has.
    """
    units: dict[str, Job | Family] = {job.name: job for job in pipeline.jobs}
    units |= {family.name: family for family in pipeline.families}
    waiting = list(names)
    if not waiting:
        return pipeline
    members: dict[str, Job] = {}
    for name in waiting:
        if name not in units:
            members[name] = _member(name, pipeline)
    wanted: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend((members.get(name) or units[name]).needs)
    alone = (job for job in members.values() if family_of(job.name) not in wanted)
    return pipeline._replace(
        jobs=(*(job for job in pipeline.jobs if job.name in wanted), *alone),
        families=tuple(f for f in pipeline.families if f.name in wanted),
    )


def _member(name: str, pipeline: Pipeline) -> Job:
    """The member of a family that has this name."""
    for family in pipeline.families:
        if family.name == family_of(name):
            for job in family.members():
                if job.name == name:
                    return job
            raise UsageError(f"{shown(family.name)} has no member {shown(name)}")
    known = [job.name for job in pipeline.jobs]
    known += [family.name for family in pipeline.families]
    raise UsageError(f"there is no job {shown(name)}{did_you_mean(name, known)}")

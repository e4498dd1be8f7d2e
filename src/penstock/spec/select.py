"""Select: some jobs of a pipeline, and what they need."""

from __future__ import annotations

from collections.abc import Iterable

from penstock.errors import UsageError
from penstock.model.job import Pipeline
from penstock.spec.mistakes import did_you_mean, shown


def select(pipeline: Pipeline, names: Iterable[str]) -> Pipeline:
    """The named jobs and all that they need, in the order of `pipeline`.

    No name at all means every job.

    Raises:
        UsageError: for a name that no job has.
    """
    jobs = {job.name: job for job in pipeline.jobs}
    waiting = list(names)
    if not waiting:
        return pipeline
    for name in waiting:
        if name not in jobs:
            hint = did_you_mean(name, jobs)
            raise UsageError(f"there is no job {shown(name)}{hint}")
    wanted: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(jobs[name].needs)
    return pipeline._replace(
        jobs=tuple(job for job in pipeline.jobs if job.name in wanted)
    )

"""Successes: which jobs have been done, in this run and in the one it goes on from."""

from __future__ import annotations

from penstock.model.job import Job, Pipeline
from penstock.plan.fingerprint import Fingerprint, Part, summary_of
from penstock.state.memory import Memory
from penstock.state.record import Done


class Successes:
    """Knows what was done, and records what is."""

    def __init__(self, pipeline: Pipeline, memory: Memory) -> None:
        self._memory = memory
        self._families = {family.name: family for family in pipeline.families}
        self._named = {job.name for job in pipeline.jobs}
        past = memory.past.done if memory.past else {}
        self._runs = {name: done.run for name, done in past.items()}

    def digest(self, job: Job, fingerprint: Fingerprint) -> str:
        """What tells that a job is done: what it was, and after what it was run."""
        before = (Part("need", need, self._when(need)) for need in job.needs)
        return summary_of((*fingerprint, *before))

    def had(self, job: Job, digest: str) -> bool:
        """Whether the run that we go on from has done just that."""
        past = self._memory.past
        return past is not None and past.done.get(job.name, Done("", ""))[0] == digest

    def keep(self, job: Job, digest: str) -> None:
        """A job is passed over: it is done, and was before."""
        if not self.had(job, digest):
            self.add(job, digest)

    def add(self, job: Job, digest: str) -> None:
        """A job has been done in this run."""
        run = self._memory.site.run
        if self._memory.past is not None or job.name in self._named:
            self._runs[job.name] = run
        self._memory.succeeded(job.name, Done(digest, run))

    def _when(self, need: str) -> str:
        """The run in which a job was done; the runs in which a family was."""
        family = self._families.get(need)
        if family is None:
            return self._runs.get(need, "")
        if self._memory.past is None:  # nobody knows its million members by name
            return self._memory.site.run
        runs = {self._runs.get(member.name) for member in family.members()}
        return " ".join(sorted(filter(None, runs)))

"""Successes: which jobs have been done, in this run and in the one it goes on from."""

from __future__ import annotations

from penstock.model.job import Job, Pipeline, family_of
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
        self._revoked: set[str] = set()

    def digest(self, job: Job, fingerprint: Fingerprint) -> str:
        """What tells that a job is done: what it was, and after what it was run."""
        before = (Part("need", need, self._when(need)) for need in job.needs)
        return summary_of((*fingerprint, *before))

    def run_of(self, job: Job, digest: str) -> str | None:
        """The run in which just that was done, as the one says that we go on from."""
        done = self._past_done(job)
        return done.run if done is not None and done.digest == digest else None

    def keep(self, job: Job, digest: str) -> None:
        """A job is passed over: it is done, and was before."""
        if self.run_of(job, digest) is None:
            self.add(job, digest)

    def revoke(self, job: Job) -> None:
        """A job is about to be started: whatever becomes of it, it is not done."""
        if self._past_done(job) is not None:
            self._revoked.add(job.name)
            self._memory.revoke(job.name)

    def add(self, job: Job, digest: str) -> None:
        """A job has been done in this run."""
        run = self._memory.site.run
        if self._memory.past is not None or job.name in self._named:
            self._runs[job.name] = run
        else:  # nobody knows the million members of a family by name
            self._runs[family_of(job.name)] = run
        self._memory.succeeded(job.name, Done(digest, run))

    def _when(self, need: str) -> str:
        """The run in which a job was done; the runs in which a family was, if any."""
        family = self._families.get(need)
        if family is None or self._memory.past is None:
            return self._runs.get(need, "")
        runs = {self._runs.get(member.name) for member in family.members()}
        return " ".join(sorted(filter(None, runs)))

    def _past_done(self, job: Job) -> Done | None:
        past = self._memory.past
        if past is None or job.name in self._revoked:
            return None
        return past.done.get(job.name)

"""A pool under a jobserver: a job starts when there is a token for it.

Invariant: of n jobs that run, n - 1 have a token, and one the implicit slot. What has
to wait is held here, and told to the engine as submitted; its time runs from its start.

Services, and who asks whether they are ready, are none of the n: a service ends only
after the jobs that need it, and those would wait for its token.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress

from penstock.errors import PenstockError
from penstock.executor.pool import Pool
from penstock.make.jobserver import Jobserver
from penstock.model.job import Job
from penstock.model.outcome import Lost, Outcome
from penstock.model.verdict import unbegun, unseen


class Gated:
    """An `Executor` that asks a jobserver before it starts a job."""

    def __init__(
        self, pool: Pool, jobserver: Jobserver, makeflags: str | None = None
    ) -> None:
        """Put a gate before `pool`, which it then owns.

        Args:
            pool: runs the jobs; must not work ahead.
            jobserver: has the tokens; the caller closes it, after this.
            makeflags: MAKEFLAGS for every command; None for the inherited one.
        """
        self._pool = pool
        self._jobserver = jobserver
        self._makeflags = makeflags
        self._running = 0
        self._services: set[str] = set()  # that run, and who asks them
        self._waiting: dict[str, tuple[Job, tuple[int, ...]]] = {}
        self._ended: list[Outcome] = []

    @property
    def slots(self) -> int:
        """How many jobs may be alive at once."""
        return self._pool.slots

    @property
    def room(self) -> int:
        """How many jobs may be submitted now; those that wait have a place, too."""
        given = self._running + len(self._services) + len(self._waiting)
        return self._pool.slots - given

    @property
    def is_clean(self) -> bool:
        """See `Pool`."""
        return self._pool.is_clean

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job`, now or when there is a token; see `Executor.submit`."""
        job = _tell(job, self._makeflags)
        if job.policy.service is not None:
            self._pool.submit(job, descriptors)
            self._services.add(job.name)
            return
        if self._waiting or not self._enter():
            own = tuple(os.dup(descriptor) for descriptor in descriptors)
            self._waiting[job.name] = (job, own)
            self._heed()
            return
        try:
            self._pool.submit(job, descriptors)
        except BaseException:
            self._leave()
            raise

    def tell_of_starts(self, begin: Callable[[str], None]) -> None:
        """Tell `begin` the name of each job that has got what it needs, and starts."""
        self._pool.tell_of_starts(begin)

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """End the job `name`; see `Executor.cancel`."""
        if name not in self._waiting:
            self._pool.cancel(name, cause, now=now)
            return
        job = self._forget(name)
        self._ended.append(unbegun(job, cause))

    def suspend(self, *, on: bool) -> None:
        """Let every job stand still, or go on; see `Pool.suspend`."""
        self._pool.suspend(on=on)

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Wait until a job has ended; see `Executor.wait`."""
        if not self._ended:
            outcomes = self._pool.wait(deadline)
            self._ended.extend(outcomes)
            names = {outcome.job for outcome in outcomes}
            self._running -= len(names - self._services)
            self._services -= names
            self._admit()
            self._settle()
            self._heed()
        ended, self._ended = tuple(self._ended), []
        return ended

    def close(self) -> None:
        """End every job, and put back every token; see `Executor.close`."""
        for name in [*self._waiting]:
            self._forget(name)
        self._pool.close()
        self._running = 0
        self._services.clear()
        # The nursery has put them back already, unless it was killed: so what is there
        # counts, and not what we hold.
        self._jobserver.give_back()
        self._jobserver.refill()

    def _enter(self) -> bool:
        """Take what one more job needs: the implicit slot, or a token."""
        if self._running > self._jobserver.held and not self._jobserver.take():
            return False
        self._running += 1
        return True

    def _leave(self) -> None:
        self._running -= 1
        self._settle()

    def _settle(self) -> None:
        """Put back the tokens that no running job needs."""
        while self._jobserver.held > max(0, self._running - 1):
            self._jobserver.give()
        if not (self._running or self._services):  # a make in a service may have some
            self._jobserver.refill()

    def _heed(self) -> None:
        """Let tokens wake us, if we want one and can take one; else an end does."""
        if self._waiting and not self._jobserver.is_full:
            self._pool.listen(self._jobserver.reader)
        else:  # what may not be taken would wake us again at once
            self._pool.ignore(self._jobserver.reader)

    def _admit(self) -> None:
        """Start what waits, as far as there are tokens."""
        while self._waiting and self._enter():
            name = next(iter(self._waiting))
            job, descriptors = self._waiting[name]
            try:
                self._pool.submit(job, descriptors)
            except PenstockError as error:
                self._running -= 1
                self._ended.append(unseen(job, Lost(str(error))))
            self._forget(name)

    def _forget(self, name: str) -> Job:
        """Let a job wait no longer; close its descriptors."""
        job, descriptors = self._waiting.pop(name)
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)
        if not self._waiting:
            self._pool.ignore(self._jobserver.reader)
        return job


def _tell(job: Job, makeflags: str | None) -> Job:
    """The job, its commands told of our jobserver, unless they were told otherwise."""
    if makeflags is None:
        return job
    stages = tuple(
        stage._replace(
            command=stage.command._replace(
                env=(("MAKEFLAGS", makeflags), *stage.command.env)
            )
        )
        for stage in job.stages
    )
    return job._replace(stages=stages)

"""The workers of a pool: who is there, who has which job, and who gets the next.

What they answer is heard by the pool (`pool`).
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from contextlib import suppress
from errno import EMFILE
from math import inf

from penstock.clock import Clock
from penstock.errors import NurseryLost, PenstockError, UsageError
from penstock.executor.end import NoWorker, WorkerEnd, lose, recall_late, unstarted
from penstock.executor.message import Quit, Run, Suspended, send
from penstock.executor.nursery import Nursery
from penstock.model.job import Job
from penstock.model.outcome import Outcome

_TRIES = 3  # workers that die before they are given anything


class Crew:
    """Gives each job to a worker: an idle one, a new one, or the least laden.

    Attributes:
        slots: how many workers there may be.
        workers: by the descriptor of our end.
        owners: the worker of each job, by its name.
    """

    def __init__(
        self, slots: int, nursery: Nursery, epoll: select.epoll, clock: Clock
    ) -> None:
        """Begin with nobody.

        Args:
            slots: at least 1.
            nursery: forks the workers.
            epoll: is to wait for what they say.
            clock: for when a worker was given something.
        """
        self.slots = slots
        self.workers: dict[int, WorkerEnd] = {}
        self.owners: dict[str, WorkerEnd] = {}
        self._idle: list[WorkerEnd] = []
        self._stale: list[WorkerEnd] = []  # with something unsent
        self._nursery = nursery
        self._epoll = epoll
        self._clock = clock

    @property
    def is_too_large(self) -> bool:
        """Whether some of the workers are to go."""
        return len(self.workers) > self.slots

    @property
    def n_free(self) -> int:
        """How many jobs would be begun at once."""
        return len(self._idle) + self.slots - len(self.workers)

    def assign(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Give `job` to a worker, now, or by `flush` if it has others to do first.

        Raises:
            UsageError: a descriptor cannot be handed over.
            NoWorker: there is not enough for one more at the moment.
            NurseryLost: no worker can be had any more.
        """
        for _ in range(_TRIES):
            worker = self._choose()
            if self._give(worker, job, descriptors):
                if not worker.jobs:
                    worker.since = self._clock.now()
                worker.jobs[job.name] = job
                self.owners[job.name] = worker
                return
            self.drop(worker)  # it died while it was idle
        raise NurseryLost("no worker stays alive: can processes be started?")

    def flush(self) -> None:
        """Tell the workers what they were given and not told of."""
        while self._stale:
            self._stale.pop().flush()

    def reassign(self, jobs: list[Job]) -> tuple[Outcome, ...]:
        """Give `jobs` to other workers; what no worker can be had for has ended."""
        for position, job in enumerate(jobs):
            try:
                self.assign(job)
            except NoWorker as lack:
                return tuple(unstarted(each, lack.errno) for each in jobs[position:])
            except PenstockError as error:
                return tuple(lose(each, str(error)) for each in jobs[position:])
        return ()

    def rehome(self, worker: WorkerEnd, jobs: Sequence[Job]) -> Sequence[Outcome]:
        """Give what waited at `worker`, and is still wanted, to others."""
        wanted, ended = worker.sort_out(jobs)
        return (*ended, *self.reassign(wanted))

    def forget(self, worker: WorkerEnd, name: str) -> Job:
        """The job of that name, which `worker` has no more."""
        del self.owners[name]
        return worker.jobs.pop(name)

    def rest(self, worker: WorkerEnd) -> None:
        """A worker has nothing to do: it waits, or ends since nobody talks to it."""
        if self.is_too_large:
            self.drop(worker)
        elif worker not in self._idle:  # it may say that it has nothing to give back
            self._idle.append(worker)

    def drop(self, worker: WorkerEnd) -> list[Job]:
        """Forget a worker; what it was given and had not ended."""
        descriptor = worker.channel.fileno()
        del self.workers[descriptor]
        self._epoll.unregister(descriptor)
        worker.channel.close()
        for workers in (self._idle, self._stale):
            if worker in workers:
                workers.remove(worker)
        for name in worker.jobs:
            del self.owners[name]
        return list(worker.jobs.values())

    def resize(self, slots: int) -> None:
        """Let there be so many workers, 1 at least; what runs is left to end."""
        self.slots = slots
        while self._idle and self.is_too_large:
            self.drop(self._idle[0])
        if self.is_too_large:  # those go that have nothing to do first
            recall_late(self.workers.values(), inf)

    def suspend(self, *, on: bool) -> None:
        """Let what every worker runs stand still, or go on again."""
        for worker in self.workers.values():
            with suppress(OSError):  # its death shows in Pool.wait
                send(worker.channel, Suspended(on))

    def dismiss(self, why: str) -> None:
        """Tell every worker to end at once; there is nobody then."""
        for worker in self.workers.values():
            with suppress(OSError):
                send(worker.channel, Quit(why))
            worker.channel.close()
        self.workers.clear()
        self.owners.clear()

    def _give(self, worker: WorkerEnd, job: Job, descriptors: Sequence[int]) -> bool:
        """Send `job` at once to an idle worker, or with others later; False: dead."""
        if worker.jobs:
            if not worker.unsent:
                self._stale.append(worker)
            worker.unsent.append(job)
            return True
        try:
            send(worker.channel, Run((job,)), descriptors)
        except ConnectionError:
            return False
        except OSError as error:  # a descriptor that is not open, say
            self._idle.append(worker)
            why = f"cannot hand over job {job.name}: {error.strerror}"
            raise UsageError(why) from error
        return True

    def _choose(self) -> WorkerEnd:
        if self._idle:
            return self._idle.pop()
        if len(self.workers) < self.slots:
            return self._new_worker()
        return min(self.workers.values(), key=lambda worker: len(worker.jobs))

    def _new_worker(self) -> WorkerEnd:
        try:
            worker = WorkerEnd(self._nursery.new_worker())
        except OSError as error:
            raise NoWorker(error.errno or EMFILE) from error
        descriptor = worker.channel.fileno()
        self.workers[descriptor] = worker
        self._epoll.register(descriptor, select.EPOLLIN)
        return worker

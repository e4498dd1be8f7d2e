"""The local executor: a pool of workers on this machine.

A worker is forked when a job needs one, and serves until the pool is closed or the
worker dies. A worker that dies takes only its own job with it, which is reported as
lost; its descendants are ended by the nursery.
"""

from __future__ import annotations

import select
from collections.abc import Sequence
from contextlib import suppress
from math import inf
from typing import Self

from penstock.clock import Clock, MonotonicClock
from penstock.errors import NurseryLost, PenstockError, UsageError
from penstock.executor.end import (
    Pace,
    WorkerEnd,
    are_supplied,
    check_job,
    due_times,
    lose,
    recall_late,
)
from penstock.executor.message import (
    Done,
    Quit,
    Received,
    Returned,
    Run,
    Stop,
    Succeeded,
    Suspended,
    owned,
    receive,
    send,
)
from penstock.executor.nursery import Nursery, start_nursery
from penstock.model.job import Job
from penstock.model.outcome import Cancelled, Outcome
from penstock.model.verdict import unseen

_TRIES = 3  # workers that die before they are given anything
_NAP = 0.01  # seconds in which many short jobs may end before we look


class Pool:
    """Runs at most `slots` jobs at once, each by a worker of its own (an `Executor`).

    Attributes:
        is_clean: once closed, whether the nursery said that nothing is left.
    """

    def __init__(
        self,
        slots: int,
        nursery: Nursery,
        *,
        ahead: int = 0,
        wakes: Sequence[int] = (),
        output: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make a pool over a nursery, which it then owns.

        Args:
            slots: at least 1.
            nursery: forks the workers.
            ahead: how many jobs each worker may hold besides the one that it runs, at
                the most, so that it need not wait for us between two short ones. While
                jobs take longer it holds fewer, or none; and what waits behind a long
                one is taken back, and given to whoever is free first.
            wakes: descriptors that end `wait` while they are readable.
            output: a descriptor that ends `wait`, once, when nobody reads it any more.
            clock: for the deadlines of `wait`.
        """
        if slots < 1:
            raise UsageError(f"a pool needs at least one slot, not {slots}")
        self.is_clean = True
        self._slots = slots
        self._nursery = nursery
        self._ahead = ahead
        self._clock = clock or MonotonicClock()
        self._workers: dict[int, WorkerEnd] = {}  # by descriptor
        self._owner: dict[str, WorkerEnd] = {}  # by name of the job
        self._idle: list[WorkerEnd] = []
        self._stale: list[WorkerEnd] = []  # with something unsent
        self._backlog: dict[str, Job] = {}  # taken back, and not given out again
        self._told: list[Outcome] = []  # what is known before the next wait
        self._pace = Pace()
        self._epoll = select.epoll()
        self._alarms = select.poll()
        self._output = output
        if output is not None:
            with suppress(OSError):  # a file has no reader (epoll_ctl(2): EPERM)
                self._epoll.register(output, 0)  # EPOLLERR and EPOLLHUP are always told
        for descriptor in (nursery.pidfd, *wakes):
            self._epoll.register(descriptor, select.EPOLLIN)
            self._alarms.register(descriptor, select.POLLIN)

    @classmethod
    def open(cls, slots: int, *, ahead: int = 0, isolate: str | None = None) -> Self:
        """A pool for a program that uses the library: with a nursery of its own.

        Args:
            slots: see `__init__`.
            ahead: see `__init__`.
            isolate: see `Nursery.isolate`; None for no wall around the workers.
        """
        nursery = start_nursery()
        try:
            if isolate is not None:
                nursery.isolate(isolate)
            return cls(slots, nursery, ahead=ahead)
        except BaseException:
            nursery.close()
            raise

    @property
    def slots(self) -> int:
        """How many jobs may be alive at once."""
        return self._slots

    @property
    def room(self) -> int:
        """How many jobs are better submitted now than later, as long as they take."""
        if len(self._workers) > self._slots:
            return 0  # some of them are to go
        return self._slots * (1 + self._pace.stock(self._ahead)) - self._held

    def peers(self) -> dict[str, int]:
        """For each job at a worker, the worker; see `Nursery.peers`."""
        known = self._nursery.peers
        return {name: known[w.channel.fileno()] for name, w in self._owner.items()}

    @property
    def _held(self) -> int:
        return len(self._owner) + len(self._backlog)

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job`, or let it wait at a worker; see `Executor.submit`.

        Raises:
            UsageError: there is no room, the name is in use, the links are wrong, or
                descriptors would have to wait, or are missing.
            NurseryLost: no worker can be had any more.
        """
        if job.name in self._owner or job.name in self._backlog:
            raise UsageError(f"a job named {job.name} is running")
        if self._held >= self._slots * (1 + self._ahead):
            raise UsageError(f"all {self._slots} slots are in use")
        if descriptors and self._ahead:
            raise UsageError("a pool that works ahead takes no descriptors")
        check_job(job, len(descriptors))
        self._assign(job, descriptors)

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """End the job `name`; see `Executor.cancel`."""
        worker = self._owner.get(name)
        if name in self._backlog:
            ending = Cancelled(cause, None, escalated=False)
            self._told.append(unseen(self._backlog.pop(name), ending))
        elif worker is not None:
            worker.cancel(Stop(name, cause, now), self._clock.now())

    def listen(self, descriptor: int) -> None:
        """Let `wait` end also when `descriptor` is readable; again is no error."""
        with suppress(FileExistsError):
            self._epoll.register(descriptor, select.EPOLLIN)

    def ignore(self, descriptor: int) -> None:
        """The opposite of `listen`."""
        with suppress(FileNotFoundError, ValueError):  # closed: it listens to nothing
            self._epoll.unregister(descriptor)

    def suspend(self, *, on: bool) -> None:
        """Let every job stand still (its time too), or go on again."""
        for worker in self._workers.values():
            with suppress(OSError):  # its death shows in wait()
                send(worker.channel, Suspended(on))

    def resize(self, slots: int) -> None:
        """Let so many jobs be alive at once, 1 at least; what runs is left to end."""
        self._slots = slots
        while self._idle and len(self._workers) > slots:
            self._drop(self._idle[0])
        if len(self._workers) > slots:  # those go that have nothing to do first
            recall_late(self._workers.values(), inf)

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Wait until a job has ended; see `Executor.wait`."""
        while self._stale:
            self._stale.pop().flush()
        if self._ahead and are_supplied(self._workers.values(), self._slots):
            # A wake-up for each of many short jobs would cost as much as the job.
            self._alarms.poll(_NAP * 1000)
        outcomes, self._told = self._told, []
        patience = 0.0 if outcomes else self._patience(deadline)
        for descriptor, _ in self._epoll.poll(patience):
            worker = self._workers.get(descriptor)
            if worker is not None:
                outcomes.extend(self._hear(worker))
            elif descriptor == self._nursery.pidfd:
                outcomes.extend(self._lose_nursery())
            elif descriptor == self._output:
                self._epoll.unregister(descriptor)  # or it would never rest
        if self._ahead:
            outcomes.extend(self._even_out())
        return (*outcomes, *self._give_up())

    def _even_out(self) -> Sequence[Outcome]:
        """Take back what waits behind a long job; give that to those who are idle."""
        recall_late(self._workers.values(), self._clock.now())
        given: list[Job] = []
        free = len(self._idle) + self._slots - len(self._workers)
        while self._backlog and len(given) < free:
            given.append(self._backlog.pop(next(iter(self._backlog))))
        return self._reassign(given)

    def _patience(self, deadline: float | None) -> float | None:
        """Seconds to wait: to the deadline, or until a worker should have answered."""
        ends = due_times(self._workers.values(), deadline, ahead=bool(self._ahead))
        return max(0.0, min(ends) - self._clock.now()) if ends else None

    def _give_up(self) -> tuple[Outcome, ...]:
        """The jobs of workers that were told to cancel one, and never answered."""
        now = self._clock.now()
        mute = [w for w in self._workers.values() if w.doomed and now >= w.due]
        return tuple(
            outcome
            for worker in mute
            for outcome in self._bury(worker, "its worker does not answer")
        )

    def close(self) -> None:
        """End every job and every process of the pool; see `Executor.close`."""
        if self._epoll.closed:
            return
        self._epoll.close()
        for worker in self._workers.values():
            with suppress(OSError):
                send(worker.channel, Quit("the pool was closed"))
            worker.channel.close()
        self._workers.clear()
        self._owner.clear()
        self.is_clean = self._nursery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _assign(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Give `job` to a worker: an idle one, a new one, or the least laden."""
        for _ in range(_TRIES):
            worker = self._choose()
            if self._give(worker, job, descriptors):
                if not worker.jobs:
                    worker.since = self._clock.now()
                worker.jobs[job.name] = job
                self._owner[job.name] = worker
                return
            self._drop(worker)  # it died while it was idle
        raise NurseryLost("no worker stays alive: can processes be started?")

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
        if len(self._workers) < self._slots:
            return self._new_worker()
        return min(self._workers.values(), key=lambda worker: len(worker.jobs))

    def _new_worker(self) -> WorkerEnd:
        try:
            worker = WorkerEnd(self._nursery.new_worker())
        except OSError as error:
            why = f"no worker can be had: {error.strerror}; try fewer jobs at once, or"
            raise PenstockError(f"{why} a higher `ulimit -n`") from error
        descriptor = worker.channel.fileno()
        self._workers[descriptor] = worker
        self._epoll.register(descriptor, select.EPOLLIN)
        return worker

    def _hear(self, worker: WorkerEnd) -> list[Outcome]:
        """What a ready worker has to say: outcomes, or that it is dead."""
        outcomes: list[Outcome] = []
        worker.since = self._clock.now()
        while True:
            try:
                received = receive(worker.channel)
            except BlockingIOError:
                return outcomes
            match received:
                case Received(Succeeded() as told):
                    outcome = told.outcome(worker.jobs[told.job].stages[0].name)
                    outcomes.append(self._note(worker, outcome))
                case Received(Done(told), descriptors):
                    outcomes.append(self._note(worker, owned(told, descriptors)))
                    if told.survivors or told.spared:  # it ends, and starts no other
                        outcomes.extend(self._rehome(worker, self._drop(worker)))
                        return outcomes
                case Received(Returned(names)):
                    self._take_back(worker, names)
                case _:
                    return [*outcomes, *self._bury(worker)]
            if not worker.jobs:
                self._rest(worker)
                return outcomes

    def _rest(self, worker: WorkerEnd) -> None:
        """A worker has nothing to do: it waits, or ends since nobody talks to it."""
        if len(self._workers) > self._slots:
            self._drop(worker)
        else:
            self._idle.append(worker)

    def _note(self, worker: WorkerEnd, outcome: Outcome) -> Outcome:
        """A job of `worker` is over."""
        del worker.jobs[outcome.job], self._owner[outcome.job]
        worker.doomed.pop(outcome.job, None)
        self._pace.note(outcome.elapsed)
        return outcome

    def _take_back(self, worker: WorkerEnd, names: Sequence[str]) -> None:
        """What a worker gives back goes to whoever is free first."""
        worker.is_asked = False
        for name in names:
            del self._owner[name]
        wanted, ended = worker.sort_out([worker.jobs.pop(name) for name in names])
        self._backlog.update((job.name, job) for job in wanted)
        self._told.extend(ended)

    def _bury(
        self, worker: WorkerEnd, reason: str = "its worker was killed"
    ) -> tuple[Outcome, ...]:
        """A worker is lost, and with it its job; what waited for that one is not."""
        jobs = self._drop(worker)
        lost = [lose(job, reason) for job in jobs[:1]]
        return (*lost, *self._rehome(worker, jobs[1:]))

    def _rehome(self, worker: WorkerEnd, jobs: Sequence[Job]) -> Sequence[Outcome]:
        """Give what waited at `worker`, and is still wanted, to others."""
        wanted, ended = worker.sort_out(jobs)
        return (*ended, *self._reassign(wanted))

    def _drop(self, worker: WorkerEnd) -> list[Job]:
        """Forget a worker; what it was given and had not ended."""
        descriptor = worker.channel.fileno()
        del self._workers[descriptor]
        self._epoll.unregister(descriptor)
        worker.channel.close()
        for workers in (self._idle, self._stale):
            if worker in workers:
                workers.remove(worker)
        for name in worker.jobs:
            del self._owner[name]
        return list(worker.jobs.values())

    def _reassign(self, jobs: list[Job]) -> tuple[Outcome, ...]:
        """Give `jobs` to other workers; what no worker can be had for is lost."""
        for position, job in enumerate(jobs):
            try:
                self._assign(job)
            except PenstockError as error:
                return tuple(lose(each, str(error)) for each in jobs[position:])
        return ()

    def _lose_nursery(self) -> tuple[Outcome, ...]:
        """Without the nursery the workers end at once, and with them all jobs."""
        self._epoll.unregister(self._nursery.pidfd)
        outcomes: list[Outcome] = []
        for descriptor in [*self._workers]:
            worker = self._workers.get(descriptor)  # or dropped, for another one's jobs
            if worker is not None:
                outcomes.extend(self._hear(worker))  # it may have answered before
        jobs = [
            job for worker in [*self._workers.values()] for job in self._drop(worker)
        ]
        return (*outcomes, *(lose(job, "the nursery was killed") for job in jobs))

"""The local executor: a pool of workers on this machine.

A worker is forked when a job needs one, and serves until the pool is closed or the
worker dies. A worker that dies takes only its own job with it, which is reported as
lost; its descendants are ended by the nursery.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from penstock.clock import Clock, MonotonicClock
from penstock.errors import NurseryLost, UsageError
from penstock.executor.message import (
    Done,
    Quit,
    Run,
    Stop,
    Succeeded,
    receive,
    send,
)
from penstock.executor.nursery import Nursery, start_nursery
from penstock.model.job import Job
from penstock.model.outcome import Lost, Outcome
from penstock.model.stream import Output
from penstock.model.verdict import unseen
from penstock.plan.wire import wire

_NAP = 0.01  # seconds in which many short jobs may end before we look


class _Worker:
    """Our end of one worker.

    Attributes:
        channel: the socket to it.
        jobs: what it was given and has not answered for, by name: the first one runs,
            or is about to; the others wait for that.
        unsent: those of them that it has not been told of.
    """

    __slots__ = ("channel", "jobs", "unsent")

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.jobs: dict[str, Job] = {}
        self.unsent: list[Job] = []

    def flush(self) -> None:
        """Tell the worker of all its jobs, in one message."""
        if self.unsent:
            jobs, self.unsent = tuple(self.unsent), []
            with suppress(OSError):  # its death shows in Pool.wait
                send(self.channel, Run(jobs))


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
        wake: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make a pool over a nursery, which it then owns.

        Args:
            slots: at least 1.
            nursery: forks the workers.
            ahead: how many jobs each worker may hold besides the one that it runs, so
                that it need not wait for us between two short ones. A job that waits
                behind a long one waits, though another slot be free.
            wake: a descriptor that ends `wait` when it is readable.
            clock: for the deadlines of `wait`.
        """
        if slots < 1:
            raise UsageError(f"a pool needs at least one slot, not {slots}")
        self.is_clean = True
        self._slots = slots
        self._nursery = nursery
        self._ahead = ahead
        self._clock = clock or MonotonicClock()
        self._workers: dict[int, _Worker] = {}  # by descriptor
        self._owner: dict[str, _Worker] = {}  # by name of the job
        self._idle: list[_Worker] = []
        self._stale: list[_Worker] = []  # with something unsent
        self._epoll = select.epoll()
        self._alarms = select.poll()
        for descriptor in (nursery.pidfd, wake):
            if descriptor is not None:
                self._epoll.register(descriptor, select.EPOLLIN)
                self._alarms.register(descriptor, select.POLLIN)

    @classmethod
    def open(cls, slots: int, *, ahead: int = 0) -> Self:
        """A pool for a program that uses the library: with a nursery of its own."""
        nursery = start_nursery()
        try:
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
        """How many jobs may be submitted now."""
        return self._slots * (1 + self._ahead) - len(self._owner)

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job`, or let it wait at a worker; see `Executor.submit`.

        Raises:
            UsageError: there is no room, the name is in use, the links are wrong, or
                descriptors would have to wait.
            NurseryLost: no worker can be had any more.
        """
        if job.name in self._owner:
            raise UsageError(f"a job named {job.name} is running")
        if self.room < 1:
            raise UsageError(f"all {self._slots} slots are in use")
        if descriptors and self._ahead:
            raise UsageError("a pool that works ahead takes no descriptors")
        if job.links:
            wire(job)  # tells what is wrong here, and not in the worker
        self._assign(job, descriptors)

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """End the job `name`; see `Executor.cancel`."""
        worker = self._owner.get(name)
        if worker is not None:
            worker.flush()
            with suppress(OSError):  # its death shows in wait()
                send(worker.channel, Stop(name, cause, now))

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Wait until a job has ended; see `Executor.wait`."""
        while self._stale:
            self._stale.pop().flush()
        if self._ahead and self._is_well_supplied():
            # A wake-up for each of many short jobs would cost as much as the job.
            self._alarms.poll(_NAP * 1000)
        patience = None
        if deadline is not None:
            patience = max(0.0, deadline - self._clock.now())
        outcomes: list[Outcome] = []
        for descriptor, _ in self._epoll.poll(patience):
            worker = self._workers.get(descriptor)
            if worker is not None:
                outcomes.extend(self._hear(worker))
            elif descriptor == self._nursery.pidfd:
                outcomes.extend(self._lose_nursery())
        return tuple(outcomes)

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _is_well_supplied(self) -> bool:
        """Every slot has a worker that need not wait for us after its present job."""
        return len(self._workers) == self._slots and all(
            len(worker.jobs) > 1 for worker in self._workers.values()
        )

    def _assign(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Give `job` to a worker: an idle one, a new one, or the least laden."""
        while True:
            worker = self._choose()
            is_idle = not worker.jobs
            if is_idle:
                try:
                    send(worker.channel, Run((job,)), descriptors)
                except ConnectionError:  # it died while it was idle
                    self._drop(worker)
                    continue
                except OSError as error:  # a descriptor that is not open, say
                    self._idle.append(worker)
                    raise UsageError(
                        f"cannot hand over job {job.name}: {error.strerror}"
                    ) from error
            elif not worker.unsent:
                self._stale.append(worker)
            if not is_idle:
                worker.unsent.append(job)
            worker.jobs[job.name] = job
            self._owner[job.name] = worker
            return

    def _choose(self) -> _Worker:
        if self._idle:
            return self._idle.pop()
        if len(self._workers) < self._slots:
            return self._new_worker()
        return min(self._workers.values(), key=lambda worker: len(worker.jobs))

    def _new_worker(self) -> _Worker:
        worker = _Worker(self._nursery.new_worker())
        descriptor = worker.channel.fileno()
        self._workers[descriptor] = worker
        self._epoll.register(descriptor, select.EPOLLIN)
        return worker

    def _hear(self, worker: _Worker) -> list[Outcome]:
        """What a ready worker has to say: outcomes, or that it is dead."""
        outcomes: list[Outcome] = []
        while True:
            try:
                received = receive(worker.channel)
            except BlockingIOError:
                return outcomes
            match received.message if received else None:
                case Succeeded() as told:
                    outcome = told.outcome(worker.jobs[told.job].stages[0].name)
                case Done(outcome):
                    pass
                case _:
                    return [*outcomes, *self._bury(worker)]
            outcomes.append(outcome)
            del worker.jobs[outcome.job], self._owner[outcome.job]
            if outcome.survivors:  # it ends now, and has started none of the others
                outcomes.extend(self._reassign(self._drop(worker)))
                return outcomes
            if not worker.jobs:
                self._idle.append(worker)
                return outcomes

    def _bury(self, worker: _Worker) -> tuple[Outcome, ...]:
        """A worker was killed: its job is lost; what waited for that one is not."""
        jobs = self._drop(worker)
        lost = [_lose(job, "its worker was killed") for job in jobs[:1]]
        return (*lost, *self._reassign(jobs[1:]))

    def _drop(self, worker: _Worker) -> list[Job]:
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
            except (NurseryLost, OSError) as error:
                return tuple(_lose(each, str(error)) for each in jobs[position:])
        return ()

    def _lose_nursery(self) -> tuple[Outcome, ...]:
        """Without the nursery the workers end at once, and with them all jobs."""
        self._epoll.unregister(self._nursery.pidfd)
        jobs = [
            job for worker in [*self._workers.values()] for job in self._drop(worker)
        ]
        return tuple(_lose(job, "the nursery was killed") for job in jobs)


def _lose(job: Job, reason: str) -> Outcome:
    """The outcome of a job that nobody saw the end of; its outputs are discarded."""
    for stage in job.stages:
        if isinstance(stage.stdout, Output):
            with suppress(OSError):
                os.unlink(stage.stdout.partial)
    return unseen(job, Lost(reason))

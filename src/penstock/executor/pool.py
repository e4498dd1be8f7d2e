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
from penstock.errors import NurseryLost, PenstockError, UsageError
from penstock.executor.message import (
    Done,
    Quit,
    Run,
    Stop,
    Succeeded,
    Suspended,
    receive,
    send,
)
from penstock.executor.nursery import Nursery, start_nursery
from penstock.model.job import Job
from penstock.model.outcome import Lost, Outcome
from penstock.model.stream import Handed, Output
from penstock.model.verdict import unseen
from penstock.plan.wire import wire
from penstock.proc.files import locate
from penstock.proc.reaper import SWEEP_BUDGET

_TRIES = 3  # workers that die before they are given anything
_ALLOWANCE = 2.0  # seconds, for a machine that has much to do
_NAP = 0.01  # seconds in which many short jobs may end before we look


class _Worker:
    """Our end of one worker.

    Attributes:
        channel: the socket to it.
        jobs: what it was given and has not answered for, by name: the first one runs,
            or is about to; the others wait for that.
        unsent: those of them that it has not been told of.
        due: when it must have answered, once it was told to cancel a job.
    """

    __slots__ = ("channel", "due", "jobs", "unsent")

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.jobs: dict[str, Job] = {}
        self.unsent: list[Job] = []
        self.due: float | None = None

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
        output: int | None = None,
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
        self._workers: dict[int, _Worker] = {}  # by descriptor
        self._owner: dict[str, _Worker] = {}  # by name of the job
        self._idle: list[_Worker] = []
        self._stale: list[_Worker] = []  # with something unsent
        self._epoll = select.epoll()
        self._alarms = select.poll()
        self._output = output
        if output is not None:
            with suppress(OSError):  # a file has no reader (epoll_ctl(2): EPERM)
                self._epoll.register(output, 0)  # EPOLLERR and EPOLLHUP are always told
        for descriptor in (nursery.pidfd, wake):
            if descriptor is not None:
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
        """How many jobs may be submitted now."""
        return self._slots * (1 + self._ahead) - len(self._owner)

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job`, or let it wait at a worker; see `Executor.submit`.

        Raises:
            UsageError: there is no room, the name is in use, the links are wrong, or
                descriptors would have to wait, or are missing.
            NurseryLost: no worker can be had any more.
        """
        if job.name in self._owner:
            raise UsageError(f"a job named {job.name} is running")
        if self.room < 1:
            raise UsageError(f"all {self._slots} slots are in use")
        if descriptors and self._ahead:
            raise UsageError("a pool that works ahead takes no descriptors")
        if not _handed(job) <= set(range(len(descriptors))):
            raise UsageError(f"job {job.name} wants descriptors that were not handed")
        if job.links:
            wire(job)  # tells what is wrong here, and not in the worker
        self._assign(job, descriptors)

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """End the job `name`; see `Executor.cancel`."""
        worker = self._owner.get(name)
        if worker is not None:
            worker.flush()
            worker.due = self._clock.now() + _longest_end(worker.jobs[name], now=now)
            with suppress(OSError):  # its death shows in wait()
                send(worker.channel, Stop(name, cause, now))

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

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Wait until a job has ended; see `Executor.wait`."""
        while self._stale:
            self._stale.pop().flush()
        if self._ahead and self._is_well_supplied():
            # A wake-up for each of many short jobs would cost as much as the job.
            self._alarms.poll(_NAP * 1000)
        patience = self._patience(deadline)
        outcomes: list[Outcome] = []
        for descriptor, _ in self._epoll.poll(patience):
            worker = self._workers.get(descriptor)
            if worker is not None:
                outcomes.extend(self._hear(worker))
            elif descriptor == self._nursery.pidfd:
                outcomes.extend(self._lose_nursery())
            elif descriptor == self._output:
                self._epoll.unregister(descriptor)  # or it would never rest
        return (*outcomes, *self._give_up())

    def _patience(self, deadline: float | None) -> float | None:
        """Seconds to wait: to the deadline, or until a worker should have answered."""
        ends = [worker.due for worker in self._workers.values() if worker.due]
        if deadline is not None:
            ends.append(deadline)
        return max(0.0, min(ends) - self._clock.now()) if ends else None

    def _give_up(self) -> tuple[Outcome, ...]:
        """The jobs of workers that were told to cancel one, and never answered."""
        now = self._clock.now()
        mute = [w for w in self._workers.values() if w.due and now >= w.due]
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
        for _ in range(_TRIES):
            worker = self._choose()
            if self._give(worker, job, descriptors):
                worker.jobs[job.name] = job
                self._owner[job.name] = worker
                return
            self._drop(worker)  # it died while it was idle
        raise NurseryLost("no worker stays alive: can processes be started?")

    def _give(self, worker: _Worker, job: Job, descriptors: Sequence[int]) -> bool:
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

    def _choose(self) -> _Worker:
        if self._idle:
            return self._idle.pop()
        if len(self._workers) < self._slots:
            return self._new_worker()
        return min(self._workers.values(), key=lambda worker: len(worker.jobs))

    def _new_worker(self) -> _Worker:
        try:
            worker = _Worker(self._nursery.new_worker())
        except OSError as error:
            hint = "fewer jobs at once, or a higher `ulimit -n`"
            why = f"no worker can be had: {error.strerror}; try {hint}"
            raise PenstockError(why) from error
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
            worker.due = None
            if outcome.survivors or outcome.spared:  # it ends, and starts no other
                outcomes.extend(self._reassign(self._drop(worker)))
                return outcomes
            if not worker.jobs:
                self._idle.append(worker)
                return outcomes

    def _bury(
        self, worker: _Worker, reason: str = "its worker was killed"
    ) -> tuple[Outcome, ...]:
        """A worker is lost, and with it its job; what waited for that one is not."""
        jobs = self._drop(worker)
        lost = [_lose(job, reason) for job in jobs[:1]]
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
            except PenstockError as error:
                return tuple(_lose(each, str(error)) for each in jobs[position:])
        return ()

    def _lose_nursery(self) -> tuple[Outcome, ...]:
        """Without the nursery the workers end at once, and with them all jobs."""
        self._epoll.unregister(self._nursery.pidfd)
        outcomes: list[Outcome] = []
        for worker in [*self._workers.values()]:
            outcomes.extend(self._hear(worker))  # it may have answered before
        jobs = [
            job for worker in [*self._workers.values()] for job in self._drop(worker)
        ]
        return (*outcomes, *(_lose(job, "the nursery was killed") for job in jobs))


def _longest_end(job: Job, *, now: bool) -> float:
    """Seconds in which a worker must have ended `job`: all its waits, and one more."""
    graces = [job.limits.grace, *(stage.limits.grace for stage in job.stages)]
    waits = SWEEP_BUDGET + job.limits.drain + _ALLOWANCE
    return waits if now else waits + max(graces)


def _handed(job: Job) -> set[int]:
    """The positions of the descriptors that `job` is to be handed."""
    return {
        stream.position
        for stage in job.stages
        for stream in (stage.stdin, stage.stdout, stage.stderr)
        if isinstance(stream, Handed)
    }


def _lose(job: Job, reason: str) -> Outcome:
    """The outcome of a job that nobody saw the end of; its outputs are discarded."""
    for stage in job.stages:
        if isinstance(stage.stdout, Output):
            with suppress(OSError):
                os.unlink(locate(stage.stdout).partial)
    return unseen(job, Lost(reason))

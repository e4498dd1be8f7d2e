"""The local executor: a pool of workers on this machine.

What is given to whom is decided by the `crew`; here the workers are heard. A worker is
forked when a job needs one, and serves until the pool is closed or the worker dies. A
worker that dies takes only its own job with it, which is reported as lost; its
descendants are ended by the nursery.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from contextlib import suppress

from penstock.clock import LONGEST_WAIT, Clock, MonotonicClock
from penstock.errors import UsageError
from penstock.executor.crew import Crew
from penstock.executor.end import (
    NoWorker,
    Pace,
    WorkerEnd,
    check_job,
    due_times,
    least_waiting,
    lose,
    recall_late,
    unstarted,
)
from penstock.executor.message import (
    Done,
    Received,
    Refused,
    Returned,
    Stop,
    owned,
    receive,
)
from penstock.executor.nursery import Nursery, start_nursery
from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.model.shortage import shortage_of
from penstock.model.success import Succeeded
from penstock.model.verdict import unbegun
from penstock.typed import Self

_NAP = 0.04  # seconds in which many short jobs may end before we look


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
        self._nursery = nursery
        self._ahead = ahead
        self._clock = clock or MonotonicClock()
        self._backlog: dict[str, Job] = {}  # taken back, and not given out again
        self._told: list[Outcome] = []  # what is known before the next wait
        self._begin: Callable[[str], None] | None = None
        self._pace = Pace()
        self._epoll = select.epoll()
        self._crew = Crew(slots, nursery, self._epoll, self._clock)
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
        return self._crew.slots

    @property
    def room(self) -> int:
        """How many jobs are better submitted now than later, as long as they take."""
        crew = self._crew
        if crew.is_too_large:
            return 0
        held = len(crew.owners) + len(self._backlog)
        return crew.slots * (1 + self._pace.stock(self._ahead)) - held

    def peers(self) -> dict[str, int]:
        """For each job at a worker, the worker; see `Nursery.peers`."""
        known, owners = self._nursery.peers, self._crew.owners
        return {name: known[w.channel.fileno()] for name, w in owners.items()}

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job`, or let it wait at a worker; see `Executor.submit`.

        Raises:
            UsageError: there is no room, the name is in use, the links are wrong, or
                descriptors would have to wait, or are missing.
            NurseryLost: no worker can be had any more.
        """
        name, crew, backlog = job.name, self._crew, self._backlog
        if name in crew.owners or name in backlog:
            raise UsageError(f"a job named {name} is running")
        if len(crew.owners) + len(backlog) >= crew.slots * (1 + self._ahead):
            raise UsageError(f"all {self.slots} slots are in use")
        if descriptors and self._ahead:
            raise UsageError("a pool that works ahead takes no descriptors")
        check_job(job, len(descriptors))
        try:
            crew.assign(job, descriptors)
        except NoWorker as lack:
            self._told.append(unstarted(job, lack.errno))
        if self._begin is not None:
            self._begin(name)

    def tell_of_starts(self, begin: Callable[[str], None]) -> None:
        """Tell `begin` the name of each job that is submitted; nothing waits ahead."""
        self._begin = begin

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """End the job `name`; see `Executor.cancel`."""
        worker = self._crew.owners.get(name)
        if name in self._backlog:
            self._told.append(unbegun(self._backlog.pop(name), cause))
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
        self._crew.suspend(on=on)

    def resize(self, slots: int) -> None:
        """Let so many jobs be alive at once, 1 at least; what runs is left to end."""
        self._crew.resize(slots)

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Wait until a job has ended; see `Executor.wait`."""
        self._crew.flush()
        if self._ahead:
            waiting = least_waiting(self._crew.workers.values(), self.slots)
            # A wake-up for each of many short jobs would cost as much as the job.
            if waiting:
                self._alarms.poll(min(_NAP, self._pace.lasts(waiting)) * 1000)
        outcomes, self._told = self._told, []
        patience = 0.0 if outcomes else self._patience(deadline)
        for descriptor, _ in self._epoll.poll(patience):
            worker = self._crew.workers.get(descriptor)
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
        recall_late(self._crew.workers.values(), self._clock.now())
        given: list[Job] = []
        while self._backlog and len(given) < self._crew.n_free:
            given.append(self._backlog.pop(next(iter(self._backlog))))
        return self._crew.reassign(given)

    def _patience(self, deadline: float | None) -> float | None:
        """Seconds to wait: to the deadline, or until a worker should have answered."""
        workers = self._crew.workers.values()
        ends = due_times(workers, deadline, ahead=bool(self._ahead))
        if not ends:
            return None
        return max(0.0, min(min(ends) - self._clock.now(), LONGEST_WAIT))

    def _give_up(self) -> tuple[Outcome, ...]:
        """The jobs of workers that were told to cancel one, and never answered."""
        now = self._clock.now()
        workers = self._crew.workers.values()
        mute = [w for w in workers if w.doomed and now >= w.due]
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
        self._crew.dismiss("the pool was closed")
        self.is_clean = self._nursery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
                    # It ends, and starts no other; or it takes what commands lack.
                    if told.survivors or told.spared or shortage_of(told):
                        left = self._crew.drop(worker)
                        outcomes.extend(self._crew.rehome(worker, left))
                        return outcomes
                case Received(Returned(names)):
                    self._take_back(worker, names)
                case last:
                    return [*outcomes, *self._part_with(worker, last)]
            if not worker.jobs:
                self._crew.rest(worker)
                return outcomes

    def _note(self, worker: WorkerEnd, outcome: Outcome) -> Outcome:
        """A job of `worker` is over."""
        self._crew.forget(worker, outcome.job)
        if worker.doomed:
            worker.doomed.pop(outcome.job, None)
        self._pace.note(outcome.elapsed)
        return outcome

    def _take_back(self, worker: WorkerEnd, names: Sequence[str]) -> None:
        """What a worker gives back goes to whoever is free first."""
        worker.is_asked = False
        jobs = [self._crew.forget(worker, name) for name in names]
        wanted, ended = worker.sort_out(jobs)
        self._backlog.update((job.name, job) for job in wanted)
        self._told.extend(ended)

    def _part_with(
        self, worker: WorkerEnd, last: Received | None
    ) -> tuple[Outcome, ...]:
        """A worker is dead, or was never born; what waited for its first job is not."""
        if last is None or not isinstance(last.message, Refused):
            return self._bury(worker)
        errno = last.message.errno
        jobs = self._crew.drop(worker)
        first, ended = worker.sort_out(jobs[:1])
        unborn = [unstarted(job, errno) for job in first]
        return (*ended, *unborn, *self._crew.rehome(worker, jobs[1:]))

    def _bury(
        self, worker: WorkerEnd, reason: str = "its worker was killed"
    ) -> tuple[Outcome, ...]:
        """A worker is lost, and with it its job; what waited for that one is not."""
        jobs = self._crew.drop(worker)
        lost = [lose(job, reason) for job in jobs[:1]]
        return (*lost, *self._crew.rehome(worker, jobs[1:]))

    def _lose_nursery(self) -> tuple[Outcome, ...]:
        """Without the nursery the workers end at once, and with them all jobs."""
        self._epoll.unregister(self._nursery.pidfd)
        outcomes: list[Outcome] = []
        for descriptor in [*self._crew.workers]:
            # Or it was dropped since: what another one had was to be given to it.
            worker = self._crew.workers.get(descriptor)
            if worker is not None:
                outcomes.extend(self._hear(worker))  # it may have answered before
        workers = [*self._crew.workers.values()]
        jobs = [job for worker in workers for job in self._crew.drop(worker)]
        return (*outcomes, *(lose(job, "the nursery was killed") for job in jobs))

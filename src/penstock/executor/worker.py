"""The worker: a process that runs one job at a time, and owns all that is below it.

It is a child subreaper, so that every orphan of its job comes to it, whatever that did
to get away: double fork, setsid(2), a cleared environment. Since it has only one job,
whatever lives below it belongs to that job. It ends everything and itself as soon as
it is told to, or as the nursery or the user's process is gone.
"""

from __future__ import annotations

import _socket
import os
import select
from collections import deque

from penstock.clock import MonotonicClock
from penstock.executor.message import (
    Quit,
    Recall,
    Received,
    Returned,
    Run,
    Stop,
    Suspended,
    receive,
    report,
    send,
)
from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.model.success import Succeeded
from penstock.model.verdict import unbegun
from penstock.plan.wire import wire
from penstock.proc.fork import step_aside
from penstock.proc.order import Abandon, Cancel, Order, Suspend
from penstock.proc.prctl import become_subreaper, set_title
from penstock.proc.run import run_job
from penstock.proc.signals import SIGCONT, session_of, signal_pinned

TITLE = "ps-worker"


def serve(channel: _socket.socket, guardians: tuple[int, ...], spares: int) -> None:
    """Run the jobs that come over `channel`, one after the other, until told to end.

    Args:
        channel: to the pool.
        guardians: pidfds of the processes above, the nursery's first; the death of one
            ends this.
        spares: a pipe to the nursery, which is told there what will outlive us, as it
            may, or as nobody can end it.
    """
    step_aside()
    become_subreaper()
    set_title(TITLE)
    clock = MonotonicClock()
    post = Post(channel, guardians)
    while (given := post.next_job()) is not None:
        job, descriptors = given
        told = run_job(job, wire(job), descriptors, post, clock)
        left = () if isinstance(told, Succeeded) else (*told.spared, *told.survivors)
        for process in left if os.getpid() != 1 else ():  # other numbers count there
            os.write(spares, b"%d %d\n" % (process.pid, known_session(process.pid)))
        post.answer(told)
        if left:
            return  # they must not be taken for a part of the next job
    # It has to end as well, and if somebody has stopped it, it could not.
    if os.getpid() != 1:  # who is in a PID namespace can signal nobody outside
        signal_pinned(guardians[0], SIGCONT)


def known_session(pid: int) -> int:
    """The session of `pid`, if whoever is in it belongs to the same job; otherwise 0.

    The one that we lend says that; that of a terminal, which we are in, does not.
    """
    session = session_of(pid) or 0
    return 0 if session == os.getsid(0) != os.getpid() else session


class Post:
    """Where a worker stands: it hears the pool, and sees who is above (a `Station`)."""

    def __init__(self, channel: _socket.socket, guardians: tuple[int, ...]) -> None:
        self.epoll = select.epoll()
        self._channel = channel
        self._above = (channel.fileno(), *guardians)
        self._deserted = False
        self._runs: str | None = None
        self._waiting: deque[tuple[Job, tuple[int, ...]]] = deque()
        for descriptor in self._above:
            self.epoll.register(descriptor, select.EPOLLIN)

    def next_job(self) -> tuple[Job, tuple[int, ...]] | None:
        """Wait for a job, with its descriptors; None when this worker is to end."""
        while not self._waiting:
            if self._deserted:
                return None
            for descriptor, _ in self.epoll.poll():
                if isinstance(self.order(descriptor), Abandon):
                    return None
        given = self._waiting.popleft()
        self._runs = given[0].name
        return given

    def order(self, descriptor: int) -> Order | None:
        """What to make of a ready descriptor while a job runs."""
        if descriptor not in self._above:
            return None  # of the job, and closed since epoll named it
        return self._heed(self._hear(descriptor))

    def _heed(self, heard: Received | None) -> Order | None:
        match heard:
            case Received(Stop(name, cause, now)):
                return self._stop(name, cause, now=now)
            case Received(Suspended(on)):
                return Suspend(on)
            case Received(Run(jobs), descriptors):
                self._accept(jobs, descriptors)
            case Received(Recall()):
                return self._give_back()
            case Received(Quit(why)):
                return self._desert(why)
            case _:  # nothing is said but that by those who are gone
                return self._desert("penstock was killed")
        return None

    def answer(self, told: Outcome | Succeeded) -> Abandon | None:
        """Tell the pool how the job ended, if it still listens."""
        if self._deserted:
            return None
        try:
            report(self._channel, told)
        except OSError:
            return self._desert("penstock was killed")
        return None

    def _hear(self, descriptor: int) -> Received | None:
        """The message that is there; None if somebody above is gone."""
        if descriptor == self._channel.fileno():
            return receive(self._channel)
        return None

    def _accept(self, jobs: tuple[Job, ...], descriptors: tuple[int, ...]) -> None:
        """Put them in line: there is no order to give."""
        if self._deserted:  # by the other who was ready: nobody waits for them
            for descriptor in descriptors:
                os.close(descriptor)
            return
        self._waiting.append((jobs[0], descriptors))
        self._waiting.extend((job, ()) for job in jobs[1:])

    def _give_back(self) -> Abandon | None:
        """Give back what waits: another worker may have time for it now."""
        names = tuple(job.name for job, _ in self._waiting)
        for _, descriptors in self._waiting:
            for descriptor in descriptors:
                os.close(descriptor)
        self._waiting.clear()
        try:
            send(self._channel, Returned(names))
        except OSError:
            return self._desert("penstock was killed")
        return None

    def _stop(self, name: str, cause: str, *, now: bool) -> Order | None:
        """Cancel the job that runs; one that waits is answered for and forgotten."""
        for given in self._waiting:
            if given[0].name == name:
                self._waiting.remove(given)
                for descriptor in given[1]:
                    os.close(descriptor)
                return self.answer(unbegun(given[0], cause))
        if self._runs == name:
            return Cancel(cause, now)
        return None  # it has ended in the meantime

    def _desert(self, cause: str) -> Abandon:
        """Stop listening: who is gone would be "ready" for ever."""
        if not self._deserted:
            self._deserted = True
            self._waiting.clear()
            for descriptor in self._above:
                self.epoll.unregister(descriptor)
        return Abandon(cause)

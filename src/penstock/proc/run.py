"""One job, from the first start to the last reaped process.

The life of a job, in the order in which `run_job` reads:

    launch    every stage, or none
    watch     until every command has exited, or one must be stopped
    linger    let what the commands left behind finish by itself
    stop      TERM and CONT to all, the grace; then KILL until wait(2) says ECHILD
    drain     what is still in the log pipes
    conclude  commit or discard the outputs, and tell how it ended

Every wait is in `_wait`, and every wait but the first has a deadline.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from resource import struct_rusage
from select import EPOLLIN
from signal import SIGCONT, SIGTERM

from penstock.clock import Clock
from penstock.model.job import Job
from penstock.model.outcome import NotStarted, Outcome, Process
from penstock.model.wiring import Wiring
from penstock.proc.conclude import Seen, conclude
from penstock.proc.descendants import children_of
from penstock.proc.files import Files
from penstock.proc.launch import Running, StartFailed, launch
from penstock.proc.log import LogPump
from penstock.proc.order import Abandon, Cancel, Station
from penstock.proc.reaper import (
    MOST_WATCHED,
    SWEEP_BUDGET,
    living,
    read_status,
    read_usage,
    reap,
    sweep,
)
from penstock.proc.signals import signal_tree
from penstock.proc.stop import Stop, alive, grace_of, next_deadline, time_out

REAP_EVERY = 0.5  # seconds: no adopted orphan stays a zombie for longer


def run_job(
    job: Job,
    wiring: Wiring,
    descriptors: Sequence[int],
    station: Station,
    clock: Clock,
) -> Outcome:
    """Run `job` to its end; when this returns, nothing of it is alive.

    This process must be a child subreaper, have one thread and no other children.

    Args:
        job: what to run.
        wiring: its descriptors, from `plan.wire`.
        descriptors: open files for its `Handed` streams; closed here.
        station: where to wait, and to be told to stop.
        clock: for every deadline.

    Returns:
        The outcome; what could not be killed is in `Outcome.survivors`.
    """
    run = _Run(job, Files(descriptors), station, clock)
    try:
        run.launch(wiring)
        run.watch()
        run.linger()
        run.stop()
        run.drain()
        return conclude(job, run.files, run.seen())
    finally:
        run.close()


class _Run:
    """The state of a job while it runs."""

    def __init__(self, job: Job, files: Files, station: Station, clock: Clock) -> None:
        self.job = job
        self.files = files
        self.running: list[Running] = []
        self.not_started: tuple[int, NotStarted] | None = None
        self.stopped: Stop | None = None
        self.stragglers: tuple[Process, ...] = ()
        self.survivors: tuple[Process, ...] = ()
        self.started_at = clock.now()
        self._station = station
        self._clock = clock
        self._alive = 0
        self._hurry = False
        self._childless = False
        self._adopted: dict[int, int] = {}  # pid: pidfd
        self._on_ready: dict[int, Callable[[], object]] = {}
        self._reap_at = self.started_at + REAP_EVERY

    def launch(self, wiring: Wiring) -> None:
        """Start every stage; on failure, note which one and stop the others."""
        try:
            launch(self.job, wiring, self.files, self.running, self._clock)
        except StartFailed as failure:
            self.files.release_all()  # or what was started would wait for the rest
            self.not_started = (failure.position, failure.ending)
            name = self.job.stages[failure.position].name
            self._hurry = True
            self.stopped = Stop(f"{name} could not be started", alive(self.running))
        self._alive = len(self.running)
        for running in self.running:
            if running.pidfd >= 0:
                self._listen(running.pidfd, self._collect)
        for pump in self.files.logs.values():
            self._listen(pump.reader, partial(self._pump, pump))

    def watch(self) -> None:
        """Wait until every command has exited, or the job must be stopped."""
        while self._alive and self.stopped is None:
            limit = next_deadline(self.job, self.running, self.started_at)
            changed = partial(self._has_changed, self._alive)
            if self._wait(changed, limit.at if limit else None) or limit is None:
                continue
            self._collect()  # we may be late, and the command was in time
            if changed():
                continue
            self.stopped = time_out(self.job, self.running, limit)

    def linger(self) -> None:
        """Wait a little for what the commands left behind, then name it."""
        if self._childless or self.stopped is not None:
            return
        self._collect()
        deadline = self._clock.now() + self.job.limits.linger
        self._wait(lambda: self._childless or self.stopped is not None, deadline)
        if not self._childless:
            self.stragglers = living()

    def stop(self) -> None:
        """Leave nothing alive: TERM and CONT, the grace, KILL until ECHILD."""
        if self._collect():
            return
        if not self._hurry:
            signal_tree(SIGTERM)
            signal_tree(SIGCONT)  # a stopped process keeps TERM pending until then
            deadline = self._clock.now() + grace_of(self.job, self.stopped)
            self._wait(lambda: self._childless or self._hurry, deadline)
        for running in self.running:
            running.escalated = running.status is None
        self.survivors = sweep(
            collect=self._collect,
            budget=SWEEP_BUDGET,
            clock=self._clock,
        )

    def drain(self) -> None:
        """Read the logs to their end: it has come, unless a stranger holds a pipe."""
        pumps = self.files.logs.values()
        if not pumps:
            return
        deadline = self._clock.now() + self.job.limits.drain
        self._wait(lambda: not any(pump.is_open for pump in pumps), deadline)

    def seen(self) -> Seen:
        """What there is to tell."""
        return Seen(
            self.running,
            self.stopped,
            self.not_started,
            self.stragglers,
            self.survivors,
            self._clock.now() - self.started_at,
        )

    def close(self) -> None:
        """Give back every descriptor."""
        for descriptor in list(self._on_ready):
            self._forget(descriptor)
        for running in self.running:
            running.close()
        for pidfd in self._adopted.values():
            os.close(pidfd)
        self.files.close()

    def _has_changed(self, alive_before: int) -> bool:
        return self._alive < alive_before or self.stopped is not None

    def _wait(self, done: Callable[[], bool], deadline: float | None) -> bool:
        """Serve whatever becomes ready until `done`: True; or `deadline`: False."""
        while not done():
            now = self._clock.now()
            if deadline is not None and now >= deadline:
                return False
            if now >= self._reap_at:  # also while a log gives no rest
                self._reap_at = now + REAP_EVERY
                self._collect()
                continue
            until = self._reap_at if deadline is None else min(deadline, self._reap_at)
            for descriptor, _ in self._station.epoll.poll(until - now):
                self._serve(descriptor)
        return True

    def _serve(self, descriptor: int) -> None:
        """Do what a ready descriptor asks for."""
        action = self._on_ready.get(descriptor)
        if action is not None:
            action()
            return
        match self._station.order(descriptor):
            case Cancel(cause, now):
                self._hurry = self._hurry or now
                self._stop_for(cause)
            case Abandon(cause):
                self._hurry = True
                self._stop_for(cause)
            case None:
                return

    def _stop_for(self, cause: str) -> None:
        """Stop the job, unless that was decided before: the first cause counts."""
        if self.stopped is None:
            self.stopped = Stop(cause, alive(self.running))

    def _collect(self) -> bool:
        """Reap all that is dead; True once this process has no child left."""
        if self._childless:
            return True
        try:
            pid, status, usage = reap()
            while pid:
                self._bury(pid, status, usage)
                pid, status, usage = reap()
        except ChildProcessError:
            self._childless = True
        else:
            if not self._alive:
                self._adopt()
        return self._childless

    def _bury(self, pid: int, status: int, usage: struct_rusage) -> None:
        """Note the end of a command; an adopted orphan is only let go."""
        for running in self.running:
            if running.status is None and running.process.pid == pid:
                # Its pidfd leaves the epoll when it is closed: it has no duplicate.
                self._on_ready.pop(running.pidfd, None)
                now = self._clock.now()
                running.end(read_status(status), read_usage(usage), now)
                self._alive -= 1
                return
        pidfd = self._adopted.pop(pid, None)
        if pidfd is not None:
            self._on_ready.pop(pidfd, None)
            os.close(pidfd)

    def _adopt(self) -> None:
        """Listen to the orphans that came to us, so that their deaths wake us."""
        for pid in children_of(os.getpid()):
            if len(self._adopted) == MOST_WATCHED:
                return  # the others are reaped with these, or every REAP_EVERY
            if pid not in self._adopted:
                self._adopted[pid] = os.pidfd_open(pid)
                self._listen(self._adopted[pid], self._collect)

    def _pump(self, pump: LogPump) -> None:
        pump.pump()
        if not pump.is_open:
            self._forget(pump.reader)
            pump.close()

    def _listen(self, descriptor: int, action: Callable[[], object]) -> None:
        self._on_ready[descriptor] = action
        self._station.epoll.register(descriptor, EPOLLIN)

    def _forget(self, descriptor: int) -> None:
        if self._on_ready.pop(descriptor, None) is not None:
            self._station.epoll.unregister(descriptor)

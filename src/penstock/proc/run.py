"""One job, from the first start to the last reaped process.

Unless it is so short that `brief` sees its end, the life of a job is, in the order in
which `run_job` reads:

    launch    every stage, or none
    watch     until every command has exited, or one must be stopped
    linger    let what the commands left behind finish by itself
    stop      the first signal and CONT to all, the grace; then KILL until ECHILD
    drain     what is still in the log pipes
    conclude  commit or discard the outputs, and tell how it ended

Every wait is in `_wait`, and every wait but the first has a deadline.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial

from penstock.clock import Clock
from penstock.model.job import Job
from penstock.model.outcome import EdgeOutcome, NotStarted, Outcome, Process
from penstock.model.success import Succeeded
from penstock.model.wiring import Wiring
from penstock.proc.brief import Unfinished, is_brief, run_briefly
from penstock.proc.brood import Brood
from penstock.proc.conclude import conclude
from penstock.proc.files import Files
from penstock.proc.gauge import Gauge
from penstock.proc.launch import Running, StartFailed, is_apart, launch
from penstock.proc.log import LogPump
from penstock.proc.order import Abandon, Cancel, Order, Station, Suspend
from penstock.proc.pause import Pausable
from penstock.proc.reaper import SWEEP_BUDGET, living, sweep
from penstock.proc.stop import (
    Stop,
    alive,
    ask_to_end,
    earlier,
    ended,
    grace_of,
    next_deadline,
    time_out,
)
from penstock.proc.watch import Watch
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.proc.samples import Samples

REAP_EVERY = 0.5  # seconds: no adopted orphan stays a zombie for longer
_LONG = 1.0  # seconds; what is over sooner has no slow stage that anybody looks for


def run_job(
    job: Job,
    wiring: Wiring,
    descriptors: Sequence[int],
    station: Station,
    clock: Clock,
) -> Outcome | Succeeded:
    """Run `job` to its end; when this returns, nothing of it is alive.

    This process must be a child subreaper, have one thread and no other children.

    Args:
        job: what to run.
        wiring: its descriptors, from `plan.wire`.
        descriptors: open files for its `Handed` streams; closed here.
        station: where to wait, and to be told to stop.
        clock: for every deadline.

    Returns:
        The outcome. What could not be killed is in `Outcome.survivors`, and what the
        job allows to be left in `Outcome.spared`: both are still below this process.
    """
    files, started_at = Files(descriptors), clock.now()
    begun: Unfinished | None = None
    if is_brief(job, wiring):
        so_far = run_briefly(job, wiring, files, station, clock, started_at)
        if isinstance(so_far, (Succeeded, Outcome)):
            files.close()
            return so_far
        begun = so_far
    run = _Run(job, files, station, clock)
    try:
        if begun is None or begun.stage is None:
            run.launch(wiring)
        else:
            run.take_over((begun.stage,), started_at=started_at)
            run.brood.collect()  # it may have ended before an order came
            run.obey(begun.orders)
        return _live(run)
    finally:
        run.close()


def resume_job(
    job: Job,
    started: Sequence[Running],
    not_started: NotStarted | None,
    station: Station,
    clock: Clock,
) -> Outcome | Succeeded:
    """Run to its end a job that this process has started already, by `lean`.

    Args:
        job: that was started; without streams of its own.
        started: its stages, all or the first few; some may have ended.
        not_started: why there are not more of them, if there should be.
        station: see `run_job`.
        clock: for every deadline.
    """
    run = _Run(job, Files(()), station, clock)
    try:
        run.take_over(started, not_started)
        return _live(run)
    finally:
        run.close()


def _live(run: _Run) -> Outcome | Succeeded:
    """All of a job's life after its start."""
    run.watch()
    if not run.brood.is_gone:
        run.linger()
        run.stop()
    if run.files.logs:
        run.drain()
    return conclude(run.job, run.files, run)


class _Run:
    """The state of a job while it runs."""

    def __init__(self, job: Job, files: Files, station: Station, clock: Clock) -> None:
        self.job = job
        self.files = files
        self.not_started: tuple[int, NotStarted] | None = None
        self.stopped: Stop | None = None
        self.stragglers: tuple[Process, ...] = ()
        self.survivors: tuple[Process, ...] = ()
        self.spared: tuple[Process, ...] = ()
        self._clock = Pausable(clock)
        self._watch = Watch(station)
        self.brood = Brood(self._watch, self._clock)
        self.running = self.brood.running
        self._started_at = self._clock.now()
        self.gauge = Gauge.of(job, self.brood, files, self._started_at)
        self._samples: Samples | None = None
        self._hurry = False
        self._reap_at = self._started_at + REAP_EVERY

    def launch(self, wiring: Wiring) -> None:
        """Start every stage; on failure, note which one and stop the others."""
        try:
            launch(
                self.job,
                wiring,
                self.files,
                self.running,
                self.brood.relays,
                clock=self._clock,
                rest=self._rest,
            )
        except StartFailed as failure:
            if self.stopped is None:
                self._fail_to_start(failure.position, failure.ending)
            self.files.release_all()  # or what was started would wait for the rest
        self.brood.attend()
        if wiring.is_graph or self.job.limits.still is not None:
            self._watch_edges(wiring)
        for pump in self.files.logs.values():
            self._watch.listen(pump.reader, partial(self._pump, pump))

    def take_over(
        self,
        started: Sequence[Running],
        not_started: NotStarted | None = None,
        started_at: float | None = None,
    ) -> None:
        """Go on with stages that were started before, and the failure to start more."""
        self.running.extend(started)
        if started_at is not None:
            self._started_at = started_at
        elif started:
            self._started_at = started[0].started_at
        if not_started is not None:
            self._fail_to_start(len(started), not_started)
        self.brood.attend()

    def watch(self) -> None:
        """Wait until every command has exited, or the job must be stopped."""
        brood = self.brood
        while brood.alive and self.stopped is None:
            changed = partial(self._has_changed, brood.alive)
            if self._wait(changed, self._next_limit()):
                if self.files.fifos is not None:
                    self.files.forsake_fifos(ended(self.running))
                continue
            brood.collect()  # we may be late, and the command was in time
            if not changed():
                self._look_at_limits()

    def linger(self) -> None:
        """Wait a little for what the commands left behind, then name it.

        The limits that still count for it are looked at as before.
        """
        brood = self.brood
        if self.stopped is not None and self.stopped.hit:
            return  # a command is ended with all that is below it
        brood.collect()
        deadline = self._clock.now() + self.job.limits.linger
        while not self._wait(
            lambda: brood.is_gone or self.stopped is not None,
            earlier(deadline, self._next_limit()),
        ):
            if brood.collect() or self._clock.now() >= deadline:
                break
            self._look_at_limits()
        if brood.collect() or (self.stopped is not None and self.stopped.hit):
            return
        # What lives in a PID namespace of ours dies with us, whatever is allowed.
        may_stay = self.job.leaks == "allow" and os.getpid() != 1
        if may_stay and self.stopped is None:
            self._spare()
        else:
            self.stragglers = living(brood.relaying)

    def _next_limit(self) -> float | None:
        """When a limit passes, or is to be looked at; None if there is none."""
        limit = next_deadline(self.job, self.running, self._started_at)
        until = limit.at if limit is not None else None
        return until if self.gauge is None else earlier(until, self.gauge.next_at)

    def _look_at_limits(self) -> None:
        """Stop the job if one has passed."""
        now = self._clock.now()
        limit = next_deadline(self.job, self.running, self._started_at)
        if limit is not None and now >= limit.at:
            self.stopped = time_out(self.job, self.running, limit)
        elif self.gauge is not None:
            self.stopped = self.gauge.look(now)

    def _spare(self) -> None:
        """Leave alone what is alive, unless nothing is.

        What was alive at the first look may have ended at the second, and have started
        others that were not seen: then we look again.
        """
        while not (self.spared or self.brood.collect()):
            self.spared = living()

    def stop(self) -> None:
        """Leave nothing alive: ask, wait for the grace, KILL until ECHILD."""
        brood = self.brood
        if brood.collect() or self.spared:
            return
        self._clock.resume()
        self.files.leave_fifos()
        if not self._hurry and not (self.stopped and self.stopped.memory):
            ask_to_end(self.job, self.running)
            deadline = self._clock.now() + grace_of(self.job, self.stopped)
            self._wait(lambda: brood.is_gone or self._hurry, deadline)
        for running in self.running:
            running.escalated = running.status is None
        for relay in brood.relays:
            relay.was_ended = relay.status is None
        self.survivors = sweep(
            collect=brood.collect,
            budget=SWEEP_BUDGET,
            clock=self._clock,
        )

    def drain(self) -> None:
        """Read the logs to their end: it has come, unless a stranger holds a pipe."""
        pumps = self.files.logs.values()
        deadline = self._clock.now() + self.job.limits.drain
        self._wait(lambda: not any(pump.is_open for pump in pumps), deadline)
        for pump in pumps:
            if pump.is_open:
                pump.find_holders()

    def elapsed(self) -> float:
        """Seconds since the first start."""
        return self._clock.now() - self._started_at

    def sampled(self) -> Sequence[EdgeOutcome]:
        """What was seen of edges at which nobody counts."""
        return self._samples.edges() if self._samples is not None else ()

    def close(self) -> None:
        """Give back every descriptor."""
        self._watch.close()
        self.brood.close()
        self.files.close()

    def _fail_to_start(self, position: int, ending: NotStarted) -> None:
        """Note which stage could not be started, and stop the others."""
        self.files.release_all()  # or what was started would wait for the rest
        self.not_started = (position, ending)
        name = self.job.stages[position].name
        self._hurry = True
        self.stopped = Stop(f"{name} could not be started", alive(self.running))

    def _watch_edges(self, wiring: Wiring) -> None:
        """Wake up when a FIFO is opened, and now and then to see whether all stalls."""
        from penstock.proc.stall import Stall  # noqa: PLC0415 (few jobs need it)

        now = self._clock.now()
        if self.gauge is None:
            self.gauge = Gauge(self.job, self.brood, self.files, now)
        parts = wiring, self.running, self.brood.relays, self.files
        self.gauge.stall = Stall(self.job, *parts, now)
        fifos = self.files.fifos
        if fifos is not None:
            self._watch.listen(fifos.fileno(), fifos.hear)

    def _look_at_edges(self, now: float) -> None:
        """See who waits for whom, now that we are awake, while the job is at work."""
        if not self.files.edge_of_inode or self.stopped is not None:
            return
        if self._samples is None:
            if now - self._started_at < _LONG:
                return
            from penstock.proc.samples import Samples  # noqa: PLC0415 (long jobs only)

            edges, since = self.files.edge_of_inode, self._started_at
            self._samples = Samples(self.running, edges, since)
        self._samples.look(now)

    def _rest(self, seconds: float) -> bool:
        """Let time pass before a start is tried again; False: do not."""
        deadline = self._clock.now() + seconds
        return not self._wait(lambda: self.stopped is not None, deadline)

    def _has_changed(self, alive_before: int) -> bool:
        brood = self.brood
        if brood.spoiled is not None and brood.alive:
            self._stop_for(brood.spoiled)
        return brood.alive < alive_before or self.stopped is not None

    def _wait(self, done: Callable[[], bool], deadline: float | None) -> bool:
        """Serve whatever becomes ready until `done`: True; or `deadline`: False."""
        while not done():
            now = self._clock.now()
            if deadline is not None and now >= deadline:
                return False
            if now >= self._reap_at:  # also while a log gives no rest
                self._reap_at = now + REAP_EVERY
                self.brood.collect()
                if not is_apart(self.job):
                    self.brood.wake()
                self._look_at_edges(now)
                continue
            until = self._reap_at if deadline is None else min(deadline, self._reap_at)
            self.obey(self._watch.serve(until - now))
        return True

    def obey(self, orders: Sequence[Order]) -> None:
        """Do as those above say."""
        for order in orders:
            self._obey(order)

    def _obey(self, order: Order) -> None:
        match order:
            case Cancel(cause, now):
                self._hurry = self._hurry or now
                self._stop_for(cause)
            case Abandon(cause):
                self._hurry = True
                self._stop_for(cause)
            case Suspend(on):
                if on and self.stopped is None:
                    self._clock.pause()
                else:
                    self._clock.resume()

    def _stop_for(self, cause: str) -> None:
        """Stop the job, unless that was decided before: the first cause counts."""
        if self.stopped is None:
            self.stopped = Stop(cause, alive(self.running))

    def _pump(self, pump: LogPump) -> None:
        pump.pump()
        if not pump.is_open:
            self._watch.forget(pump.reader)
            pump.close()

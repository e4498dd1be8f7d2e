"""``penstock map``: a command, or a pipeline, for each of many values."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from penstock.cli.lines.map import MapOptions
from penstock.cli.local import Feeding, Party, feed_locally
from penstock.cli.map_jobs import (
    GROUPED,
    UNGROUPED,
    BatchSource,
    Commands,
    MapJobs,
    limits_of,
)
from penstock.cli.map_log import JobLog, open_log, read_log
from penstock.cli.map_outputs import Outputs, is_straight, open_outputs
from penstock.cli.map_report import Reporter
from penstock.cli.map_source import Input
from penstock.cli.options import Jobs, Share
from penstock.cli.printing import say
from penstock.cli.slots import Terms, Wanted, come_to_terms, within
from penstock.cli.stdout import StdoutClosed
from penstock.clock import MonotonicClock, RunningClock
from penstock.engine import Dispatch
from penstock.errors import UsageError
from penstock.executor.nursery import Nursery
from penstock.model.outcome import TROUBLE, Outcome
from penstock.model.verdict import SIGPIPE
from penstock.plan.base import Plan
from penstock.plan.feed import Feed, Rules
from penstock.proc.descriptors import affordable
from penstock.proc.signals import SignalFlags, die_by
from penstock.source.batch import Batches
from penstock.spec.replace import Filling
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.cli.bar import Screen
    from penstock.cli.map_progress import Shown
    from penstock.cli.map_stdin import Supplied
    from penstock.executor.patient import Patient
    from penstock.plan.by_median import ByMedian

_AHEAD = 64
_OWN_DESCRIPTORS = 100
_DESCRIPTORS_A_JOB = 8  # the worker's socket, stdin, two pipes, a file on the shelf


def main(given: MapOptions, nursery: Nursery) -> int:
    """Run the jobs; 0, 1, 124 or 125. Does not return if a signal ended the run."""
    source = Input(given)
    try:
        commands = Commands(given, {} if given.pipe else source.names())
        batches = _batches(given, source, commands)
        if given.preview:
            return _print_commands(source, batches, commands)
        wanted = Wanted(given.jobs, given.jobserver)
        if given.isolate:
            nursery.isolate(given.isolate)
        terms = come_to_terms(wanted, nursery, None, os.environ)
        return _Map(given, source, batches, commands, terms).run(nursery)
    finally:
        source.close()


class _Map:
    """One run of `penstock map`."""

    def __init__(
        self,
        given: MapOptions,
        source: Input,
        batches: BatchSource,
        commands: Commands,
        terms: Terms,
    ) -> None:
        self._given = given
        self._batches = batches
        self._source = source
        self._terms = terms
        self._most = affordable(_OWN_DESCRIPTORS, _DESCRIPTORS_A_JOB, terms.slots)
        self._slots = within(self._most, terms.slots)
        streams = UNGROUPED if is_straight(given) else GROUPED
        self._commands = commands
        self._jobs = MapJobs(batches, commands, limits_of(given), streams)
        self._needs_slot = commands.needs_slot
        self._feed: Feed | None = None
        self._executor: Patient | None = None
        self._timed: ByMedian | None = None  # what is over the feed, if times count
        self._clock = RunningClock(MonotonicClock())

    def run(self, nursery: Nursery) -> int:
        """Run all; the exit status."""
        log_file = _open_log(self._given)  # a signal ends the wait for a reader
        with SignalFlags() as flags:
            return self._run(nursery, log_file, flags)

    def _run(self, nursery: Nursery, log_file: int | None, flags: SignalFlags) -> int:
        given = self._given
        outputs = open_outputs(
            given, self._commands, self._jobs, self._source, self._final, flags
        )
        _leave_out_done(given, self._jobs)
        supplied = self._supplied(outputs.dispatch)
        log = _log(given, log_file, outputs, flags)
        reporter = Reporter(given, outputs.place_of)
        shown = self._show(outputs.screen)
        feeding = Feeding(
            self._make_plan,
            self._slots,
            0 if self._is_exact else _AHEAD,
            outputs.waker,
            self._most,
            self._clock,
            outputs.finish,
        )
        sinks = [*reporter.sinks(), *log, *shown]
        dispatch = supplied or outputs.dispatch
        party = Party(flags, sinks, dispatch, outputs.reader, shown, self._terms)
        try:
            result = feed_locally(feeding, nursery, party, name="map")
        except StdoutClosed:
            die_by(SIGPIPE)
            return TROUBLE
        finally:
            outputs.close()
            for each in (supplied, *log, *shown):
                if each is not None:
                    each.close()
        status = reporter.status(result)
        if not all(each.is_whole for each in log):
            status = TROUBLE
        if result.tally.signal is not None and status != TROUBLE:
            die_by(result.tally.signal)
        return status

    @property
    def _is_exact(self) -> bool:
        """Whether it matters when each job is started, so that none waits ahead."""
        given = self._given
        # A descriptor cannot wait at a worker.
        handed = given.pipe or given.stdin or given.line_buffer
        waits = given.delay or given.max_load or given.min_memory
        timed = isinstance(given.timeout, Share)
        return self._needs_slot or handed or timed or bool(given.halt or waits)

    def _make_plan(self, executor: Patient) -> Plan:
        given = self._given
        self._executor = executor
        slots = self._slots if self._needs_slot else 0
        pause, total = _pause(given), self._jobs.total
        rules = Rules(given.retries, given.halt, given.delay, slots, pause, total)
        self._feed = Feed(self._jobs, lambda: executor.room, rules)
        if isinstance(given.timeout, Share):
            self._timed = _timed(self._feed, given.timeout, self._clock, executor)
        return self._timed or self._feed

    def _final(self, outcome: Outcome) -> Outcome | None:
        """The outcome as it will be told; None if the job is tried again."""
        if self._timed is not None:
            outcome = self._timed.told(outcome)
        is_final = self._feed is None or self._feed.is_final(outcome)
        return outcome if is_final else None

    def _is_final(self, outcome: Outcome) -> bool:
        return self._final(outcome) is not None

    def _show(self, screen: Screen | None) -> Sequence[Shown]:
        """Who shows how far the run is."""
        given = self._given
        if not (given.bar or given.progress):
            return ()
        from penstock.cli.map_progress import show  # noqa: PLC0415 (only if used)
        from penstock.report.progress import Prospect  # noqa: PLC0415

        def look_ahead() -> Prospect:
            executor = self._executor
            slots = self._slots if executor is None else executor.slots
            return Prospect(*self._jobs.outlook, slots)

        return show(given, screen, look_ahead)

    def _supplied(self, inner: Dispatch) -> Supplied | None:
        """What gives each job its stdin, if it has one."""
        given = self._given
        if not (given.pipe or given.stdin):
            return None
        from penstock.cli.map_stdin import supply  # noqa: PLC0415 (only if used)

        return supply(given, self._batches, self._jobs, inner, self._is_final)


def _timed(
    feed: Feed, share: Share, clock: RunningClock, executor: Patient
) -> ByMedian:
    """What ends the jobs of the feed that take too long, compared with the others."""
    from penstock.plan.by_median import ByMedian  # noqa: PLC0415 (only if used)

    timed = ByMedian(feed, share.percent, clock.now, waits=True)
    executor.tell_of_starts(timed.begin, timed.put_off)
    return timed


def _batches(given: MapOptions, source: Input, commands: Commands) -> BatchSource:
    """What each job is given."""
    batches = _batches_of(given, source, commands)
    if given.colsep is None or given.csv or given.pipe:
        return batches
    from penstock.cli.stoppable import Stoppable  # noqa: PLC0415 (only if used)

    return Stoppable(batches)


def _batches_of(given: MapOptions, source: Input, commands: Commands) -> BatchSource:
    if given.pipe or given.stdin:
        from penstock.cli import map_stdin  # noqa: PLC0415 (only if used)

        map_stdin.check(given)
        if given.pipe:
            return map_stdin.piped(given, source.sole_file(), source.gate)
    if not (given.many or given.joined):
        return Batches(source.records(), given.max_args or 1)
    if not commands.templates:
        raise UsageError("-X and -m need a command to put the values in")
    most = given.max_args or sys.maxsize
    room = min(commands.room, given.max_chars or sys.maxsize)
    return Batches(source.records(), most, room, commands.cost, _slots(given))


def _slots(given: MapOptions) -> int:
    return (given.jobs or Jobs(100, 0)).resolve(len(os.sched_getaffinity(0)))


def _leave_out_done(given: MapOptions, jobs: MapJobs) -> None:
    """Leave out the jobs that are done by an earlier log."""
    if not (given.resume or given.resume_failed):
        return
    if given.joblog is not None:
        is_done = read_log(given.joblog, successes=given.resume_failed)
        jobs.leave_out(lambda filling: is_done(filling.number))
    elif given.resume_failed:
        raise UsageError("--resume-failed needs the log of what failed: --joblog FILE")
    elif given.results is None:
        why = "--resume needs to know what was run: --joblog FILE or --results DIR"
        raise UsageError(why)


def _open_log(given: MapOptions) -> int | None:
    """A descriptor of the job log, if one is wanted."""
    if given.joblog is None:
        return None
    return open_log(given.joblog)


def _log(
    given: MapOptions,
    file: int | None,
    outputs: Outputs,
    stop: SignalFlags,
) -> list[JobLog]:
    """The job log, if one is wanted."""
    if given.joblog is None or file is None:
        return []
    appending = given.resume or given.resume_failed
    return [JobLog(file, given.joblog, outputs, stop, appending=appending)]


def _pause(given: MapOptions) -> Callable[[], float] | None:
    """How long starts wait for the machine; None: they never do."""
    if given.max_load is None and given.min_memory is None:
        return None
    from penstock.proc.pressure import Bounds, Pressure  # noqa: PLC0415 (only if used)

    cpus = len(os.sched_getaffinity(0))
    load = None if given.max_load is None else given.max_load.resolve(cpus)
    return Pressure(Bounds(load, given.min_memory), MonotonicClock()).pause


def _print_commands(source: Input, batches: BatchSource, commands: Commands) -> int:
    """Print what would be run; a pipeline in one line."""
    number = 0
    while not batches.is_over:
        batch = batches.next()
        if batch is None:
            if not batches.is_over:
                source.gate.wait()
            continue
        number += 1
        filled = commands.fill(Filling(batch, number, 1))
        status = say(0, " | ".join(command.typed for command in filled) + "\n")
        if status:
            return status
    return 0

"""Running a pipeline on this machine: pool, signals, and the last sweep.

What every subcommand that runs something goes through, so that each of them leaves
nothing behind, on every way out.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Sequence

from penstock.clock import MonotonicClock, RunningClock
from penstock.engine import Dispatch, Engine, Inlet, Interrupts, RunResult
from penstock.errors import PenstockError, shortage
from penstock.executor.attended import Attendant, Attended
from penstock.executor.base import Executor
from penstock.executor.nursery import Nursery
from penstock.executor.patient import Patient
from penstock.executor.pool import Pool
from penstock.model.event import Sink
from penstock.model.job import Pipeline
from penstock.model.verdict import SIGPIPE
from penstock.plan.base import Plan
from penstock.plan.frame import spare_slots
from penstock.proc.descendants import children_of
from penstock.proc.prctl import become_subreaper
from penstock.proc.reaper import SWEEP_BUDGET, sweep_orphans
from penstock.proc.signals import FEWER, MORE, SignalFlags, stop_oneself
from penstock.typed import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from penstock.cli.slots import Terms
    from penstock.executor.gated import Gated


class Party(NamedTuple):
    """Who takes part in a run, next to its jobs.

    Attributes:
        flags: the signals that came.
        sinks: hear every event.
        dispatch: see `Engine`.
        output: what the jobs' output is printed on; the run is stopped as by SIGPIPE
            when nobody reads that any more.
        attendants: are attended to while jobs run.
        terms: the jobserver that is asked before a job is started, if there is one.
    """

    flags: SignalFlags
    sinks: Sequence[Sink] = ()
    dispatch: Dispatch | None = None
    output: int | None = None
    attendants: Sequence[Attendant] = ()
    terms: Terms | None = None

    def interrupts(self) -> Interrupts:
        """What may stop the run."""
        return self.flags if self.output is None else _Reader(self.output, self.flags)


def run_locally(  # noqa: PLR0913 (what a run needs, by name)
    pipeline: Pipeline,
    nursery: Nursery,
    party: Party,
    *,
    name: str,
    slots: int = 1,
    wakes: Sequence[int] = (),
    on_pool: Callable[[Pool], None] | None = None,
    keep_going: bool = False,
    deadline: float | None = None,
) -> RunResult:
    """Run `pipeline` to its end on at most `slots` workers.

    Args:
        pipeline: see `Engine.run`.
        nursery: forks the workers.
        party: who takes part.
        name: of the run.
        slots: how many jobs may be alive at once.
        wakes: descriptors that are readable when an attendant has something to do.
        on_pool: is told where the jobs run, for who looks on.
        keep_going: see `Engine.run`.
        deadline: see `Engine.run`.

    Raises:
        PenstockError: something below us could not be ended; it is named.
    """
    spare, wakes = spare_slots(pipeline), (party.flags.fileno(), *wakes)
    pool = Pool(slots + spare, nursery, wakes=wakes, output=party.output)
    if on_pool is not None:
        on_pool(pool)

    def act(engine: Engine, _: Patient) -> RunResult:
        return engine.run(pipeline, name=name, keep_going=keep_going, deadline=deadline)

    return _act_and_close(act, party, pool, nursery, spare=spare)


class Waker(Inlet, Protocol):
    """An `Inlet` with a descriptor that is readable when there is more."""

    def fileno(self) -> int:
        """The descriptor to wait for."""
        ...


class Feeding(NamedTuple):
    """How the jobs of a source come to be run.

    Attributes:
        make_plan: of the pool that the jobs run in.
        slots: how many jobs may be alive at once.
        ahead: see `Pool`; with a jobserver, nothing waits ahead.
        gate: tells when the source has something to read.
        most: how many slots there may be once SIGUSR1 has made them more.
        clock: stands still while the jobs do.
        finish: is called when they are over, while signals are still heeded.
    """

    make_plan: Callable[[Patient], Plan]
    slots: int
    ahead: int
    gate: Waker
    most: int
    clock: RunningClock
    finish: Callable[[], None]


def feed_locally(
    feeding: Feeding, nursery: Nursery, party: Party, *, name: str
) -> RunResult:
    """Run the jobs of a source to their end.

    Raises:
        PenstockError: something below us could not be ended; it is named.
    """
    flags, gate = party.flags, feeding.gate
    wakes = (flags.fileno(), gate.fileno())
    is_gated = party.terms is not None and party.terms.jobserver is not None
    ahead = 0 if is_gated else feeding.ahead
    pool = Pool(feeding.slots, nursery, ahead=ahead, wakes=wakes, output=party.output)
    if not is_gated:  # the jobserver decides
        flags.react(MORE, lambda: pool.resize(min(feeding.most, pool.slots + 1)))
        flags.react(FEWER, lambda: pool.resize(max(1, pool.slots - 1)))

    def act(engine: Engine, patient: Patient) -> RunResult:
        result = engine.carry_out(feeding.make_plan(patient), name=name)
        feeding.finish()
        return result

    return _act_and_close(act, party, pool, nursery, clock=feeding.clock, inlet=gate)


def _act_and_close(  # noqa: PLR0913 (who takes part, by name)
    act: Callable[[Engine, Patient], RunResult],
    party: Party,
    pool: Pool,
    nursery: Nursery,
    *,
    clock: RunningClock | None = None,
    inlet: Inlet | None = None,
    spare: int = 0,
) -> RunResult:
    """Let an engine work with `pool`, and leave nothing behind of it."""
    patient = Patient(_gate(pool, party.terms), spare=spare)
    attendants = party.attendants
    executor: Executor = Attended(patient, attendants) if attendants else patient
    engine = Engine(
        executor,
        party.sinks,
        interrupts=party.interrupts(),
        dispatch=party.dispatch,
        inlet=inlet,
        shortages=patient,
    )
    clock, real = clock or RunningClock(MonotonicClock()), MonotonicClock()

    def suspend() -> None:
        began = real.now()
        clock.stand_still(lambda: _stand_still(pool, attendants))
        engine.postpone(real.now() - began)

    party.flags.on_suspend = suspend
    # A shell may have exec'ed us while it had children: those are not ours to end.
    strangers = frozenset(children_of(os.getpid())) - {nursery.pid}
    become_subreaper()  # should nursery and worker die together, we are next in line
    try:
        result = act(engine, patient)
    finally:
        executor.close()
        if not pool.is_clean:
            _sweep(strangers)
    for fault in result.faults:
        _tell_fault(fault)
    return _heed_late(party.flags.close(), result)


def _gate(pool: Pool, terms: Terms | None) -> Pool | Gated:
    """The pool, behind a gate if there is a jobserver."""
    if terms is None or terms.jobserver is None:
        return pool
    from penstock.executor.gated import Gated  # noqa: PLC0415 (only if used)

    return Gated(pool, terms.jobserver, terms.makeflags)


def _stand_still(pool: Pool, attendants: Sequence[Attendant]) -> None:
    """Let the jobs stand still for as long as we do."""
    for attendant in attendants:
        attendant.stand_still()
    pool.suspend(on=True)
    stop_oneself()
    pool.suspend(on=False)


class _Reader:
    """`Interrupts` that also tell when nobody reads our output any more."""

    def __init__(self, output: int, flags: SignalFlags) -> None:
        self._flags = flags
        self._is_there = True
        self._poll = select.poll()
        self._poll.register(output, 0)

    def take(self) -> int | None:
        """The next signal; SIGPIPE, once, when the reader has gone."""
        signal = self._flags.take()
        if signal is None and self._is_there and self._poll.poll(0):
            self._is_there = False
            return SIGPIPE
        return signal


def _tell_fault(fault: Exception) -> None:
    """Why the status is 125: a report is incomplete, for want of room or by a bug."""
    from traceback import format_exception  # noqa: PLC0415 (hardly ever)

    from penstock.cli.printing import tell  # noqa: PLC0415

    why = shortage(fault) or (str(fault) if isinstance(fault, OSError) else None)
    why = why or "".join(format_exception(fault)).rstrip()
    tell(f"penstock: a report of the run is incomplete: {why}\n")


def _heed_late(signal: int | None, result: RunResult) -> RunResult:
    """The result, if a signal came when there was nothing left that it could stop.

    We end by it all the same: a shell that loops over us is to end as well. (But not by
    a key that was meant for a command in the foreground: see `oneshot`.)
    """
    if signal is None or result.tally.signal is not None:
        return result
    tally = result.tally._replace(signal=signal)
    return result._replace(tally=tally)


def _sweep(strangers: frozenset[int]) -> None:
    """End what the nursery could not, or what came to us because it was killed."""
    left = sweep_orphans(strangers, budget=SWEEP_BUDGET, clock=MonotonicClock())
    if left:
        names = ", ".join(f"{process.pid} ({process.command})" for process in left)
        raise PenstockError(f"could not be ended: {names}")

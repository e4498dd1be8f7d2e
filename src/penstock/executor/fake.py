"""FakeExecutor: runs nothing, on a clock of its own; for tests of whatever uses jobs.

Which job does what is said beforehand, by name; time passes only while somebody waits,
and a thousand hours take no longer than a second. Nothing depends on chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from penstock.errors import UsageError
from penstock.model.job import Job
from penstock.model.limits import GRACE
from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    NotStarted,
    Outcome,
    Signaled,
    StageOutcome,
    TimedOut,
    Usage,
)
from penstock.model.verdict import unseen
from penstock.typed import NamedTuple

FOREVER = float("inf")
_EPOCH = 1_800_000_000.0
_SIGTERM = 15
_SIGKILL = 9


class VirtualClock:
    """A `Clock` that stands still until it is moved."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    def wall(self) -> float:
        """A fixed day, and the seconds since."""
        return _EPOCH + self._now

    def move(self, instant: float) -> None:
        """Let it be `instant`; the past is left alone."""
        self._now = max(self._now, instant)


class Role(NamedTuple):
    """What a job is to do.

    Attributes:
        ending: how its last stage ends by itself; the others exit with 0.
        seconds: how long it takes, if no timeout passes first.
        dying: how long it takes to end once it is told to.
        tail: what its last stage leaves on stderr.
    """

    ending: Ending = Exited(0)
    seconds: float = 1.0
    dying: float = 0.0
    tail: bytes = b""


class _Running(NamedTuple):
    job: Job
    started: float
    ends: float
    ending: Ending
    role: Role


class FakeExecutor:
    """An `Executor` whose jobs play the roles they were given.

    It is also the source of its signals (`penstock.engine.Interrupts`), which wake it
    as the real ones do.

    Args:
        roles: by name of the job; others succeed after one second. Of a list, each
            attempt plays the next, and the last one again.
        slots: how many jobs may be alive at once.
        signals: instant and number of each signal, in order.

    Attributes:
        clock: the time that passes here.
        submitted: every job, in order.
        cancelled: name, cause and `now` of each cancel that met a running job.
        most_alive: how many jobs were alive at once, at the most.
    """

    def __init__(
        self,
        roles: Mapping[str, Role | list[Role]] | None = None,
        *,
        slots: int = 1,
        signals: Sequence[tuple[float, int]] = (),
    ) -> None:
        self.clock = VirtualClock()
        self.submitted: list[Job] = []
        self.cancelled: list[tuple[str, str, bool]] = []
        self.most_alive = 0
        self._roles = {
            name: list(role) if isinstance(role, list) else [role]
            for name, role in (roles or {}).items()
        }
        self._slots = slots
        self._begin: Callable[[str], None] | None = None
        self._signals = list(signals)
        self._alive: dict[str, _Running] = {}

    @property
    def slots(self) -> int:
        """How many jobs may be alive at once."""
        return self._slots

    @property
    def room(self) -> int:
        """How many jobs can be submitted now."""
        return self._slots - len(self._alive)

    def resize(self, slots: int) -> None:
        """Let so many jobs be alive at once; what runs is left to end."""
        self._slots = slots

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job`; its descriptors are not looked at."""
        del descriptors
        if len(self._alive) >= self._slots:
            raise UsageError(f"no slot is free for job {job.name}")
        if job.name in self._alive:
            raise UsageError(f"job {job.name} is running already")
        now = self.clock.now()
        role = self._next_role(job.name)
        seconds, ending = _course(job, role)
        self._alive[job.name] = _Running(job, now, now + seconds, ending, role)
        self.submitted.append(job)
        self.most_alive = max(self.most_alive, len(self._alive))
        if self._begin is not None:
            self._begin(job.name)

    def tell_of_starts(self, begin: Callable[[str], None]) -> None:
        """Tell `begin` the name of each job when that is started."""
        self._begin = begin

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """Let a running job die, by TERM, or by KILL after its grace."""
        running = self._alive.get(name)
        if running is None:
            return
        self.cancelled.append((name, cause, now))
        if isinstance(running.ending, Cancelled):
            cause = running.ending.cause  # the first one is why it ends
        grace = 0.0 if now else _grace(running.job)
        dying, escalated, status = _death(running.role, grace)
        self._alive[name] = running._replace(
            ends=min(running.ends, self.clock.now() + dying),
            ending=Cancelled(cause, status, escalated),
        )

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Move the clock to the next ending, signal or `deadline`.

        Raises:
            UsageError: none of them will ever come.
        """
        instants = [running.ends for running in self._alive.values()]
        instants += [at for at, _ in self._signals[:1]]
        instants += [] if deadline is None else [deadline]
        instant = min(instants, default=FOREVER)
        if instant == FOREVER:
            raise UsageError("this wait would never end")
        self.clock.move(instant)
        over = [r for r in self._alive.values() if r.ends <= self.clock.now()]
        for running in over:
            del self._alive[running.job.name]
        return tuple(self._outcome(running) for running in over)

    def take(self) -> int | None:
        """The number of a signal that came since, each one once."""
        if self._signals and self._signals[0][0] <= self.clock.now():
            return self._signals.pop(0)[1]
        return None

    def close(self) -> None:
        """Drop what still runs."""
        self._alive.clear()

    def _next_role(self, name: str) -> Role:
        roles = self._roles.get(name, [Role()])
        return roles.pop(0) if len(roles) > 1 else roles[0]

    def _outcome(self, running: _Running) -> Outcome:
        job, ending = running.job, running.ending
        if isinstance(ending, NotStarted):
            return unseen(job, ending)
        elapsed = running.ends - running.started
        endings = [*[Exited(0)] * (len(job.stages) - 1), ending]
        stages = tuple(
            StageOutcome(
                name=stage.name,
                ending=each,
                ok=isinstance(each, Exited) and each.code in stage.command.ok,
                pid=1000 + position,
                elapsed=elapsed,
                usage=Usage(elapsed / 2, 0.0, 1 << 20),
            )
            for position, (stage, each) in enumerate(
                zip(job.stages, endings, strict=True)
            )
        )
        last = stages[-1]._replace(tail=running.role.tail)
        culprit = None if last.ok else len(stages) - 1
        return Outcome(
            job.name, ending, last.ok, (*stages[:-1], last), culprit, elapsed
        )


def _course(job: Job, role: Role) -> tuple[float, Ending]:
    """How long the job lasts if nobody intervenes, and how it then ends."""
    limits = [(stage.limits.timeout, "command") for stage in job.stages]
    limits.append((job.limits.timeout, "job"))
    known = [(timeout, of) for timeout, of in limits if timeout is not None]
    timeout, limit_of = min(known, default=(FOREVER, ""))
    if role.seconds <= timeout:
        return role.seconds, role.ending
    dying, escalated, status = _death(role, _grace(job))
    return timeout + dying, TimedOut(timeout, limit_of, status, escalated)


def _death(role: Role, grace: float) -> tuple[float, bool, Signaled]:
    """How long it takes to end it, whether that takes a KILL, and how it then ends."""
    escalated = role.dying > grace
    signal = _SIGKILL if escalated else _SIGTERM
    return min(role.dying, grace), escalated, Signaled(signal, core=False)


def _grace(job: Job) -> float:
    return max((stage.limits.grace for stage in job.stages), default=GRACE)

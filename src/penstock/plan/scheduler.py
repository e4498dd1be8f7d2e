"""Scheduler: which job to start, retry, cancel or skip, and when. News in, actions out.

A job is in one place at a time, and moves downwards, but for a retry:

    _needs     waits for the jobs it needs
    _families  (members of a family) was not made yet
    _roll      waits for room, is asked whether it is to run, runs, or rests
    (none)     has ended, or was skipped: nothing will be said of it again

The scheduler is at rest when every job has left all of these. Once a run is *halted*,
by a failure or by a signal, nothing is started any more. No clock, no threads, no I/O:
the order of the news is all that it knows. Jobs that others can need, and families, are
*units* here; a member counts for its family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

from penstock.errors import DefinitionError, UsageError
from penstock.model.action import (
    Action,
    CancelJob,
    EndErrand,
    EndJob,
    PassJob,
    RetryJob,
    SetAlarm,
    SkipJob,
    StartErrand,
    StartJob,
)
from penstock.model.event import (
    AlarmRang,
    CutShort,
    Finished,
    InputCame,
    Interrupted,
    JobPassed,
    News,
    RunStarted,
    SlotsChanged,
)
from penstock.model.job import Family, Job, Pipeline
from penstock.model.outcome import NotStarted, Outcome
from penstock.model.signals import signal_name
from penstock.plan.attempt import Attempt, blame, stand_in
from penstock.plan.check import check
from penstock.plan.errand import doubt_of, errand_for, unasked
from penstock.plan.families import Families
from penstock.plan.needs import Needs
from penstock.plan.retry import next_try
from penstock.plan.roll import Roll
from penstock.plan.room import Room
from penstock.plan.services import Services, as_service


class Scheduler:
    """Decides the order of one run; ready jobs are started in the order given.

    Args:
        pipeline: its jobs in the order of the file, then its families.
        slots: how many jobs may be alive at once; services are not counted.
        keep_going: after a failure, still run what does not depend on it.

    Raises:
        UsageError: see `check`; or there is no slot.
    """

    def __init__(
        self, pipeline: Pipeline, slots: int, *, keep_going: bool = False
    ) -> None:
        self._room = Room(slots, pipeline.resources)
        self._roll = Roll(self._room)
        check(pipeline, self._room)
        units: list[Job | Family] = [*pipeline.jobs, *pipeline.families]
        self._units = {unit.name: unit for unit in units}
        self._position = {unit.name: i for i, unit in enumerate(units)}
        self._needs = Needs({unit.name: unit.needs for unit in units})
        self._families = Families()
        self._services = Services(
            {
                job.name: len(self._needs.of(job.name))
                for job in pipeline.jobs
                if job.policy.service is not None
            }
        )
        self._unopened = [unit.name for unit in units if not unit.needs]
        self._failed: set[str] = set()
        self._greeted: set[str] = set()  # services that were ready
        self._keep_going = keep_going
        self._halted_by: str | None = None
        self._interruptions = 0
        self._usual = slots  # of the executor, which has some for services besides

    @property
    def is_done(self) -> bool:
        """Whether every job has ended or was skipped, and every errand is over."""
        waiting = self._unopened or self._needs or self._families
        return not (waiting or self._roll or self._services.questions)

    def handle(self, news: News) -> tuple[Action, ...]:
        """Take note of `news`, and say what is to be done about it, in that order."""
        return (*self._take_note(news), *self._fill())

    def halt(self, cause: str) -> Iterator[Action]:
        """Cancel what runs and skip the rest, unless that was done already."""
        if self._halted_by is not None:
            return
        self._halted_by = cause
        units = [*self._unopened, *self._needs.waiting]
        self._unopened.clear()
        self._needs.forget()
        yield from self._withdraw(lambda _: True, cause, units)
        yield from self._services.stop_idle()

    def _take_note(self, news: News) -> Iterator[Action]:
        match news:
            case RunStarted():
                self._usual = news.slots
                while self._unopened:  # none after a halt
                    yield from self._open(self._unopened.pop(0))
            case Finished(job, outcome):
                yield from self._finish(job, outcome)
            case JobPassed(job):
                yield from self._pass(job)
            case Interrupted() | CutShort():
                yield from self._interrupt(news)
            case SlotsChanged() | InputCame():
                self._resize(news)
            case AlarmRang(name):
                yield from self._ring(*name.split(" ", 1))

    def _resize(self, news: SlotsChanged | InputCame) -> None:
        """Have other slots; all its jobs are known, whatever came."""
        if isinstance(news, SlotsChanged):
            self._room.narrow(max(0, self._usual - news.slots))

    def _open(self, unit: str) -> Iterator[Action]:
        """It needs nothing more."""
        match self._units[unit]:
            case Job() as job:
                self._line_up(job, unit)
            case Family() as family:
                self._families.open(family)
                yield from self._pull(unit)

    def _pull(self, unit: str) -> Iterator[Action]:
        """Let the next member of a family wait for room; without one it may be over."""
        try:
            member = self._families.pull(unit)
        except DefinitionError as error:  # of what it is made of, a job may have made
            yield from self._break(unit, error)
            return
        if member is not None:
            self._line_up(member, unit)
        elif self._families.is_empty(unit):
            yield PassJob(stand_in(self._units[unit]), "its `for` finds nothing")
        elif self._families.close_if_over(unit):
            yield from self._settle(unit)

    def _break(self, unit: str, error: DefinitionError) -> Iterator[Action]:
        """A member cannot be made: the family has failed, as a job that never ran."""
        self._families.cut(unit)
        job = stand_in(self._units[unit])
        outcome = Outcome(unit, NotStarted(None, str(error), "file"), ok=False)
        yield EndJob(job, outcome)
        yield from self._fail(unit, blame(outcome))
        if self._families.close_if_over(unit):
            yield from self._settle(unit)

    def _line_up(self, job: Job, unit: str) -> None:
        demand = self._room.demand(job)
        self._roll.line_up(Attempt(job, unit, self._position[unit], demand))

    def _fill(self) -> Iterator[Action]:
        """Start what there is room for."""
        while (attempt := self._roll.call()) is not None:
            when = attempt.job.policy.when
            if when is None or attempt.last is not None:
                yield from self._launch(attempt)
            else:
                errand = errand_for("when", when, attempt.job)
                self._roll.ask(errand.name, attempt)
                yield StartErrand(errand)
            if attempt.last is None and attempt.unit in self._families:
                yield from self._pull(attempt.unit)

    def _launch(self, attempt: Attempt) -> Iterator[Action]:
        job, service = attempt.job, attempt.job.policy.service
        self._roll.run(attempt)
        if service is None:
            yield StartJob(job, attempt.number)
            return
        yield StartJob(as_service(job), attempt.number)
        yield from self._services.start(job)
        if service.ready is None:
            yield from self._greet(job.name)

    def _greet(self, service: str) -> Iterator[Action]:
        """A service can be used from now on, if it has not ended."""
        if self._services.become_ready(service):
            self._greeted.add(service)
            for name in self._needs.meet(service):
                yield from self._open(name)
            yield from self._services.stop_if_idle(service)

    def _finish(self, job: Job, outcome: Outcome) -> Iterator[Action]:
        """A job or an errand is over."""
        service = self._services.asker(job.name)
        if service is not None:
            yield EndErrand(job, "ready", outcome)
            yield from self._services.answer(job.name, outcome)
            if outcome.ok:
                yield from self._greet(service)
        elif self._roll.is_asked(job.name):
            yield EndErrand(job, "when", outcome)
            yield from self._heed(*self._roll.answer(job.name), outcome)
        elif self._roll.is_running(job.name):
            attempt = self._roll.leave(job.name)
            yield from self._end(attempt, Finished(job, outcome))
        else:
            raise UsageError(f"job {job.name} ended, but it was not running")

    def _pass(self, job: Job) -> Iterator[Action]:
        """A job was passed over, or a family that has no members."""
        if self._roll.is_running(job.name):
            yield from self._services.forget(job.name)
            yield from self._leave(self._roll.leave(job.name), None)
        elif self._families.close_if_over(job.name):
            yield from self._settle(job.name)

    def _heed(
        self, attempt: Attempt, refused: str | None, asked: Outcome
    ) -> Iterator[Action]:
        """What the `when` of a job has said, to which its room belongs already."""
        if asked.ok and refused is None:
            yield from self._launch(attempt)
            return
        doubt = doubt_of(asked)
        if doubt is None and refused is None:
            self._roll.run(attempt)
            yield PassJob(attempt.job, "its `when` said no")
            return
        self._roll.give_back(attempt)
        if refused is not None:
            yield SkipJob(attempt.job, refused)
            yield from self._leave(attempt, refused)
        else:
            outcome = unasked(attempt.job, doubt or "")
            yield EndJob(attempt.job, outcome)
            yield from self._leave(attempt, blame(outcome))

    def _end(self, attempt: Attempt, told: Finished) -> Iterator[Action]:
        """Tell of the end of an attempt, and whether there will be another."""
        job, outcome = told
        is_last = attempt.is_withdrawn or self._halted_by is not None
        if job.name in self._services:
            outcome, was_ready = self._services.judge(job.name, outcome)
            yield from self._services.forget(job.name)
            is_last = is_last or was_ready
        after = None
        if not (outcome.ok or is_last):
            after = next_try(job.policy.retry, outcome, attempt.number)
        if after is None:
            yield EndJob(job, outcome, attempt.number)
            yield from self._leave(attempt, None if outcome.ok else blame(outcome))
        else:
            yield RetryJob(job, outcome, attempt.number, after)
            yield SetAlarm(f"retry {job.name}", after)
            self._roll.rest(attempt.again(Finished(job, outcome)))

    def _leave(self, attempt: Attempt, because: str | None) -> Iterator[Action]:
        """All is told of a job; `because` says why its dependents cannot run."""
        unit = attempt.unit
        if because is not None:
            yield from self._fail(unit, because)
        if unit in self._families:
            self._families.leave(unit)
            if not self._families.close_if_over(unit):
                return
        yield from self._settle(unit)

    def _fail(self, unit: str, because: str) -> Iterator[Action]:
        self._failed.add(unit)
        if not self._keep_going:
            yield from self.halt(because)
        if self._halted_by is not None:
            return
        for name in self._needs.give_up(unit):
            yield from self._skip(name, because)
        if unit in self._services:
            users = frozenset(self._needs.of(unit))
            yield from self._withdraw(users.__contains__, because)

    def _settle(self, unit: str) -> Iterator[Action]:
        """A unit is over: those that need it may run, and services may rest."""
        if unit not in self._failed and unit not in self._greeted:
            for name in self._needs.meet(unit):
                yield from self._open(name)
        yield from self._services.release(self._units[unit].needs)

    def _skip(self, unit: str, because: str) -> Iterator[Action]:
        """Let a unit never begin."""
        yield SkipJob(stand_in(self._units[unit]), because)
        yield from self._services.release(self._units[unit].needs)

    def _withdraw(
        self, concerns: Callable[[str], bool], cause: str, unopened: Iterable[str] = ()
    ) -> Iterator[Action]:
        """Cancel what runs, and drop what waits, of the units that this `concerns`."""
        alive, dropped = self._roll.withdraw(concerns, cause, self._is_spared)
        yield from (CancelJob(name, cause) for name in alive)
        ends: list[tuple[int, Attempt | str]]
        ends = [(self._position[unit], unit) for unit in unopened]
        ends.extend((attempt.position, attempt) for attempt in dropped)
        for _, end in sorted(ends, key=itemgetter(0)):
            if isinstance(end, Attempt):
                yield from self._drop(end, cause)
            else:
                yield from self._skip(end, cause)

    def _is_spared(self, unit: str) -> bool:
        """In a run that is halted, services end when nobody needs them any more."""
        return self._halted_by is not None and unit in self._services

    def _drop(self, attempt: Attempt, cause: str) -> Iterator[Action]:
        """Let what waits never run; what has failed before has failed for good."""
        if attempt.last is not None:
            job, outcome = attempt.last
            yield EndJob(job, outcome, attempt.number - 1)
        else:
            if attempt.unit in self._families:
                self._families.cut(attempt.unit)
            yield SkipJob(stand_in(self._units[attempt.unit]), cause)
        yield from self._leave(attempt, cause)

    def _interrupt(self, news: Interrupted | CutShort) -> Iterator[Action]:
        """The first signal ends the run with grace, the second without."""
        if isinstance(news, CutShort):
            yield from self.halt(news.because)
            return
        cause = f"interrupted by {signal_name(news.signal)}"
        self._interruptions += 1
        if self._interruptions == 1:
            yield from self.halt(cause)
            return
        self._services.expect_end()
        for name in (*self._roll.alive, *self._services.questions):
            yield CancelJob(name, cause, now=True)

    def _ring(self, about: str, name: str) -> Iterator[Action]:
        """An alarm; it may have been overtaken by events."""
        if about == "retry":
            self._roll.wake(name)
        elif about == "ready":
            yield from self._services.ask(name)
        elif about == "within":
            yield from self._services.give_up(name)

"""Frame: what is run around the jobs of a pipeline.

    setup      before all; if it fails, no job is started
    jobs       the scheduler's
    teardown   after all, however they ended; its failure is one of the run
    notices    when it is known how the run ended; how they end changes nothing

A first signal ends setup or jobs, and what comes after is still done; a second one ends
that too. Notices change nothing, and so one signal that comes meanwhile ends them. What
cuts the run short ends setup or jobs, and never what comes after; nor is a deadline of
the run one for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from penstock.model.action import (
    Action,
    CancelJob,
    DropAlarm,
    EndErrand,
    EndJob,
    SkipJob,
    StartErrand,
)
from penstock.model.event import (
    CutShort,
    Finished,
    Interrupted,
    JobEnded,
    JobPassed,
    JobSkipped,
    News,
    RunStarted,
    SlotsChanged,
)
from penstock.model.job import Job, Pipeline
from penstock.model.signals import signal_name
from penstock.model.tally import Tally, count
from penstock.plan.base import Plan
from penstock.plan.deadline import HEARD_AS, RANG, timed_out
from penstock.plan.scheduler import Scheduler

_MOST_NAMES = 100  # execve(2) has a limit
_ERRANDS_A_SERVICE = 1  # whether it is ready


def spare_slots(pipeline: Pipeline) -> int:
    """How many more slots an executor needs than jobs are to be alive at once.

    Services, and who asks whether they are ready, take no slot from the jobs.
    """
    services = [job for job in pipeline.jobs if job.policy.service is not None]
    return len(services) * (1 + _ERRANDS_A_SERVICE)


def plan_run(pipeline: Pipeline, slots: int, *, keep_going: bool = False) -> Plan:
    """The plan for a whole pipeline.

    Args:
        pipeline: all of it.
        slots: how many jobs may be alive at once.
        keep_going: after a failure, still run what does not depend on it.

    Raises:
        UsageError: see `Scheduler`.
    """
    jobs = Scheduler(pipeline, slots, keep_going=keep_going)
    around = pipeline[pipeline._fields.index("setup") :]
    return Frame(pipeline, jobs, slots) if any(around) else jobs


class Frame:
    """Runs setup, the jobs, teardown and notices, one after the other (a `Plan`).

    Args:
        pipeline: whose setup, teardown and notices.
        jobs: decides of its jobs.
        slots: see `Scheduler`.
    """

    def __init__(self, pipeline: Pipeline, jobs: Scheduler, slots: int) -> None:
        self._pipeline = pipeline
        self._jobs = jobs
        self._teardown = _alone(pipeline, pipeline.teardown, slots)
        setup = _alone(pipeline, pipeline.setup, slots)
        self._plans = [setup, jobs, self._teardown]  # those that are not over
        self._notices: list[Job] = []
        self._notice: Job | None = None  # that runs
        self._tally = Tally()
        self._failed: list[str] = []
        self._start: RunStarted | None = None
        self._slots: SlotsChanged | None = None  # what was heard of them since
        self._interruptions = 0
        self._cut_short: str | None = None  # why

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return not (self._plans or self._notices or self._notice)

    def handle(self, news: News) -> Iterator[Action]:
        """Take note of `news`, and say what is to be done about it, in that order."""
        match news:
            case RunStarted():
                self._start = news
                yield from self._note(self._plans[0].handle(news))
            case SlotsChanged() if self._plans:
                self._slots = news
                yield from self._note(self._plans[0].handle(news))
            case Interrupted():
                yield from self._interrupt(news)
            case CutShort():
                yield from self._cut(news)
            case Finished(job, outcome) if self._notice is not None:
                self._notice = None
                yield EndErrand(job, "notice", outcome)
            case JobPassed() if self._notice is not None:
                self._notice = None
            case _ if self._plans:
                yield from self._note(self._plans[0].handle(news))
            case _:
                pass  # an alarm of what is over
        yield from self._go_on()

    def _go_on(self) -> Iterator[Action]:
        """Begin what comes next, as soon as what came before is over."""
        while self._plans and self._plans[0].is_done:
            self._plans.pop(0)
            if self._plans:
                if self._plans[0] is self._teardown:
                    yield DropAlarm(RANG.name)  # the jobs were in time, or not
                yield from self._note(self._begin(self._plans[0]))
            else:
                self._notices = list(self._due_notices())
        if self._is_hurried:
            self._notices.clear()
        if self._notices and self._notice is None:
            self._notice = self._notices.pop(0)
            yield StartErrand(self._notice)

    def _begin(self, plan: Scheduler) -> Iterable[Action]:
        """Start a plan; or end it at once, where it is not to be started."""
        if plan is self._jobs and self._tally.status:
            return plan.halt(self._why_not())
        if plan is self._teardown and self._is_hurried:
            return plan.halt("interrupted twice")
        news = (self._start, self._slots)
        return chain.from_iterable(plan.handle(each) for each in news if each)

    def _why_not(self) -> str:
        """Why no job is started after the setup."""
        if self._cut_short is not None:
            return self._cut_short
        signal = HEARD_AS if self._tally.overdue else self._tally.signal
        if signal is not None:
            return f"interrupted by {signal_name(signal)}"
        return f"job {' '.join(self._failed)} failed"

    def _interrupt(self, news: Interrupted) -> Iterator[Action]:
        self._interruptions += 1
        if news.signal == HEARD_AS:
            self._tally = self._tally._replace(overdue=True)
        else:
            self._tally = count(self._tally, news)
        if self._notice is not None:
            self._notices.clear()
            cause = f"interrupted by {signal_name(news.signal)}"
            yield CancelJob(self._notice.name, cause, now=self._is_hurried)
        elif self._plans and self._plans[0] is not self._teardown:
            yield from self._note(self._plans[0].handle(news))
        elif self._plans and self._is_hurried:
            for _ in range(2):  # what it hears first, it would take as a first signal
                yield from self._note(self._teardown.handle(news))

    def _cut(self, news: CutShort) -> Iterator[Action]:
        self._cut_short = news.because
        self._tally = self._tally._replace(cut_short=news.status)
        if self._plans and self._plans[0] is not self._teardown:
            yield from self._note(self._plans[0].handle(news))

    @property
    def _is_hurried(self) -> bool:
        return self._interruptions > 1

    def _note(self, actions: Iterable[Action]) -> Iterator[Action]:
        """Count what `actions` tell, for whoever is to hear how the run ended."""
        for action in actions:
            match action:
                case EndJob(job, outcome):
                    told = JobEnded(job, timed_out(outcome, 0.0), 0.0)
                    self._tally = count(self._tally, told)
                    if not outcome.ok:
                        self._failed.append(job.name)
                case SkipJob(job, because):
                    self._tally = count(self._tally, JobSkipped(job, because, 0.0))
                case _:
                    pass
            yield action

    def _due_notices(self) -> Iterator[Job]:
        """The notices for how the run has ended, which their environment tells."""
        status, pipeline = self._tally.status, self._pipeline
        told = (
            ("PENSTOCK_STATUS", str(status)),
            ("PENSTOCK_FAILED", " ".join(self._failed[:_MOST_NAMES])),
        )
        for job in (
            pipeline.on_failure if status else pipeline.on_success,
            pipeline.always,
        ):
            if job is not None:
                yield _with_environment(job, told)


def _alone(pipeline: Pipeline, job: Job | None, slots: int) -> Scheduler:
    """A plan for one job that needs no other, or for none."""
    jobs = () if job is None else (job._replace(needs=()),)
    return Scheduler(Pipeline(jobs, resources=pipeline.resources), slots)


def _with_environment(job: Job, told: tuple[tuple[str, str], ...]) -> Job:
    stages = tuple(
        stage._replace(command=stage.command._replace(env=(*stage.command.env, *told)))
        for stage in job.stages
    )
    return job._replace(stages=stages)

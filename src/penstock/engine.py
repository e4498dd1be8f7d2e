"""The engine: one run, from its first event to its last.

The plan decides, the executor carries out, the sinks look on; the engine passes
between them what each has to say, and knows nothing of processes or of messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from penstock.clock import Clock, MonotonicClock
from penstock.errors import PenstockError
from penstock.executor.base import Executor
from penstock.model.action import (
    Action,
    CancelJob,
    DropAlarm,
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
    ErrandEnded,
    Event,
    Finished,
    InputCame,
    Interrupted,
    JobEnded,
    JobPassed,
    JobRetried,
    JobSkipped,
    JobStarted,
    News,
    RanShort,
    RunEnded,
    RunStarted,
    Sink,
    SlotsChanged,
)
from penstock.model.job import Job, Pipeline
from penstock.model.outcome import TROUBLE, NotStarted, Outcome
from penstock.model.tally import Tally, count
from penstock.model.verdict import unseen
from penstock.plan.base import Plan
from penstock.plan.deadline import RANG, Deadline
from penstock.plan.frame import plan_run, spare_slots
from penstock.typed import NamedTuple, Protocol


class Interrupts(Protocol):
    """The signals that told penstock to stop; the executor's wait wakes for each."""

    def take(self) -> int | None:
        """The number of a signal that came since, each one once; None if none did."""
        ...


class Inlet(Protocol):
    """Where a plan's jobs come from; the executor's wait wakes when there are more."""

    def take(self) -> bool:
        """Whether what the plan asked for in vain has come since; each time once."""
        ...


class Shortages(Protocol):
    """What there is too little of for as many jobs at once as were asked for."""

    def take(self) -> RanShort | None:
        """What has become known since, each once; None if there is no more."""
        ...


class Dispatch(Protocol):
    """What is done for each job next to running it: its log files, its output.

    What it raises fails the job, and cuts the run short: what runs is ended, nothing is
    started any more but teardown and notices, and the first error is raised at the end.
    """

    def before(self, job: Job) -> tuple[Job, Sequence[int]] | PassJob:
        """The job as it is to be submitted, and the descriptors to hand along.

        They stay the dispatch's own, and open until `after`, for the job may have to be
        submitted again. Or else why the job need not be run.
        """
        ...

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """How the submitted `job` ended, as all are to be told of it."""
        ...


class Uninterrupted:
    """`Interrupts` of a run that no signal reaches, e.g. in a thread."""

    def take(self) -> int | None:
        """None."""
        return None


class NoInlet:
    """`Inlet` of a plan that knows all its jobs."""

    def take(self) -> bool:
        """Never."""
        return False


class NoShortage:
    """`Shortages` where nobody looks."""

    def take(self) -> None:
        """None."""


class Plain:
    """A `Dispatch` that adds nothing."""

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        """The job as it is."""
        return job, ()

    def after(self, job: Job, outcome: Outcome) -> Outcome:  # noqa: ARG002 (a Dispatch)
        """The outcome as it is."""
        return outcome


class RunResult(NamedTuple):
    """How a run went.

    Attributes:
        status: exit status of the whole run.
        tally: the jobs, counted; `tally.signal` is what interrupted them.
        faults: what sinks raised, which is a bug in them; the status is then 125.
    """

    status: int
    tally: Tally
    faults: tuple[Exception, ...] = ()


class Engine:
    """Runs pipelines, one at a time.

    Args:
        executor: whoever made it closes it, also when `run` raises.
        sinks: hear every event, in order.
        clock: gives events their time.
        interrupts: asked after each wait.
        dispatch: asked before and after each job.
        inlet: asked after each wait.
        shortages: asked after each wait.
    """

    def __init__(  # noqa: PLR0913 (whoever takes part in a run, by name)
        self,
        executor: Executor,
        sinks: Sequence[Sink] = (),
        *,
        clock: Clock | None = None,
        interrupts: Interrupts | None = None,
        dispatch: Dispatch | None = None,
        inlet: Inlet | None = None,
        shortages: Shortages | None = None,
    ) -> None:
        self._executor = executor
        self._sinks = tuple(sinks)
        self._clock = clock or MonotonicClock()
        self._interrupts = interrupts or Uninterrupted()
        self._dispatch = dispatch or Plain()
        self._inlet = inlet or NoInlet()
        self._shortages = shortages or NoShortage()
        self._running: dict[str, Job] = {}
        self._tally = Tally()
        self._listening = self._sinks
        self._faults: list[Exception] = []
        self._alarms: dict[str, float] = {}  # when they ring, on the monotonic clock
        self._untold: deque[PassJob | CutShort | Finished] = deque()  # to the plan
        self._error: Exception | None = None  # the first of the dispatch
        self._slots = executor.slots  # as the plan knows them

    def run(
        self,
        pipeline: Pipeline,
        *,
        name: str,
        keep_going: bool = False,
        deadline: float | None = None,
    ) -> RunResult:
        """Run every job of `pipeline` that can be run, and wait for the end.

        Args:
            pipeline: its jobs are started in its order, as far as needs and slots let.
            name: of the run, for its events.
            keep_going: after a failure, still run what does not depend on it.
            deadline: seconds after which all ends as timed out; None for never.

        The executor has `spare_slots` more than jobs are to be alive at once.

        Raises:
            UsageError: the jobs of the pipeline can never be put in order.
            Exception: the dispatch has raised it; all is over.
        """
        slots = self._executor.slots - spare_slots(pipeline)
        plan = plan_run(pipeline, slots, keep_going=keep_going)
        if deadline is not None:
            plan = Deadline(plan, deadline)
        jobs = [job.name for job in pipeline.jobs]
        names = (*jobs, *(family.name for family in pipeline.families))
        return self.carry_out(plan, name=name, jobs=names, file=pipeline.file)

    # The loop: the plan says what to do, the engine does it and waits until something
    # has happened, and tells that to the sinks and to the plan, which says what to do
    # next; until no job is left.
    def carry_out(
        self,
        plan: Plan,
        *,
        name: str,
        jobs: tuple[str, ...] = (),
        file: str | None = None,
    ) -> RunResult:
        """Do what `plan` says until it is done.

        Args:
            plan: decides; each of its jobs ends, or is skipped, exactly once.
            name: of the run, for its events.
            jobs: their names, as far as they are known before.
            file: where they are defined, if in a file.

        Raises:
            Exception: the dispatch has raised it; all is over.
        """
        started = self._clock.now()
        self._tally, self._listening, self._faults = Tally(), self._sinks, []
        self._alarms.clear()
        self._untold.clear()
        self._error = None
        self._slots, at = self._executor.slots, self._clock.wall()
        self._advance(plan, RunStarted(name, at, jobs, self._slots, file))
        while not plan.is_done:
            for news in self._wait():
                self._advance(plan, news)
        status, elapsed = self._tally.status, self._clock.now() - started
        self._announce(RunEnded(status, self._clock.wall(), elapsed))
        if self._error is not None:
            raise self._error
        status = TROUBLE if self._faults else status
        return RunResult(status, self._tally, tuple(self._faults))

    def postpone(self, seconds: float) -> None:
        """Let every alarm ring so much later: for so long all stood still."""
        self._alarms = {name: at + seconds for name, at in self._alarms.items()}

    def _advance(self, plan: Plan, news: News) -> None:
        if isinstance(news, RunStarted | JobPassed | Interrupted):
            self._announce(news)
        if news == RANG:
            self._tally = self._tally._replace(overdue=True)
        if isinstance(news, CutShort):
            self._tally = self._tally._replace(cut_short=news.status)
        for action in plan.handle(news):
            self._perform(action)

    def _perform(self, action: Action) -> None:
        match action:
            case StartJob(job, attempt):
                ready = self._submit(job)
                if ready is not None:
                    self._announce(JobStarted(ready, self._clock.wall(), attempt))
            case StartErrand(job):
                self._submit(job)
            case PassJob():
                self._untold.append(action)
            case CancelJob(name, cause, now):
                self._executor.cancel(name, cause, now=now)
            case SetAlarm() | DropAlarm():
                self._wind(action)
            case RetryJob() | EndJob() | EndErrand() | SkipJob():
                self._announce(_told(action, self._clock.wall()))

    def _wind(self, action: SetAlarm | DropAlarm) -> None:
        """Set an alarm, or see to it that it does not ring."""
        match action:
            case SetAlarm(name, after):
                self._alarms[name] = self._clock.now() + after
            case DropAlarm(name):
                self._alarms.pop(name, None)

    def _submit(self, job: Job) -> Job | None:
        """As what `job` is submitted; None if it is not, by the dispatch."""
        try:
            given = self._dispatch.before(job)
        except Exception as error:  # noqa: BLE001 (whatever it is, teardown is run)
            why = self._cut_short(error)
            outcome = unseen(job, NotStarted(None, why, "system"))
            self._untold.append(Finished(job, outcome))
            return None
        if isinstance(given, PassJob):
            self._untold.append(given)
            return None
        ready, descriptors = given
        self._executor.submit(ready, descriptors)
        self._running[ready.name] = ready
        return ready

    def _finish(self, outcome: Outcome) -> Finished:
        """How what was submitted has ended; not well, if the dispatch raises."""
        job = self._running.pop(outcome.job)
        try:
            return Finished(job, self._dispatch.after(job, outcome))
        except Exception as error:  # noqa: BLE001 (whatever it is, teardown is run)
            why = self._cut_short(error)
            remark = why if outcome.ok else outcome.remark
            return Finished(job, outcome._replace(ok=False, remark=remark))

    def _cut_short(self, error: Exception) -> str:
        """Let the plan end the run, unless it does already; why, in words."""
        why = str(error).partition("\n")[0] or type(error).__name__
        if self._error is None:
            self._error = error
            status = error.status if isinstance(error, PenstockError) else TROUBLE
            self._untold.appendleft(CutShort(why, status))
        return why

    def _wait(self) -> Iterator[News]:
        """What happened next; signals first, so that nothing is started after one."""
        deadline = min(self._alarms.values(), default=None)
        if self._untold or self._executor.slots != self._slots:
            deadline = self._clock.now()
        outcomes = self._executor.wait(deadline)
        self._tell_shortages()
        while (signal := self._interrupts.take()) is not None:
            yield Interrupted(signal, self._clock.wall())
        yield from self._tell()
        for outcome in outcomes:
            finished = self._finish(outcome)
            yield from self._tell()
            yield finished
        if self._inlet.take():
            yield InputCame()
        now = self._clock.now()
        for name in [name for name, at in self._alarms.items() if at <= now]:
            if self._alarms.pop(name, None) is not None:  # else it was just dropped
                yield AlarmRang(name)
        if self._executor.slots != self._slots:  # by a signal, perhaps heard just now
            self._slots = self._executor.slots
            yield SlotsChanged(self._slots)

    def _tell(self) -> Iterator[News]:
        """What the plan does not know yet; what it does about it comes later."""
        for _ in range(len(self._untold)):
            match self._untold.popleft():
                case PassJob(job, because):
                    yield JobPassed(job, because, self._clock.wall())
                case news:
                    yield news

    def _tell_shortages(self) -> None:
        while (shortage := self._shortages.take()) is not None:
            self._announce(shortage)

    def _announce(self, event: Event) -> None:
        self._tally = count(self._tally, event)
        for sink in self._listening:
            try:
                sink.receive(event)
            except Exception as fault:  # noqa: BLE001 (no report is worth a run of hours)
                self._faults.append(fault)
                # Without this event, whatever it tells from now on would be wrong.
                self._listening = tuple(s for s in self._listening if s is not sink)


def _told(action: RetryJob | EndJob | EndErrand | SkipJob, at: float) -> Event:
    """What the sinks hear of an action that is to be told, and nothing more."""
    match action:
        case RetryJob(job, outcome, attempt, after):
            return JobRetried(job, outcome, attempt, after, at)
        case EndJob(job, outcome, attempt):
            return JobEnded(job, outcome, at, attempt)
        case EndErrand(job, kind, outcome):
            return ErrandEnded(job, kind, outcome, at)
        case SkipJob(job, because):
            return JobSkipped(job, because, at)

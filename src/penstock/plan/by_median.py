"""A limit for each job by the median of those that have succeeded, whatever the plan.

How long a job may take is not known before some have succeeded; it changes with each
that does, and holds for the jobs that run just then. A job that has taken longer is
cancelled, and has timed out: whatever is within hears, and tells, nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from penstock.model.action import Action, CancelJob, SetAlarm, StartJob
from penstock.model.event import AlarmRang, Finished, JobPassed, News
from penstock.model.outcome import Cancelled, Ending, Outcome, TimedOut
from penstock.model.verdict import with_endings
from penstock.plan.base import Plan
from penstock.plan.median import Median

RANG = AlarmRang("median")
LEAST_SUCCEEDED = 3  # jobs, before their median says anything
_CAUSE = "it has taken too long, compared with the others"
_WHOLE = 100


class ByMedian:
    """A `Plan` that ends those jobs of another one that take too long.

    Args:
        plan: decides about all else.
        percent: of the median, that a job may take.
        now: seconds of a clock that stands still while the jobs do.
        waits: its jobs do not start as soon as it says so, but when `begin` is called.
    """

    def __init__(
        self,
        plan: Plan,
        percent: float,
        now: Callable[[], float],
        *,
        waits: bool = False,
    ) -> None:
        self._plan = plan
        self._percent = percent
        self._now = now
        self._median = Median()
        self._started: dict[str, float] = {}  # what may time out; the oldest first
        self._waits = waits
        self._waiting: set[str] = set()  # what has not begun
        self._overdue: dict[str, float] = {}  # what has, and the limit that it had
        self._alarm: float | None = None  # when it rings

    @property
    def is_done(self) -> bool:
        """Whether every job has ended or was skipped."""
        return self._plan.is_done

    @property
    def limit(self) -> float | None:
        """How long a job may take, in seconds; None while nobody knows."""
        if self._median.count < LEAST_SUCCEEDED:
            return None
        return self._median.seconds * self._percent / _WHOLE

    def begin(self, name: str) -> None:
        """Note that a job starts now."""
        self._waiting.discard(name)
        self._started[name] = self._now()

    def put_off(self, name: str) -> None:
        """Note that a job could not be started, and will be later."""
        self._started.pop(name, None)
        self._waiting.add(name)

    def told(self, outcome: Outcome) -> Outcome:
        """The same, with what was ended here as timed out."""
        limit = self._overdue.get(outcome.job)
        if limit is None:
            return outcome
        return with_endings(outcome, lambda ending: self._ending(ending, limit))

    def handle(self, news: News) -> Iterator[Action]:
        """Take note of `news`, and say what is to be done about it, in that order."""
        match news:
            case Finished(job, outcome):
                outcome = self.told(outcome)
                self._forget(job.name)
                if outcome.ok:
                    self._median.add(outcome.elapsed)
                yield from self._note(self._plan.handle(Finished(job, outcome)))
            case JobPassed(job):
                self._forget(job.name)
                yield from self._note(self._plan.handle(news))
            case _ if news == RANG:
                self._alarm = None
            case _:
                yield from self._note(self._plan.handle(news))
        yield from self._look()

    def _note(self, actions: Iterable[Action]) -> Iterator[Action]:
        """The same; when each job is started is noted."""
        for action in actions:
            match action:
                case StartJob(job) if self._waits:
                    self._waiting.add(job.name)
                case StartJob(job):
                    self.begin(job.name)
                case CancelJob(name):
                    self._started.pop(name, None)
                    self._waiting.discard(name)
                case _:
                    pass
            yield action

    def _forget(self, name: str) -> None:
        self._started.pop(name, None)
        self._waiting.discard(name)
        self._overdue.pop(name, None)

    def _look(self) -> Iterator[Action]:
        """End what has taken too long, and see to it that the next one is ended."""
        limit = self.limit
        if limit is None:
            return
        now = self._now()
        for name in [*self._late(now, limit)]:
            del self._started[name]
            self._overdue[name] = limit
            yield CancelJob(name, _CAUSE)
        # What begins before we look again cannot be late before that.
        oldest = next(iter(self._started.values()), now if self._waiting else None)
        if oldest is not None and self._alarm != oldest + limit:
            self._alarm = oldest + limit
            yield SetAlarm(RANG.name, self._alarm - now)

    def _late(self, now: float, limit: float) -> Iterator[str]:
        """What has taken as long as it may, or longer."""
        for name, started in self._started.items():
            if started + limit > now:
                return
            yield name

    def _ending(self, ending: Ending, limit: float) -> Ending:
        match ending:
            case Cancelled(cause, status, escalated) if cause == _CAUSE:
                return TimedOut(limit, "median", status, escalated, self._percent)
            case _:
                return ending

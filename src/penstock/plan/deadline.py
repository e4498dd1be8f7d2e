"""A deadline for a whole run, whatever its plan: when it passes, all ends as timed out.

The plan within hears of it as of a signal, since it does the same about both: what runs
is ended, what waits is skipped, and what must be done at the end is still done. What is
said of it here tells the difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from penstock.model.action import Action, CancelJob, EndJob, SetAlarm, SkipJob
from penstock.model.event import AlarmRang, Interrupted, News, RunStarted
from penstock.model.outcome import Cancelled, Ending, Outcome, TimedOut
from penstock.model.signals import signal_name
from penstock.model.verdict import with_endings
from penstock.plan.base import Plan

RANG = AlarmRang("deadline")
HEARD_AS = 14  # SIGALRM, of which penstock itself would die
_AS_HEARD = f"interrupted by {signal_name(HEARD_AS)}"
CAUSE = "the deadline of the run has passed"


class Deadline:
    """A `Plan` that ends another one when its time is over.

    Args:
        plan: decides until then, and about what is to be done after it.
        seconds: from the start of the run.

    Attributes:
        has_passed: it was not done in time.
    """

    def __init__(self, plan: Plan, seconds: float) -> None:
        self.has_passed = False
        self._plan = plan
        self._seconds = seconds

    @property
    def is_done(self) -> bool:
        """Whether every job has ended or was skipped."""
        return self._plan.is_done

    def handle(self, news: News) -> Iterator[Action]:
        """Take note of `news`, and say what is to be done about it, in that order."""
        if isinstance(news, RunStarted):
            yield SetAlarm(RANG.name, self._seconds)
        if news == RANG:
            self.has_passed = True
            given_up = self._plan.handle(Interrupted(HEARD_AS, 0.0))
            yield from map(_remark, self._reword(given_up))
        else:
            yield from self._reword(self._plan.handle(news))

    def _reword(self, actions: Iterable[Action]) -> Iterator[Action]:
        """The same, with the deadline as the cause of what it has caused."""
        for action in actions:
            match action:
                case CancelJob(_, cause) if cause == _AS_HEARD:
                    yield action._replace(cause=CAUSE)
                case SkipJob(_, because) if because == _AS_HEARD:
                    yield action._replace(because=CAUSE)
                case EndJob(_, outcome):
                    yield action._replace(outcome=timed_out(outcome, self._seconds))
                case _:
                    yield action


def _remark(action: Action) -> Action:
    """The same; what ends in this instant had waited for another attempt."""
    if isinstance(action, EndJob):
        remark = f"not tried again: {CAUSE}"
        return action._replace(outcome=action.outcome._replace(remark=remark))
    return action


def timed_out(outcome: Outcome, seconds: float) -> Outcome:
    """The same, with what the deadline of the run has ended as timed out."""
    return with_endings(outcome, lambda ending: _ending(ending, seconds))


def _ending(ending: Ending, seconds: float) -> Ending:
    match ending:
        case Cancelled(cause, status, escalated) if cause == CAUSE:
            return TimedOut(seconds, "run", status, escalated)
        case _:
            return ending

"""Tally: how a whole run went, in numbers, and the exit status that tells it."""

from __future__ import annotations

from penstock.model.event import (
    Event,
    Interrupted,
    JobEnded,
    JobPassed,
    JobSkipped,
)
from penstock.model.outcome import (
    SIGNAL_BASE,
    TIMED_OUT,
    TROUBLE,
    Cancelled,
    Lost,
    Outcome,
    TimedOut,
)
from penstock.typed import NamedTuple


class Tally(NamedTuple):
    """Jobs counted by how they ended; each job once.

    `troubled` and `signal` tell of them once more.

    Attributes:
        succeeded: ended well.
        timed_out: failed because the job or a command of it took too long.
        failed: failed otherwise, and were not cancelled.
        cancelled: ended by penstock because of another job or of a signal. With a
            remark, or trouble, it was for something of its own: it has failed.
        skipped: never started.
        troubled: of all these, where penstock itself failed: something survived, an
            output could not be put in place, a worker died.
        signal: the first signal that interrupted the run, if any.
        passed: were not run, since there was no need.
        overdue: the run was not done when its deadline came.
        cut_short: the exit status that tells why the run could not go on, if so.
    """

    succeeded: int = 0
    timed_out: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0
    troubled: int = 0
    signal: int | None = None
    passed: int = 0
    overdue: bool = False
    cut_short: int | None = None

    @property
    def jobs(self) -> int:
        """How many are counted."""
        ended = self.succeeded + self.timed_out + self.failed + self.cancelled
        return ended + self.skipped + self.passed

    @property
    def status(self) -> int:
        """The exit status of the whole run.

        What has cut the run short is told last, so that its status is that of all. 125
        goes before the rest: that something is still alive must not be hidden. Next,
        128+n where signal n interrupted the run: its sender should see that. What was
        cancelled is a consequence and not a failure of its own.
        """
        if self.cut_short is not None:
            return self.cut_short
        if self.troubled:
            return TROUBLE
        if self.signal is not None:
            return SIGNAL_BASE + self.signal
        if self.failed:
            return 1
        if self.timed_out or self.overdue:
            return TIMED_OUT
        return 1 if self.cancelled else 0


def count(tally: Tally, event: Event) -> Tally:
    """The tally after `event`."""
    match event:
        case JobEnded(_, outcome):
            return _count_outcome(tally, outcome)
        case JobSkipped():
            return tally._replace(skipped=tally.skipped + 1)
        case JobPassed():
            return tally._replace(passed=tally.passed + 1)
        case Interrupted(signal) if tally.signal is None:
            return tally._replace(signal=signal)
        case _:
            return tally


def _count_outcome(tally: Tally, outcome: Outcome) -> Tally:
    if outcome.ok:
        return tally._replace(succeeded=tally.succeeded + 1)
    lost = isinstance(outcome.ending, Lost)
    if lost or outcome.survivors or outcome.trouble is not None:
        tally = tally._replace(troubled=tally.troubled + 1)
    match outcome.ending:
        case Cancelled() if outcome.remark is None and outcome.trouble is None:
            return tally._replace(cancelled=tally.cancelled + 1)
        case TimedOut():
            return tally._replace(timed_out=tally.timed_out + 1)
        case _:
            return tally._replace(failed=tally.failed + 1)

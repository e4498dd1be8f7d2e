"""Succeeded: how nearly every one of many short jobs ends, told in few words."""

from __future__ import annotations

from penstock.model.job import Job
from penstock.model.outcome import (
    NOTHING_KEPT,
    Exited,
    Kept,
    Outcome,
    StageOutcome,
    Usage,
)
from penstock.typed import NamedTuple

EXITED = Exited(0)
LONGEST_NAME = 1 << 12  # of a job that can be told of so


class Succeeded(NamedTuple):
    """A job of one stage exited with 0, and there is no more to say.

    The same as its `Outcome`, and a tenth of the work to make, send and read.

    Attributes:
        job: its name.
        pid: of the command.
        elapsed, stage_elapsed: see `Outcome` and `StageOutcome`.
        usage: see `StageOutcome`.
        out, err: what went to `Keep` 1, and to 2.
    """

    job: str
    pid: int
    elapsed: float
    stage_elapsed: float
    usage: Usage
    out: bytes = b""
    err: bytes = b""

    def outcome(self, stage: str) -> Outcome:
        """The outcome of the job, whose only stage is `stage`."""
        own = self.pid, self.stage_elapsed, self.usage
        told = StageOutcome(stage, EXITED, True, *own)  # noqa: FBT003 (in its order)
        kept = NOTHING_KEPT
        if self.out or self.err:
            kept = Kept(self.out), Kept(self.err)
        return Outcome(
            self.job,
            EXITED,
            ok=True,
            stages=(told,),
            elapsed=self.elapsed,
            kept=kept,
        )


def in_full(told: Outcome | Succeeded, job: Job) -> Outcome:
    """The outcome of `job`, in whichever way it was told."""
    if isinstance(told, Succeeded):
        return told.outcome(job.stages[0].name)
    return told

"""From the endings of the stages to the ending of the job.

A job fails if any stage does. SIGPIPE of a writer is benign if its reader ended well
by itself: ``yes | head -1`` is success. Which stage is to blame follows bash's
pipefail (the rightmost failure), but never a stage that penstock ended because of
another.
"""

from __future__ import annotations

from typing import NamedTuple

from penstock.model.job import Job
from penstock.model.outcome import (
    SIGNAL_BASE,
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    Outcome,
    OutOfMemory,
    Signaled,
    StageOutcome,
    TimedOut,
)

SIGPIPE = 13


class Verdict(NamedTuple):
    """What the endings amount to.

    Attributes:
        ok: for each stage, whether it counts as success.
        culprit: position of the stage that decided the failure; None if all is well.
    """

    ok: tuple[bool, ...]
    culprit: int | None


def judge(job: Job, endings: tuple[Ending, ...]) -> Verdict:
    """Say which stages of `job` succeeded, and which one is to blame.

    Args:
        job: as submitted.
        endings: one for each stage, in order.
    """
    ok = [
        isinstance(ending, Exited) and ending.code in stage.command.ok
        for stage, ending in zip(job.stages, endings, strict=True)
    ]
    if not all(ok):
        _excuse_broken_pipes(job, endings, ok)
    if all(ok):
        return Verdict(tuple(ok), None)
    failed = [i for i, good in enumerate(ok) if not good]
    return Verdict(tuple(ok), max(failed, key=lambda i: (_weight(endings[i]), i)))


def _excuse_broken_pipes(job: Job, endings: tuple[Ending, ...], ok: list[bool]) -> None:
    """Mark SIGPIPE deaths as success where every reader succeeded; spreads upstream."""
    readers: dict[int, list[int]] = {}
    for link in job.links:
        readers.setdefault(link.source, []).append(link.target)
    changed = True
    while changed:
        changed = False
        for position, stages in readers.items():
            excused = is_broken_pipe(endings[position]) and all(ok[i] for i in stages)
            if excused and not ok[position]:
                ok[position] = changed = True


def is_broken_pipe(ending: Ending) -> bool:
    """Whether it was SIGPIPE, seen directly or told by a shell as 128+13."""
    match ending:
        case Signaled(signal, _):
            return signal == SIGPIPE
        case Exited(code):
            return code == SIGNAL_BASE + SIGPIPE
        case _:
            return False


def _weight(ending: Ending) -> int:
    """How surely an ending is the cause and not a consequence."""
    match ending:
        case TimedOut() | OutOfMemory():
            return 3
        case NotStarted(_, _, culprit):
            return 0 if culprit == "sibling" else 3
        case Cancelled():
            return 1
        case _:
            return 2


def unseen(job: Job, ending: Cancelled | Lost) -> Outcome:
    """The outcome of a job of which no stage was seen to run: all ended alike."""
    stages = tuple(StageOutcome(stage.name, ending, ok=False) for stage in job.stages)
    return Outcome(job.name, ending, ok=False, stages=stages, culprit=0)

"""From the endings of the stages to the ending of the job.

A job fails if any stage does. SIGPIPE of a writer is benign if its reader ended well
by itself: ``yes | head -1`` is success. Which stage is to blame follows bash's
pipefail (the rightmost failure), but never a stage that penstock ended because of
another, nor one that died of SIGPIPE because its reader failed. The rule of the job may
be another: see `Rule`.
"""

from __future__ import annotations

from collections.abc import Callable

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
from penstock.typed import NamedTuple

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
    if job.rule != "strict" and not all(ok):
        _excuse_broken_pipes(job, endings, ok)
    failed = [i for i, good in enumerate(ok) if not good]
    if job.rule == "last":
        failed = [i for i in failed if i == len(ok) - 1 or _was_ended(endings[i])]
    if not failed:
        return Verdict(tuple(ok), None)
    sources = {link.source for link in job.links}
    return Verdict(
        tuple(ok),
        max(failed, key=lambda i: (_weight(endings[i], is_source=i in sources), i)),
    )


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


def _was_ended(ending: Ending) -> bool:
    """Whether it did not end by itself."""
    return not isinstance(ending, Exited | Signaled)


def _weight(ending: Ending, *, is_source: bool) -> int:
    """How surely an ending is the cause and not a consequence."""
    match ending:
        case TimedOut() | OutOfMemory():
            return 4
        case NotStarted(_, _, culprit):
            return 0 if culprit == "sibling" else 4
        case Cancelled():
            return 2
        case _:
            # Whoever read from it failed, or it would be excused.
            return 1 if is_source and is_broken_pipe(ending) else 3


def unseen(job: Job, ending: Cancelled | Lost | NotStarted) -> Outcome:
    """The outcome of a job of which no stage was seen to run: all ended alike."""
    stages = tuple(StageOutcome(stage.name, ending, ok=False) for stage in job.stages)
    return Outcome(job.name, ending, ok=False, stages=stages, culprit=0)


def unbegun(job: Job, cause: str) -> Outcome:
    """The outcome of a job that was cancelled before it was started."""
    return unseen(job, Cancelled(cause, None, escalated=False))


def with_endings(outcome: Outcome, told: Callable[[Ending], Ending]) -> Outcome:
    """The same, with each ending as it is to be told."""
    stages = tuple(
        stage._replace(ending=told(stage.ending)) for stage in outcome.stages
    )
    return outcome._replace(ending=told(outcome.ending), stages=stages)

"""What there may be too little of for a job to start: of it, others may give back some.

EMFILE is no such thing for a command: the limit is its worker's own, and nothing that
another job does changes it. It is for the processes that all jobs share.
"""

from __future__ import annotations

import errno

from penstock.model.outcome import NotStarted, Outcome

WORKER = "worker"
"""The culprit where there was no worker to be had that could have started the job."""

PASSING = (errno.EAGAIN, errno.ENFILE, errno.ENOMEM)
_PASSING_OF_WORKERS = (*PASSING, errno.EMFILE, errno.ENOSPC)


def shortage_of(outcome: Outcome) -> int | None:
    """The errno of what there was too little of; None if anything else happened."""
    ending = outcome.ending
    if not isinstance(ending, NotStarted):
        return None
    passing = _PASSING_OF_WORKERS if ending.culprit == WORKER else PASSING
    return ending.errno if ending.errno in passing else None


def has_begun(outcome: Outcome) -> bool:
    """Whether a command of the job was started, though not all of them."""
    return any(stage.pid is not None for stage in outcome.stages)

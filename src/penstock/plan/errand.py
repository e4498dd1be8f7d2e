"""Errands: commands that serve a run and are no jobs of it, for the executor."""

from __future__ import annotations

from penstock.model.command import Command
from penstock.model.event import ErrandKind
from penstock.model.job import Job, Stage
from penstock.model.limits import Limits
from penstock.model.outcome import (
    NOT_EXECUTABLE,
    NOT_FOUND,
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
from penstock.model.policy import Policy
from penstock.model.signals import signal_name
from penstock.model.stream import Null


def errand_name(kind: ErrandKind, job: str) -> str:
    """What the executor knows an errand by; no job of a definition begins so."""
    return f"-{kind} {job}"


def errand_for(kind: ErrandKind, command: Command, job: Job) -> Job:
    """Ask `command` on behalf of `job`; it has the time that the job has.

    Who asks whether a service is ready is part of the service, and takes no more slots.
    """
    policy = Policy(service=job.policy.service) if kind == "ready" else Policy()
    limits = Limits(timeout=job.limits.timeout, grace=job.limits.grace)
    stage = Stage(kind, command, stdout=Null(), place=job.place)
    name = errand_name(kind, job.name)
    return Job(name, (stage,), limits=limits, place=job.place, policy=policy)


def doubt_of(outcome: Outcome) -> str | None:
    """Why a condition has neither held nor failed, in words; None if it has.

    A shell says by 126 and 127 that there was no command to ask (POSIX XCU 2.8.2), and
    why, on stderr. `command -v NAME` exits with 127, too, but says nothing: a no.
    """
    match outcome.ending:
        case Exited(code):
            said = any(stage.tail.strip() for stage in outcome.stages)
            is_missing = code == NOT_EXECUTABLE or (code == NOT_FOUND and said)
            return (
                f"exited with {code}: is there such a command?" if is_missing else None
            )
        case Signaled(signal, _):
            return f"was killed by {signal_name(signal)}"
        case TimedOut(timeout):
            return f"timed out after {timeout:g}s"
        case OutOfMemory():
            return "held more memory than it may"
        case NotStarted(_, reason, _) | Lost(reason):
            return reason
        case Cancelled(cause):
            return cause


def unasked(job: Job, doubt: str) -> Outcome:
    """The outcome of a job that was not started since its `when` could not be asked."""
    ending: Ending = NotStarted(None, f"its `when` could not be asked: {doubt}", "when")
    stages = [StageOutcome(stage.name, ending, ok=False) for stage in job.stages]
    return Outcome(job.name, ending, ok=False, stages=tuple(stages), culprit=0)

"""A job in which nothing moved any more: a deadlock, or its `stall` limit. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.model.job import Job
from penstock.model.outcome import Outcome, TimedOut
from penstock.plan.flow import edge_name
from penstock.report.hint import hint_for
from penstock.report.plain import visible
from penstock.report.words import duration

_FULL = "is full"


def standstill_of(outcome: Outcome) -> TimedOut | None:
    """The ending of a job in which nothing moved; None if it ended otherwise."""
    match outcome.ending:
        case TimedOut(_, "deadlock" | "stall"):
            return outcome.ending
        case _:
            return None


def headline(ending: TimedOut) -> str:
    """What happened, without how each command then ended."""
    return f"{ending.limit_of}: nothing has moved for {duration(ending.timeout)}"


def facts(job: Job, outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Label and text of each line: the job, and the stages that stood still."""
    if job.place is not None:
        yield "defined", visible(str(job.place))
    for stage, result in zip(job.stages, outcome.stages, strict=True):
        if isinstance(result.ending, TimedOut):
            place = "" if stage.place is None else f"{stage.place}: "
            command = stage.command.typed.rstrip()
            yield "stage", visible(f"{place}{stage.name}: {command}")


def remedy(job: Job, outcome: Outcome) -> str | None:
    """What to try; None where no advice would be honest."""
    if isinstance(outcome.ending, TimedOut) and outcome.ending.limit_of == "stall":
        return hint_for(None, outcome.ending)
    full = {
        edge.name
        for edge in outcome.edges
        if edge.note is not None and _FULL in edge.note.split(", ")
    }
    for link in job.links:
        if edge_name(job, link) in full:
            reader = job.stages[link.target].name
            if link.buffer == "disk":
                return f"raise `quota` of {reader}: its buffer on disk is full"
            return f"`buffer: disk` of {reader} lets wait in a file what it reads later"
    if any("nobody writes to it" in (edge.note or "") for edge in outcome.edges):
        return "a FIFO can be read once: who opens it again finds no writer"
    return None

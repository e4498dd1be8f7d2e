"""A failure, told so that the reader knows what to do next. Pure text, no colour."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.model.job import Job, Place, Stage
from penstock.model.outcome import (
    Cancelled,
    Exited,
    NotStarted,
    Outcome,
    Process,
    StageOutcome,
    TimedOut,
)
from penstock.model.stream import Direct, Log
from penstock.report.hint import hint_for
from penstock.report.plain import last_lines, visible
from penstock.report.standstill import facts as standstill_facts
from penstock.report.standstill import headline as standstill_headline
from penstock.report.standstill import remedy, standstill_of
from penstock.report.words import describe_ending

TAIL_LINES = 12
_LABEL = 10
_LONGEST_COMMAND = 4096  # characters; a job of `map` may have a megabyte


def format_failure(job: Job, outcome: Outcome, search_path: str | None = None) -> str:
    """The failure of `job` in several lines, the cause first; ends with a newline.

    Args:
        job: as it was submitted.
        outcome: not ok.
        search_path: PATH, for the hint about a command that was not found.
    """
    headline, facts = _headline(job, outcome), _facts(job, outcome, search_path)
    lines = [f"{visible(job.name)}: {visible(headline)}"]
    for label, text in facts:
        first, *rest = text.split("\n")
        lines.append(f"  {label + ':':<{_LABEL}}{first}".rstrip())
        lines.extend(f"  {'':<{_LABEL}}{line}".rstrip() for line in rest)
    return "\n".join(lines) + "\n"


def format_root(job: Job, outcome: Outcome) -> str:
    """The same in short, for the end of a run: its first failure may be far above."""
    text = f"{job.name}: {_headline(job, outcome)}"
    culprit = outcome.culprit
    stage = None if culprit is None else job.stages[culprit]
    place = (stage and stage.place) or job.place
    if place is not None:
        text += f"; defined at {place}"
    if stage is not None and isinstance(stage.stderr, Log) and stage.stderr.path:
        text += f"; log {stage.stderr.path}"
    return f"first failure: {visible(text)}\n"


def place_of(job: Job, outcome: Outcome) -> Place | None:
    """Where what failed is defined: the stage that is to blame, or the job."""
    if outcome.culprit is None or standstill_of(outcome) is not None:
        return job.place
    return job.stages[outcome.culprit].place or job.place


def said(job: Job, outcome: Outcome) -> Iterator[tuple[str, str]]:
    """What the commands of a job that succeeded wrote to stderr: label and text.

    Only where penstock keeps it; and where that is not whole, that it is not.
    """
    for stage, result in zip(job.stages, outcome.stages, strict=False):
        tail = last_lines(result.tail, TAIL_LINES)
        if tail:
            yield "stderr", "\n".join(f"| {line}" for line in tail)
        if result.log_error is not None:
            yield "log", visible(f"{stage.name}: incomplete: {result.log_error}")


def leftovers(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """What a job left behind, with what became of it: label and text."""
    if outcome.stragglers:
        yield "ended", f"left behind, and ended: {_processes(outcome.stragglers)}"
    if outcome.spared:
        yield "left", f"left behind, as it may be: {_processes(outcome.spared)}"
    if outcome.survivors:
        yield "ALIVE", f"could not be ended: {_processes(outcome.survivors)}"


def _headline(job: Job, outcome: Outcome) -> str:
    standstill = standstill_of(outcome)
    if standstill is not None:
        return standstill_headline(standstill)
    if outcome.culprit is None:
        return _headline_of_whole(job, outcome)
    stage, result = job.stages[outcome.culprit], outcome.stages[outcome.culprit]
    ending = describe_ending(result.ending, stage.limits.grace)
    if len(job.stages) == 1:
        return ending
    return f"{_stage_title(job, outcome.culprit)} {ending}"


def _headline_of_whole(job: Job, outcome: Outcome) -> str:
    """What happened where no stage is to blame."""
    if outcome.trouble is not None:
        return outcome.trouble
    if outcome.survivors and isinstance(outcome.ending, Exited):
        return "left processes that could not be ended"
    if outcome.stragglers and isinstance(outcome.ending, Exited):
        return "left processes behind, which it may not"
    ending = describe_ending(outcome.ending, job.limits.grace)
    return f"{ending}: {outcome.remark}" if outcome.remark else ending


def _stage_title(job: Job, position: int) -> str:
    name = job.stages[position].name
    return f"stage {position + 1} of {len(job.stages)} ({name})"


def _facts(
    job: Job, outcome: Outcome, search_path: str | None
) -> Iterator[tuple[str, str]]:
    """Label and text of each line below the headline."""
    culprit = outcome.culprit
    if standstill_of(outcome) is not None:
        yield from standstill_facts(job, outcome)
        yield from _consequences(job, outcome)
        hint = remedy(job, outcome)
    elif culprit is None:
        if job.place is not None:
            yield "defined", visible(str(job.place))
        yield from _consequences(job, outcome)
        hint = hint_for(None, outcome.ending, search_path)
    else:
        stage = job.stages[culprit]
        yield from _stage_facts(job, stage, outcome.stages[culprit])
        yield from _consequences(job, outcome)
        hint = hint_for(stage, outcome.stages[culprit].ending, search_path)
    if hint is not None:
        yield "hint", visible(hint)


def _stage_facts(
    job: Job, stage: Stage, result: StageOutcome
) -> Iterator[tuple[str, str]]:
    yield "command", visible(_shortened(stage.command.typed.rstrip()))
    place = stage.place or job.place
    if place is not None:
        yield "defined", visible(str(place))
    tail = last_lines(result.tail, TAIL_LINES)
    if tail:
        yield "stderr", "\n".join(f"| {line}" for line in tail)
    match stage.stderr:
        case Log(str(path)) | Direct(path):
            incomplete = result.log_error and f" (incomplete: {result.log_error})"
            yield "log", visible(path + (incomplete or ""))
        case _:
            pass


def _consequences(job: Job, outcome: Outcome) -> Iterator[tuple[str, str]]:
    """What else went wrong, and is not the cause."""
    for position, result in enumerate(outcome.stages):
        if position != outcome.culprit and _failed_by_itself(result):
            grace = job.stages[position].limits.grace
            ending = describe_ending(result.ending, grace)
            yield "also", visible(f"{_stage_title(job, position)} {ending}")
    if outcome.remark is not None and outcome.culprit is not None:
        yield "also", visible(outcome.remark)
    for edge in outcome.edges:
        if edge.note is not None:
            yield "edge", visible(f"{edge.name}: {edge.note}")
    if outcome.trouble is not None and outcome.culprit is not None:
        yield "also", visible(outcome.trouble)
    yield from leftovers(outcome)


def _failed_by_itself(result: StageOutcome) -> bool:
    match result.ending:
        case TimedOut(_, "deadlock" | "stall"):
            return False  # with all the others
        case Cancelled() | NotStarted(_, _, "sibling" | "when"):
            return False
        case _:
            return not result.ok


def _shortened(command: str) -> str:
    """A command, or the beginning of a very long one."""
    if len(command) <= _LONGEST_COMMAND:
        return command
    return f"{command[:_LONGEST_COMMAND]}... ({len(command)} characters)"


def _processes(processes: tuple[Process, ...]) -> str:
    return "\n".join(visible(f"{p.pid} {p.command}") for p in processes)

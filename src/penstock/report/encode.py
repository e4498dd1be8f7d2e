r"""Events as JSON values: what the journal and ``--json`` write. Pure.

Each event is an object with `event` (its type) and `at` (UTC). An ending is an object
with `kind` and the fields of that kind. Text is valid Unicode always, since RFC 8259
leaves open what a reader does with half a surrogate pair: a byte that could not be
decoded appears as the four characters ``\xff``. The bytes themselves are in the logs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

from penstock.model.event import (
    ErrandEnded,
    Event,
    Interrupted,
    JobEnded,
    JobEvent,
    JobPassed,
    JobRetried,
    JobSkipped,
    JobStarted,
    RanShort,
    RunEnded,
    RunStarted,
)
from penstock.model.job import Job, Link, Stage
from penstock.model.outcome import (
    Cancelled,
    EdgeOutcome,
    Ending,
    Exited,
    Lost,
    NotStarted,
    Outcome,
    OutOfMemory,
    Process,
    Signaled,
    StageOutcome,
    TimedOut,
)
from penstock.model.signals import signal_name
from penstock.model.stream import Direct, Log
from penstock.report.edges import bottleneck
from penstock.report.plain import decoded, readable
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

Json: TypeAlias = (
    "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
)
Fields: TypeAlias = dict[str, Json]


def event_to_dict(event: Event) -> Fields:
    """`event` as a JSON object."""
    head: Fields = {"event": type(event).__name__, "at": timestamp(event.at)}
    return head | _fields(event)


def timestamp(at: float) -> str:
    """Seconds since 1970 as ISO 8601, UTC, with milliseconds."""
    seconds, milliseconds = divmod(round(at * 1000), 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{milliseconds:03d}Z"


def _fields(event: Event) -> Fields:
    match event:
        case RunStarted():
            return {
                "run": readable(event.run),
                "jobs": [readable(name) for name in event.jobs],
                "slots": event.slots,
                "file": _text(event.file),
            }
        case Interrupted(signal):
            return {"signal": signal, "signal_name": signal_name(signal)}
        case RanShort(errno, slots, usual):
            reason = os.strerror(errno)
            return {"errno": errno, "reason": reason, "slots": slots, "usual": usual}
        case RunEnded():
            return {"status": event.status, "elapsed": _seconds(event.elapsed)}
        case _:
            return _fields_of_job(event)


def _fields_of_job(event: JobEvent) -> Fields:
    match event:
        case JobStarted(job, _, attempt):
            return _job(job) | {"attempt": attempt}
        case JobRetried(job, outcome, attempt, after):
            return _outcome(job, outcome) | {"attempt": attempt, "after": after}
        case JobEnded(job, outcome, _, attempt):
            return _outcome(job, outcome) | {"attempt": attempt}
        case JobSkipped(job, because) | JobPassed(job, because):
            return {"job": readable(job.name), "because": readable(because)}
        case ErrandEnded(job, kind, outcome):
            return _outcome(job, outcome) | {"kind": kind}


def _job(job: Job) -> Fields:
    return {
        "job": readable(job.name),
        "place": _place(job),
        "needs": [readable(name) for name in job.needs],
        "timeout": job.limits.timeout,
        "stages": [_stage(stage) for stage in job.stages],
        "links": [_link(link) for link in job.links],
    }


def _link(link: Link) -> list[Json]:
    """Source and target; and what else there is to it, where it is no plain pipe."""
    ends: list[Json] = [link.source, link.target]
    if link == Link(link.source, link.target):
        return ends
    more = {"stream": link.stream, "name": link.name, "buffer": link.buffer}
    return [*ends, more]


def _edge(edge: EdgeOutcome) -> Fields:
    return {
        "name": readable(edge.name),
        "bytes": edge.n_bytes,
        "source_waited": _waited(edge.source_waited),
        "target_waited": _waited(edge.target_waited),
        "note": _text(edge.note),
    }


def _waited(seconds: float | None) -> float | None:
    return None if seconds is None else _seconds(seconds)


def _stage(stage: Stage) -> Fields:
    return {
        "name": readable(stage.name),
        "argv": [readable(word) for word in stage.command.argv],
        "command": readable(stage.command.typed),
        "place": _place(stage),
        "timeout": stage.limits.timeout,
        "grace": stage.limits.grace,
        "log": _log(stage),
    }


def _outcome(job: Job, outcome: Outcome) -> Fields:
    return {
        "job": readable(job.name),
        "ok": outcome.ok,
        "status": outcome.status,
        "ending": ending_to_dict(outcome.ending),
        "culprit": outcome.culprit,
        "elapsed": _seconds(outcome.elapsed),
        "place": _place(job),
        "stages": [
            _stage(stage) | _stage_outcome(result)
            for stage, result in zip(job.stages, outcome.stages, strict=False)
        ],
        "relays": [
            {"name": readable(relay.name)} | _stage_outcome(relay)
            for relay in outcome.relays
        ],
        "edges": [_edge(edge) for edge in outcome.edges],
        "bottleneck": bottleneck(job, outcome),
        "stragglers": _processes(outcome.stragglers),
        "survivors": _processes(outcome.survivors),
        "spared": _processes(outcome.spared),
        "peak_bytes": outcome.peak_bytes,
        "trouble": _text(outcome.trouble),
        "remark": _text(outcome.remark),
    }


def _stage_outcome(result: StageOutcome) -> Fields:
    usage = result.usage
    return {
        "ok": result.ok,
        "ending": ending_to_dict(result.ending),
        "pid": result.pid,
        "elapsed": _seconds(result.elapsed),
        "user": None if usage is None else _seconds(usage.user),
        "system": None if usage is None else _seconds(usage.system),
        "maxrss_bytes": None if usage is None else usage.maxrss_bytes,
        "waits": None if usage is None else usage.waits,
        "preemptions": None if usage is None else usage.preemptions,
        "tail": decoded(result.tail),
        "log_error": _text(result.log_error),
    }


def ending_to_dict(ending: Ending) -> Fields:
    """`ending` as a JSON object, told apart by `kind`."""
    return {"kind": type(ending).__name__} | _facts(ending)


def _facts(ending: Ending) -> Fields:
    facts: Fields
    match ending:
        case Exited(code):
            facts = {"code": code}
        case Signaled(signal, core):
            name = signal_name(signal)
            facts = {"signal": signal, "signal_name": name, "core": core}
        case TimedOut(timeout, limit_of, status, escalated, percent):
            facts = {"timeout": timeout, "limit_of": limit_of}
            facts |= {"status": _status(status), "escalated": escalated}
            facts |= {"percent": percent} if percent else {}
        case Cancelled(cause, status, escalated):
            facts = {"cause": readable(cause)}
            facts |= {"status": _status(status), "escalated": escalated}
        case OutOfMemory(limit, held, status):
            facts = {"limit_bytes": limit, "held_bytes": held}
            facts |= {"status": _status(status)}
        case NotStarted(errno, reason, culprit):
            facts = {"errno": errno, "reason": readable(reason), "culprit": culprit}
        case Lost(reason):
            facts = {"reason": readable(reason)}
    return facts


def _status(status: Exited | Signaled | None) -> Fields | None:
    return None if status is None else ending_to_dict(status)


def _place(defined: Job | Stage) -> str | None:
    return None if defined.place is None else readable(str(defined.place))


def _log(stage: Stage) -> str | None:
    match stage.stderr:
        case Log(path) | Direct(path):
            return _text(path)
        case _:
            return None


def _processes(processes: Sequence[Process]) -> list[Json]:
    return [{"pid": p.pid, "command": readable(p.command)} for p in processes]


def _seconds(measured: float) -> float:
    """Microseconds are all that the kernel counts; the rest is noise."""
    return round(measured, 6)


def _text(text: str | None) -> str | None:
    return None if text is None else readable(text)

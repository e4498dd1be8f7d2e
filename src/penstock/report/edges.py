"""The edges of a job: what passed, who waited, and which stage was slow. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.model.job import Job
from penstock.model.outcome import EdgeOutcome, Outcome
from penstock.plan.flow import edge_name
from penstock.report.plain import visible
from penstock.report.words import duration, size

_LEAST_SHARE = 0.1  # of the time of the job: less is nobody's fault


def bottleneck(job: Job, outcome: Outcome) -> int | None:
    """The position of the stage that the others waited for; None if none stands out.

    Whom others wait for may itself wait for another: what it waited is taken off. So
    in a chain, it is the stage before which the pipe is full, and after which it is
    empty.
    """
    edges = {edge.name: edge for edge in outcome.edges}
    held_up = dict.fromkeys(range(len(job.stages)), 0.0)
    for link in job.links:
        edge = edges.get(edge_name(job, link))
        if edge is not None:
            for_target = (edge.source_waited or 0.0) - (edge.target_waited or 0.0)
            held_up[link.target] += for_target
            held_up[link.source] -= for_target
    most = max(held_up.values(), default=0.0)
    if most <= 0 or most < _LEAST_SHARE * outcome.elapsed:
        return None
    return max(held_up, key=held_up.__getitem__)


def edge_lines(job: Job, outcome: Outcome) -> Iterator[str]:
    """A line for each edge that is known, and one for the stage that was slow."""
    for edge in outcome.edges:
        parts = [visible(edge.name), *_figures(edge)]
        if edge.note is not None:
            parts.append(visible(edge.note))
        yield "  ".join(parts)
    slow = bottleneck(job, outcome)
    if slow is not None:
        yield f"the others waited for {visible(job.stages[slow].name)}"


def _figures(edge: EdgeOutcome) -> Iterator[str]:
    if edge.n_bytes is not None:
        yield size(edge.n_bytes)
    if edge.source_waited is not None:
        yield f"writer waited {duration(edge.source_waited)}"
    if edge.target_waited is not None:
        yield f"reader waited {duration(edge.target_waited)}"

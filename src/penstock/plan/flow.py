"""Flow: whether the links of a job can work at all, before anything is started."""

from __future__ import annotations

from penstock.errors import UsageError
from penstock.model.circle import circle_in
from penstock.model.job import Job, Link


def check_flow(job: Job) -> None:
    """Refuse what cannot work, whatever the commands do.

    Raises:
        UsageError: a link names a stage that is not there, the same two ends are
            linked twice, links into one place are at odds, or stages wait for each
            other in a circle.
    """
    seen: set[Link] = set()
    places: dict[tuple[int, str | None], Link] = {}
    for link in job.links:
        for stage in (link.source, link.target):
            if stage not in range(len(job.stages)):
                raise UsageError(f"job {job.name}: a link names stage {stage}, of none")
        ends = Link(link.source, link.target, link.stream, link.name)
        if ends in seen:
            raise UsageError(f"job {job.name}: {edge_name(job, link)} is linked twice")
        seen.add(ends)
        other = places.setdefault((link.target, link.name), link)
        if (other.as_descriptor, other.framing) != (link.as_descriptor, link.framing):
            name = job.stages[link.target].name
            raise UsageError(f"job {job.name}: the links into {name} are at odds")
    circle = circle_in(job.links)
    if circle:
        names = [job.stages[stage].name for stage in (*circle, circle[0])]
        raise UsageError(
            f"job {job.name}: stages wait for each other: {' -> '.join(names)}"
        )


def edge_name(job: Job, link: Link) -> str:
    """A link in words."""
    return f"{source_name(job, link)} -> {target_name(job, link)}"


def source_name(job: Job, link: Link) -> str:
    """Where a link comes from, in words."""
    name = job.stages[link.source].name
    return name if link.stream == "stdout" else f"{name}.stderr"


def target_name(job: Job, link: Link) -> str:
    """Where a link leads to, in words."""
    name = job.stages[link.target].name
    return name if link.name is None else f"{name} ({link.name})"

"""From the links of a job to its wiring.

Invariants, each held by a property test: every pipe is opened once, before its first
user; every end is given to exactly one stage and closed by the worker directly after
that stage has started; so that, once the last stage runs, the worker holds no end.
An end that lives too long is a reader that never sees end-of-file, or a writer that
never gets SIGPIPE.
"""

from __future__ import annotations

from penstock.errors import UsageError
from penstock.model.job import Job
from penstock.model.wiring import PipeEnd, StageWiring, Wiring


def wire(job: Job) -> Wiring:
    """Plan the descriptors of `job`, in the order in which its stages start.

    Raises:
        UsageError: two links share a stream, or a link names a stage that is not there.
    """
    if not job.links:
        return tuple(
            StageWiring((), stage.stdin, stage.stdout, stage.stderr, ())
            for stage in job.stages
        )
    outgoing = _by_stage(job, [link.source for link in job.links], "stdout")
    incoming = _by_stage(job, [link.target for link in job.links], "stdin")
    opened: set[int] = set()
    wiring = []
    for position, stage in enumerate(job.stages):
        ends = []
        if position in incoming:
            ends.append(PipeEnd(incoming[position], "r"))
        if position in outgoing:
            ends.append(PipeEnd(outgoing[position], "w"))
        opens = tuple(end.pipe for end in ends if end.pipe not in opened)
        opened.update(opens)
        by_side = {end.side: end for end in ends}
        wiring.append(
            StageWiring(
                opens,
                by_side.get("r", stage.stdin),
                by_side.get("w", stage.stdout),
                stage.stderr,
                tuple(ends),
            ),
        )
    return tuple(wiring)


def _by_stage(job: Job, ends: list[int], stream: str) -> dict[int, int]:
    """The number of the pipe at `stream` of each stage that has one."""
    pipes: dict[int, int] = {}
    for pipe, stage in enumerate(ends):
        if stage not in range(len(job.stages)):
            raise UsageError(f"job {job.name}: a link names stage {stage}, of none")
        if stage in pipes:
            name = job.stages[stage].name
            raise UsageError(f"job {job.name}: {stream} of stage {name} linked twice")
        pipes[stage] = pipe
    return pipes

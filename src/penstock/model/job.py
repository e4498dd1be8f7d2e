"""Stage, Link, Job, Pipeline: what is to be run.

A job is a set of stages joined by pipes: all alive at once, on one host; it starts,
stops, is timed and takes a slot as one thing. A pipeline is jobs with an order.
"""

from __future__ import annotations

from typing import NamedTuple

from penstock.model.command import Command
from penstock.model.limits import Limits
from penstock.model.stream import Inherit, Log, Null, Stderr, Stdin, Stdout


class Place(NamedTuple):
    """Where something is defined: what an editor needs to go there (1-based)."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Stage(NamedTuple):
    """A command of a job, with its streams and its own limits.

    Attributes:
        name: unique in the job.
        stdin, stdout, stderr: where they go unless a `Link` joins them.
        limits: `timeout` and `grace` of this command.
        place: where it is defined, if in a file.
    """

    name: str
    command: Command
    stdin: Stdin = Null()
    stdout: Stdout = Inherit(1)
    stderr: Stderr = Log(None)
    limits: Limits = Limits()
    place: Place | None = None


class Link(NamedTuple):
    """A kernel pipe from the stdout of one stage to the stdin of another.

    Attributes:
        source: position in `Job.stages` of the stage that writes.
        target: position of the stage that reads.
    """

    source: int
    target: int


class Job(NamedTuple):
    """Stages that run together; picklable, and all that a worker needs.

    Attributes:
        name: unique in the pipeline.
        stages: in the order of the definition.
        links: every pipe between them.
        needs: names of jobs that must have succeeded first.
        limits: `timeout` for the whole job, `drain`, `linger`; `grace` where a
            stage's own does not apply.
        place: where it is defined, if in a file.
    """

    name: str
    stages: tuple[Stage, ...]
    links: tuple[Link, ...] = ()
    needs: tuple[str, ...] = ()
    limits: Limits = Limits()
    place: Place | None = None


class Pipeline(NamedTuple):
    """Jobs, each with the names of those it needs; the order is the file's."""

    jobs: tuple[Job, ...]
    file: str | None = None


def chain(stages: int) -> tuple[Link, ...]:
    """The links that join so many stages, each one's stdout to the next one's stdin."""
    return tuple(Link(i, i + 1) for i in range(stages - 1))

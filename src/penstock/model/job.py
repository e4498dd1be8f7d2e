"""Stage, Link, Job, Family, Pipeline: what is to be run.

A job is a set of stages joined by pipes: all alive at once, on one host; it starts,
stops, is timed and takes a slot as one thing. A pipeline is jobs with an order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from penstock.model.command import Command
from penstock.model.limits import Limits
from penstock.model.link import Link, chain
from penstock.model.policy import Policy
from penstock.model.stream import Inherit, Log, Null, Stderr, Stdin, Stdout
from penstock.typed import Literal, NamedTuple

__all__ = [
    "Family",
    "Job",
    "Leaks",
    "Link",
    "Pipeline",
    "Place",
    "Rule",
    "Stage",
    "chain",
    "family_of",
]


class Place(NamedTuple):
    """Where something is defined: what an editor needs to go there (1-based)."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


Leaks = Literal["kill", "warn", "fail", "allow"]
"""What becomes of processes that outlive their commands and the linger: ended, and
told of; ended, with a warning that no `--quiet` hides; ended, and the job has failed;
or left to live, as no part of it any more."""

LEAKS: tuple[Leaks, ...] = ("kill", "warn", "fail", "allow")


Rule = Literal["pipefail", "last", "strict"]
"""Which stages decide whether a job succeeded: all, but a benign SIGPIPE is success;
the last one only, and whatever had to be stopped; all, and a SIGPIPE is failure."""


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


class Job(NamedTuple):
    """Stages that run together; picklable, and all that a worker needs.

    Attributes:
        name: unique in the pipeline.
        stages: in the order of the definition.
        links: every edge between them.
        needs: names of jobs that must have succeeded first.
        limits: `timeout` for the whole job, `drain`, `linger`; `grace` where a
            stage's own does not apply.
        place: where it is defined, if in a file.
        policy: for whoever schedules it.
        leaks: what becomes of processes that it leaves behind.
        rule: which stages decide whether it succeeded.
    """

    name: str
    stages: tuple[Stage, ...]
    links: tuple[Link, ...] = ()
    needs: tuple[str, ...] = ()
    limits: Limits = Limits()
    place: Place | None = None
    policy: Policy = Policy()
    leaks: Leaks = "kill"
    rule: Rule = "pipefail"


class Family(NamedTuple):
    """Jobs that differ in a value: what `for` makes. Needed, and failed, as one.

    Attributes:
        name: what others need it by; each member has its own.
        needs: names of jobs and families that must have succeeded first.
        members: makes them, one after the other, each time anew: there may be millions.
        place: where it is defined, if in a file.
    """

    name: str
    needs: tuple[str, ...]
    members: Callable[[], Iterator[Job]]
    place: Place | None = None


class Pipeline(NamedTuple):
    """Jobs, each with the names of those it needs; the order is the file's.

    Attributes:
        jobs: that are known from the start.
        file: where they are defined, if in a file.
        families: of jobs that are made when it is their turn.
        resources: names of counted things, and how many there are of each.
        setup: runs before all others; if it fails, none of them is started.
        teardown: runs after all others, however they ended.
        on_success, on_failure, always: run when the end of the run is known; how they
            end changes nothing.
    """

    jobs: tuple[Job, ...]
    file: str | None = None
    families: tuple[Family, ...] = ()
    resources: tuple[tuple[str, int], ...] = ()
    setup: Job | None = None
    teardown: Job | None = None
    on_success: Job | None = None
    on_failure: Job | None = None
    always: Job | None = None


def family_of(member: str) -> str:
    """The name of the family that a job of this name is of; itself, if of none.

    >>> family_of("zip[a^b]"), family_of("report")
    ('zip', 'report')
    """
    return member.partition("[")[0]

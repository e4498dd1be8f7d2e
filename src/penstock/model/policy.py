"""Policy: how a job is treated by who schedules it; its worker never looks at it."""

from __future__ import annotations

from penstock.model.command import Command
from penstock.typed import NamedTuple

CAUSES = ("exit", "signal", "timeout", "lost")
"""What a job may have failed of: an exit code, a signal, a limit, a dead worker."""

READY_WITHIN = 60.0  # seconds


class Retry(NamedTuple):
    """Whether a failed job is tried again.

    Attributes:
        times: how often, after the first try.
        backoff: seconds before the first retry; twice as long before each further one.
        on: which of `CAUSES` are worth it; a command that was not found never is.
    """

    times: int = 0
    backoff: float = 0.0
    on: tuple[str, ...] = CAUSES


class Service(NamedTuple):
    """A job that runs while others need it, and is stopped when none does any more.

    Attributes:
        ready: succeeds once it can be used, tried again and again; None: at once.
        within: seconds in which it must be ready.
    """

    ready: Command | None = None
    within: float = READY_WITHIN


class Policy(NamedTuple):
    """What a scheduler has to know of a job, next to its needs.

    Attributes:
        retry: whether it is tried again when it fails.
        slots: how many it takes; more than there are count as all of them.
        resources: names of counted things, and how many of each it takes.
        service: it is one, or asks one whether it is ready.
        when: a command that says by success that the job is to be run; when it fails,
            the job is passed over, and what needs it goes on.
        inputs: paths and glob patterns of what it reads.
        outputs: paths of what it makes; with these, it is skipped while up to date.
        variables: names and values that it was made with, as far as they matter.
    """

    retry: Retry = Retry()
    slots: int = 1
    resources: tuple[tuple[str, int], ...] = ()
    service: Service | None = None
    when: Command | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

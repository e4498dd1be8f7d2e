"""What a worker may be told while it runs a job."""

from __future__ import annotations

import select

from penstock.typed import NamedTuple, Protocol


class Cancel(NamedTuple):
    """End the job.

    Attributes:
        cause: in words, for the outcome.
        now: skip the grace.
    """

    cause: str
    now: bool


class Abandon(NamedTuple):
    """Nobody waits for the job any more: kill it at once.

    Attributes:
        cause: in words.
    """

    cause: str


class Suspend(NamedTuple):
    """Let the job stand still, or go on.

    Attributes:
        on: stand still.
    """

    on: bool


Order = Cancel | Abandon | Suspend


class Station(Protocol):
    """Where a worker waits: one epoll for the job and for those above it."""

    @property
    def epoll(self) -> select.epoll:
        """The job adds its own descriptors, and removes them."""
        ...

    def order(self, descriptor: int) -> Order | None:
        """What a ready descriptor that is not of the job means; None: nothing."""
        ...

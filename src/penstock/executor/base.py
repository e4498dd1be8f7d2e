"""Executor: whoever runs jobs. The seam between the engine and the machinery.

The local pool, the fake and every distributed engine keep this contract, and pass
one shared suite of tests (``tests/contract``).
"""

from __future__ import annotations

from collections.abc import Sequence

from penstock.model.job import Job
from penstock.model.outcome import Outcome
from penstock.typed import Protocol


class Executor(Protocol):
    """Runs at most `slots` jobs at once; each submitted job ends exactly once."""

    @property
    def slots(self) -> int:
        """How many jobs may be alive at once; at least 1."""
        ...

    def submit(self, job: Job, descriptors: Sequence[int] = ()) -> None:
        """Start `job` now.

        Args:
            job: its name differs from that of every running job.
            descriptors: open files for the job's `Handed` streams, by position; the
                caller keeps its own copies and may close them at once.

        Raises:
            UsageError: no slot is free, or the name is in use.
        """
        ...

    def cancel(self, name: str, cause: str, *, now: bool = False) -> None:
        """End the running job `name`; its outcome still arrives by `wait`.

        Args:
            name: a job that is running; one that is not is left alone.
            cause: in words, for `Cancelled.cause`.
            now: skip the grace; may follow an earlier cancel.
        """
        ...

    def wait(self, deadline: float | None = None) -> tuple[Outcome, ...]:
        """Wait until a job has ended, or something else woke the executor.

        Args:
            deadline: on the monotonic clock; None waits as long as it takes.

        Returns:
            The outcomes since the last call; none if the deadline passed, or a signal
            came.
        """
        ...

    def close(self) -> None:
        """End what still runs, and everything below it; may be called twice."""
        ...

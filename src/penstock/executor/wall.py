"""What is around a worker: by itself, nothing; see `walls` for what may be."""

from __future__ import annotations

from collections.abc import Callable

from penstock.proc.fork import fork_into


class Wall:
    """How the nursery forks a worker, and what there is to do after its death."""

    def try_it(self) -> str | None:
        """What is in the way of having it here; None if nothing is."""
        return None

    def fork(self, body: Callable[[], None]) -> int:
        """Run `body` in a new child, behind the wall; its PID.

        Raises:
            OSError: there is no process to be had, or no wall.
        """
        return fork_into(body)

    def bury(self, pid: int) -> None:
        """A child has died and was reaped; it may be none of ours."""

    def tidy(self) -> None:
        """Take away what the dead have left of their walls, once that is empty."""

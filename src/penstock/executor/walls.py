"""The walls that may be asked for by ``--isolate``; imported only then."""

from __future__ import annotations

from collections.abc import Callable

from penstock.executor.wall import Wall
from penstock.proc.cgroup import Leaf, try_leaf
from penstock.proc.fork import fork_into
from penstock.proc.isolate import fork_isolated, try_isolation
from penstock.proc.reaper import sweep_by


class _Namespace(Wall):
    """A PID namespace for each worker, in which nothing outlives it."""

    def try_it(self) -> str | None:
        return try_isolation()

    def fork(self, body: Callable[[], None]) -> int:
        return fork_isolated(body)


class _Group(Wall):
    """A control group for each worker, which nothing that it starts can leave."""

    def __init__(self) -> None:
        self._leaves: dict[int, Leaf] = {}  # by PID of the worker
        self._left: list[Leaf] = []

    def try_it(self) -> str | None:
        return try_leaf()

    def fork(self, body: Callable[[], None]) -> int:
        leaf = Leaf.make()

        def live() -> None:
            leaf.enter()
            sweep_by(leaf.kill_others)
            try:
                body()
            finally:
                leaf.leave()
                leaf.remove()

        try:
            pid = fork_into(live)
        except OSError:
            leaf.remove()
            raise
        self._leaves[pid] = leaf
        return pid

    def bury(self, pid: int) -> None:
        leaf = self._leaves.pop(pid, None)
        if leaf is not None:
            self._left.append(leaf)

    def tidy(self) -> None:
        self._left = [leaf for leaf in self._left if not leaf.remove()]


def wall(layer: str) -> Wall:
    """The wall of that name."""
    return _Group() if layer == "cgroup" else _Namespace()

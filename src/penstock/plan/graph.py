"""The graph of jobs: whether an order exists in which all can be run."""

from __future__ import annotations

from collections.abc import Mapping


def find_cycle(needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """A cycle as a path that ends where it began, or None if there is none.

    Depth first with a stack of its own: a chain of 100,000 jobs is no reason to
    overflow Python's.

    Args:
        needs: for each name, the names that it needs; unknown names are ignored.

    Example:
        >>> find_cycle({"a": ("b",), "b": ("c",), "c": ("b",)})
        ('b', 'c', 'b')
    """
    finished: set[str] = set()
    for start in needs:
        cycle = _cycle_from(start, needs, finished)
        if cycle is not None:
            return cycle
    return None


def _cycle_from(
    start: str, needs: Mapping[str, tuple[str, ...]], finished: set[str]
) -> tuple[str, ...] | None:
    """A cycle that can be reached from `start`; `finished` names lead to none."""
    if start in finished:
        return None
    path = {start: None}  # a dict is a set that keeps the order
    branches = [iter(needs[start])]
    while branches:
        name = next(branches[-1], None)
        if name is None:
            branches.pop()
            finished.add(path.popitem()[0])
        elif name in path:
            names = (*path, name)
            return names[names.index(name) :]
        elif name in needs and name not in finished:
            path[name] = None
            branches.append(iter(needs[name]))
    return None

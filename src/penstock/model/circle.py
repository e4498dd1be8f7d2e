"""Circles: what waits for itself, among jobs that need others and stages that read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from penstock.model.link import Link
from penstock.typed import TypeVar

_Name = TypeVar("_Name")


def find_circle(leads: Mapping[_Name, Iterable[_Name]]) -> tuple[_Name, ...]:
    """What leads from one to the next and back to the first; none if nothing does.

    Depth first with a stack of its own: a chain of 100,000 jobs is no reason to
    overflow Python's.

    Args:
        leads: for each name, those that it leads to; unknown names are ignored.

    Example:
        >>> find_circle({"a": ("b",), "b": ("c",), "c": ("b",)})
        ('b', 'c')
    """
    finished: set[_Name] = set()
    for start in leads:
        circle = _circle_from(start, leads, finished)
        if circle:
            return circle
    return ()


def circle_in(links: Iterable[Link]) -> tuple[int, ...]:
    """Stages that wait for each other, in their order; none if there is no circle.

    A coproc is no circle: whoever asks for one knows when it is whose turn.
    """
    targets: dict[int, list[int]] = {}
    for link in links:
        if not link.is_coproc:
            targets.setdefault(link.source, []).append(link.target)
    return find_circle(targets)


def _circle_from(
    start: _Name, leads: Mapping[_Name, Iterable[_Name]], finished: set[_Name]
) -> tuple[_Name, ...]:
    """A circle that can be reached from `start`; `finished` names lead to none."""
    if start in finished:
        return ()
    path: dict[_Name, None] = {start: None}  # a dict is a set that keeps the order
    branches = [iter(leads[start])]
    while branches:
        name = next(branches[-1], None)
        if name is None:
            branches.pop()
            finished.add(path.popitem()[0])
        elif name in path:
            names = tuple(path)
            return names[names.index(name) :]
        elif name in leads and name not in finished:
            path[name] = None
            branches.append(iter(leads[name]))
    return ()

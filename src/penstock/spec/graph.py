"""Graph: whether the jobs of a definition fit together."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.spec.build import Draft
from penstock.spec.mistakes import Mistakes, shown
from penstock.spec.tree import Scalar

# Longer circles are shown by their ends.
_SHOWN = 8


def check_needs(drafts: list[Draft], mistakes: Mistakes) -> None:
    """Report needs of jobs that are not there, twice there, or need each other."""
    known = {draft.job.name: draft for draft in drafts}
    edges: dict[str, tuple[Scalar, ...]] = {}
    for name, draft in known.items():
        edges[name] = tuple(_good_needs(draft, known, mistakes))
    _report_circles(edges, mistakes)


def _good_needs(
    draft: Draft, known: dict[str, Draft], mistakes: Mistakes
) -> Iterator[Scalar]:
    """The needs that lead to another job, after reporting the others."""
    seen: set[str] = set()
    for need in draft.needs:
        name = shown(need.text)
        if need.text not in known:
            hint = mistakes.suggestion(need.text, known)
            mistakes.add(need.spot, f"there is no job {name}{hint}")
        elif need.text == draft.job.name:
            mistakes.add(need.spot, f"job {name} cannot need itself")
        elif need.text in seen:
            mistakes.add(need.spot, f"{name} stands twice in `needs`")
        else:
            yield need
        seen.add(need.text)


def _report_circles(edges: dict[str, tuple[Scalar, ...]], mistakes: Mistakes) -> None:
    """Report each knot of jobs once, by a circle in it.

    Depth first and without recursion: a chain may be longer than Python's stack.
    """
    done: set[str] = set()
    reported: set[str] = set()
    for start, needs in edges.items():
        path = {} if start in done else {start: iter(needs)}
        while path:
            name, rest = path.popitem()
            need = next(rest, None)
            if need is None:
                done.add(name)
                continue
            path[name] = rest
            if need.text in path:
                _report(list(path), need, reported, mistakes)
            elif need.text not in done:
                path[need.text] = iter(edges[need.text])


def _report(
    path: list[str], need: Scalar, reported: set[str], mistakes: Mistakes
) -> None:
    """Report the circle that `need` closes, unless one of that knot is reported."""
    if need.text in reported or path[-1] in reported:
        return
    circle = [*path[path.index(need.text) :], need.text]
    reported.update(circle)
    if len(circle) > _SHOWN:
        circle = [*circle[: _SHOWN // 2], "...", *circle[-_SHOWN // 2 :]]
    mistakes.add(need.spot, f"jobs that need each other: {' -> '.join(circle)}")

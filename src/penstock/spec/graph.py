"""Graph: whether the jobs of a definition fit together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from penstock.spec.build import Draft
from penstock.spec.mistakes import Mistakes, shown
from penstock.spec.tree import Scalar

# Longer circles are shown by their ends.
_SHOWN = 8


def check_names(drafts: list[Draft]) -> None:
    """Report jobs of one name, by different files, or as one of what a `for` makes."""
    first: dict[str, Draft] = {}
    families = {draft.job.name for draft in drafts if draft.family}
    for draft in drafts:
        other = first.setdefault(draft.job.name, draft)
        if other is not draft:
            where = draft.mistakes.place_of(other.mistakes, other.spot)
            what = f"there is a job {shown(draft.job.name)} already, {where}"
            draft.mistakes.add(draft.spot, what)
        family = _family_of(draft.job.name)
        if family in families:
            name = shown(draft.job.name)
            what = f"{name} could be a job of the `for` of {shown(family)}"
            draft.mistakes.add(draft.spot, f"{what}: give it another name")


def check_needs(drafts: list[Draft]) -> None:
    """Report needs of jobs that are not there, twice there, or need each other."""
    known = {draft.job.name: draft for draft in drafts}
    edges: dict[str, tuple[Scalar, ...]] = {}
    for draft in drafts:
        edges[draft.job.name] = tuple(_good_needs(draft, known))
    _report_circles(edges, known)


def check_resources(
    drafts: list[Draft], there_is: Mapping[str, int], mistakes: Mistakes
) -> None:
    """Report counted things that there are not, or not so many of.

    Args:
        drafts: the jobs.
        there_is: how many of each, in all.
        mistakes: finds names like a wrong one.
    """
    for draft in drafts:
        for name, (thing, count) in zip(
            draft.resources, draft.job.policy.resources, strict=False
        ):
            if thing not in there_is:
                hint = mistakes.suggestion(thing, there_is)
                what = f"there is no resource {shown(thing)}"
                hint = hint or f"; at the top, write resources: {{{thing}: 1}}"
                draft.mistakes.add(name.spot, what + hint)
            elif count > there_is[thing]:
                what = f"of {shown(thing)} there are only {there_is[thing]}"
                draft.mistakes.add(name.spot, what)


def check_services(drafts: list[Draft]) -> None:
    """Report services that could be needed for ever, or that nobody could name."""
    for draft in drafts:
        if draft.job.policy.service is None:
            continue
        name = shown(draft.job.name)
        if draft.family:
            what = f"service {name} cannot have a `for`: others need it by its name"
            draft.mistakes.add(draft.spot, what)
        if draft.resources:
            what = f"service {name} cannot hold resources while others wait for them"
            draft.mistakes.add(draft.resources[0].spot, what)


def _good_needs(draft: Draft, known: dict[str, Draft]) -> Iterator[Scalar]:
    """The needs that lead to another job, after reporting the others."""
    mistakes = draft.mistakes
    seen: set[str] = set()
    for need in draft.needs:
        name = shown(need.text)
        if need.text not in known:
            mistakes.add(
                need.spot, f"there is no job {name}{_hint(need, draft, known)}"
            )
        elif need.text == draft.job.name:
            mistakes.add(need.spot, f"job {name} cannot need itself")
        elif need.text in seen:
            mistakes.add(need.spot, f"{name} stands twice in `needs`")
        else:
            yield need
        seen.add(need.text)


def _hint(need: Scalar, draft: Draft, known: dict[str, Draft]) -> str:
    """What may have been meant by a job that is not there."""
    family = known.get(_family_of(need.text))
    if family is not None and family.family:
        name = shown(family.job.name)
        return f" by itself; need {name}, which is all the jobs of its `for`"
    return draft.mistakes.suggestion(need.text, known)


def _family_of(name: str) -> str:
    """The family that a job of this name would be of."""
    return name.partition("[")[0] if name.endswith("]") else ""


def _report_circles(
    edges: dict[str, tuple[Scalar, ...]], known: dict[str, Draft]
) -> None:
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
                _report(list(path), need, reported, known[name].mistakes)
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

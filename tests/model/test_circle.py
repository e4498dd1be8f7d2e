from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.model.circle import find_circle

NAMES = [str(i) for i in range(8)]
any_graph = st.fixed_dictionaries(
    {name: st.lists(st.sampled_from(NAMES), max_size=3).map(tuple) for name in NAMES}
)


def can_be_ordered(needs: dict[str, tuple[str, ...]]) -> bool:
    """Kahn's way: take away what needs nothing, until all is gone or nothing is."""
    left = dict(needs)
    while free := [name for name in left if not any(n in left for n in left[name])]:
        for name in free:
            del left[name]
    return not left


def test_no_circle_in_nothing():
    assert find_circle({}) == ()


def test_no_circle_in_a_diamond():
    needs = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
    assert find_circle(needs) == ()


def test_a_job_that_needs_itself_is_a_circle():
    assert find_circle({"a": ("a",)}) == ("a",)


def test_only_the_circle_is_told_and_not_the_way_to_it():
    assert find_circle({"a": ("b",), "b": ("c",), "c": ("b",)}) == ("b", "c")


def test_unknown_names_lead_nowhere():
    assert find_circle({"a": ("gone",)}) == ()


def test_a_chain_of_100_000_does_not_recurse():
    needs = {str(i): (str(i + 1),) for i in range(100_000)}
    assert find_circle({**needs, "100000": ("0",)})


@given(any_graph)
def test_a_circle_is_found_if_and_only_if_there_is_no_order(
    needs: dict[str, tuple[str, ...]],
):
    assert (not find_circle(needs)) == can_be_ordered(needs)


@given(any_graph)
def test_what_is_found_is_a_circle(needs: dict[str, tuple[str, ...]]):
    circle = find_circle(needs)
    assert all(b in needs[a] for a, b in pairwise((*circle, *circle[:1])))

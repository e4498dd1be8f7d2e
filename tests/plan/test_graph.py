from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.plan.graph import find_cycle

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


def test_no_cycle_in_nothing():
    assert find_cycle({}) is None


def test_no_cycle_in_a_diamond():
    needs = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}
    assert find_cycle(needs) is None


def test_a_job_that_needs_itself_is_a_cycle():
    assert find_cycle({"a": ("a",)}) == ("a", "a")


def test_only_the_circle_is_told_and_not_the_way_to_it():
    assert find_cycle({"a": ("b",), "b": ("c",), "c": ("b",)}) == ("b", "c", "b")


def test_unknown_names_lead_nowhere():
    assert find_cycle({"a": ("gone",)}) is None


def test_a_chain_of_100_000_does_not_recurse():
    needs = {str(i): (str(i + 1),) for i in range(100_000)}
    assert find_cycle({**needs, "100000": ("0",)}) is not None


@given(any_graph)
def test_a_cycle_is_found_if_and_only_if_there_is_no_order(
    needs: dict[str, tuple[str, ...]],
):
    assert (find_cycle(needs) is None) == can_be_ordered(needs)


@given(any_graph)
def test_what_is_found_is_a_cycle(needs: dict[str, tuple[str, ...]]):
    cycle = find_cycle(needs) or ()
    assert all(b in needs[a] for a, b in pairwise(cycle))
    assert cycle[:1] == cycle[-1:]

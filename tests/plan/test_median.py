from __future__ import annotations

import sys
from statistics import median_low

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.plan.median import Median


def median_of(*durations: float) -> float:
    median = Median()
    for seconds in durations:
        median.add(seconds)
    return median.seconds


def test_of_none_it_is_nothing():
    assert median_of() == 0


def test_of_few_that_differ_it_is_exact():
    assert median_of(3.0, 1.0, 2.0) == 2.0
    assert median_of(4.0, 1.0, 2.0, 3.0) == 2.0


@given(st.lists(st.floats(0.001, 1e6), min_size=1))
def test_it_is_the_lower_one_to_one_part_in_a_hundred(durations):
    assert median_of(*durations) == pytest.approx(median_low(durations), rel=0.0101)


@given(st.lists(st.floats(0, 1e12)))
def test_it_takes_any_duration(durations):
    assert median_of(*durations) >= 0


def test_a_hundred_thousand_take_no_more_memory_than_one():
    median = Median()
    size = sum(map(sys.getsizeof, vars(median).values()))
    for number in range(100_000):
        median.add(0.1 + number % 1000)
    assert sum(map(sys.getsizeof, vars(median).values())) < size + 1000
    assert median.count == 100_000

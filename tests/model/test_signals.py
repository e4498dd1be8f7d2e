from __future__ import annotations

import signal

import pytest

from penstock.model.signals import signal_name, signal_number


@pytest.mark.parametrize("number", sorted(signal.valid_signals()))
def test_each_signal_has_the_name_that_the_system_gives_it(number: int):
    name = signal_name(number)
    if name.startswith("SIGRTMIN"):
        offset = int(name.partition("+")[2] or 0)
        assert number == signal.SIGRTMIN + offset
    else:
        assert number == getattr(signal, name)


@pytest.mark.parametrize("number", [-1, 0, 32, 33, 65, 99])
def test_what_is_no_signal_is_told_by_its_number(number: int):
    assert signal_name(number) == f"signal {number}"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("TERM", 15),
        ("SIGTERM", 15),
        ("sigint", 2),
        ("2", 2),
        ("RTMIN", 34),
        ("SIGRTMIN+3", 37),
        ("64", 64),
    ],
)
def test_names_and_numbers_of_signals(name, number):
    assert signal_number(name) == number


@pytest.mark.parametrize(
    "name",
    ["", "0", "32", "65", "-1", "TERN", "RTMIN+", "RTMIN+31", "TERM+1", "٣", "1" * 99],
)
def test_what_is_no_signal(name):
    assert signal_number(name) is None

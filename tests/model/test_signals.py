from __future__ import annotations

import signal

import pytest

from penstock.model.signals import signal_name


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

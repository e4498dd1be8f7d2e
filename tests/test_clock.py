from __future__ import annotations

from penstock.clock import RunningClock
from penstock.executor.fake import VirtualClock


def test_a_clock_that_stood_still_goes_on_where_it_was():
    inner = VirtualClock()
    clock = RunningClock(inner)
    inner.move(2.0)
    clock.stand_still(lambda: inner.move(10.0))
    assert clock.now() == 2.0
    inner.move(11.0)
    assert clock.now() == 3.0
    assert clock.wall() == inner.wall()

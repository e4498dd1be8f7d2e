"""How many jobs are alive at once while something is scarce."""

from __future__ import annotations

from errno import EAGAIN, ENFILE

from hypothesis import given
from hypothesis import strategies as st

from penstock.plan.width import PATIENCE, Width

SLOTS = 8


def narrowed(by: int) -> Width:
    width = Width()
    for number in range(by):
        assert width.lack(EAGAIN, SLOTS, SLOTS - 1 - number, 0.0)
    return width


def end(width: Width, times: int) -> None:
    for _ in range(times):
        width.end(SLOTS)


def test_it_is_as_wide_as_there_are_slots():
    assert Width().of(SLOTS) == SLOTS


def test_each_that_cannot_be_started_makes_it_one_less():
    assert narrowed(3).of(SLOTS) == SLOTS - 3


def test_it_is_no_narrower_than_what_runs():
    width = Width()
    for _ in range(20):
        width.lack(EAGAIN, SLOTS, 5, 0.0)
    assert width.of(SLOTS) == 5


def test_it_is_1_at_least():
    width = Width()
    for _ in range(20):
        width.lack(EAGAIN, SLOTS, 0, 0.0)
    assert (width.of(SLOTS), width.of(1)) == (1, 1)


def test_a_round_of_jobs_that_end_makes_it_one_more():
    width = narrowed(3)
    end(width, 4)
    assert width.of(SLOTS) == 5
    end(width, 1)
    assert width.of(SLOTS) == 6
    end(width, 6 + 7)
    assert width.of(SLOTS) == SLOTS


def test_who_has_grown_too_early_is_slower_the_next_time():
    width = narrowed(3)
    end(width, 5)
    width.lack(EAGAIN, SLOTS, 5, 1.0)
    end(width, 2 * 5 - 1)
    assert width.of(SLOTS) == 5
    end(width, 1)
    assert width.of(SLOTS) == 6


def test_it_may_have_fewer_slots_meanwhile():
    width = narrowed(6)
    assert width.of(2) == 1
    width.end(2)
    assert width.of(2) == 2


def test_the_pause_gets_longer_until_a_job_has_ended():
    width = Width()
    pauses = []
    for _ in range(8):
        width.lack(EAGAIN, SLOTS, 1, 100.0)
        pauses.append(round(width.retry_at - 100, 1))
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    width.end(SLOTS)
    width.lack(EAGAIN, SLOTS, 1, 100.0)
    assert round(width.retry_at - 100, 1) == 0.1


def test_it_is_given_up_after_some_time_in_which_nothing_else_ran():
    width = Width()
    assert width.lack(EAGAIN, SLOTS, 0, 5.0)
    assert width.lack(EAGAIN, SLOTS, 0, 5.0 + PATIENCE / 2)
    assert not width.lack(EAGAIN, SLOTS, 0, 5.0 + PATIENCE)


def test_it_is_not_given_up_while_others_run_or_have_ended():
    width = Width()
    assert width.lack(EAGAIN, SLOTS, 0, 0.0)
    assert width.lack(EAGAIN, SLOTS, 1, 2 * PATIENCE)
    width.end(SLOTS)
    assert width.lack(EAGAIN, SLOTS, 0, 3 * PATIENCE)


def test_each_shortage_is_told_once_and_not_at_once():
    width = narrowed(2)
    at = width.tell_at
    assert at is not None
    assert width.tell(SLOTS, at - 0.1) is None
    assert width.tell(SLOTS, at) == EAGAIN
    width.lack(EAGAIN, SLOTS, 3, at)
    assert width.tell_at is None
    width.lack(ENFILE, SLOTS, 3, at)
    assert width.tell(SLOTS, at + 60) == ENFILE


def test_what_is_over_at_once_is_not_told():
    width = narrowed(1)
    end(width, 7)
    assert width.of(SLOTS) == SLOTS
    assert (width.tell_at, width.tell(SLOTS, 60.0)) == (None, None)


def test_with_one_slot_there_is_nothing_to_tell():
    width = Width()
    width.lack(EAGAIN, 1, 0, 0.0)
    assert width.tell(1, 60.0) is None


@given(news=st.lists(st.none() | st.integers(0, 9)), slots=st.lists(st.integers(1, 9)))
def test_whatever_happens_it_is_between_1_and_the_slots(
    news: list[int | None], slots: list[int]
):
    width = Width()
    for number, alive in enumerate(news):
        now = slots[number % len(slots)] if slots else SLOTS
        if alive is None:
            width.end(now)
        else:
            width.lack(EAGAIN, now, alive, float(number))
        assert 1 <= width.of(now) <= now
        assert width.fewer >= 0

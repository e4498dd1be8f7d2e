from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.spec.duration import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("10s", 10),
        ("2m", 120),
        ("1h30m", 5400),
        ("1d", 86400),
        ("1d2h3m4s5ms", 93784.005),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("1.5h", 5400),
        ("0s", 0),
    ],
)
def test_a_time_with_units_is_seconds(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`` is not a time"),
        ("nan", "`nan` is not a time"),
        ("inf", "is not a time"),
        ("soon", "is not a time"),
        ("+5s", "is not a time"),
        (" 5s", "is not a time"),
        ("1.2.3s", "is not a time"),
        (".s", "is not a time"),
        ("1" * 65 + "s", "is not a time"),
        ("-1s", "`-1s` is negative"),
        ("10", "`10` has no unit: write `10s` for seconds, `10m` for minutes"),
        ("1h30", "`30` in `1h30` has no unit"),
        ("10x", "there is no unit `x`; the units are ms, s, m, h and d"),
        ("10 s", "this is not a time"),
        ("30m1h", "the largest first"),
        ("1s1s", "write each unit once"),
        ("9" * 60 + "d", "is too long"),
        ("\x1b[0m", "`?[0m` is not a time"),
    ],
)
def test_what_is_not_a_time_is_explained(text, message):
    with pytest.raises(ValueError, match=r"^`") as error:
        parse_duration(text)
    assert message in str(error.value)


def test_a_bare_number_is_seconds_where_that_is_asked_for():
    assert parse_duration("0.5", bare_seconds=True) == 0.5
    with pytest.raises(ValueError, match="has no unit"):
        parse_duration("1h30", bare_seconds=True)


@pytest.mark.parametrize("text", ["0.000000000000000001ms", "0.00000000000001s"])
def test_what_is_not_zero_does_not_become_zero(text):
    assert parse_duration(text) > 0


def test_a_tiny_bare_number_does_not_become_zero():
    assert parse_duration("0." + "0" * 50 + "1", bare_seconds=True) > 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1e-9, "0.001ms"),
        (0.9999999, "1s"),
        (1.5, "1.5s"),
        (59.9999, "1m"),
        (90, "1m30s"),
        (100, "1m40s"),
        (86400, "1d"),
        (-2, "-2s"),
    ],
)
def test_seconds_are_written_as_a_user_would(seconds, text):
    assert format_duration(seconds) == text


@given(st.floats(min_value=0, max_value=LONGEST / 2))
def test_what_is_written_reads_back(seconds):
    back = parse_duration(format_duration(seconds))
    assert math.isclose(back, seconds, rel_tol=1e-6, abs_tol=0.0006)


@given(st.text(max_size=70) | st.text(alphabet="0123456789.mshd", max_size=20))
def test_any_text_is_a_time_or_a_value_error(text):
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert 0 <= seconds <= LONGEST

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from penstock.report.plain import decoded, last_lines, readable, visible

any_text = st.lists(st.integers(0, 0x10FFFF).map(chr)).map("".join)  # surrogates too


def test_a_byte_that_was_not_decodable_is_readable():
    assert readable(os.fsdecode(b"caf\xc3\xa9 \xff")) == "caf\u00e9 \\xff"


def test_a_surrogate_that_stands_for_no_byte_is_readable():
    assert readable("a\ud800") == "a\\ud800"


def test_bytes_that_are_no_text_are_readable():
    assert decoded(b"\xff\xfe ok") == "\\xff\\xfe ok"


def test_escape_sequences_are_not_obeyed():
    assert visible("\x1b[31mred\x07\x9b") == "\\x1b[31mred\\x07\\x9b"


def test_text_that_reads_backwards_is_not_obeyed():
    assert visible("a\u202eb") == "a\\u202eb"


def test_letters_of_all_scripts_are_left_alone():
    assert (
        visible("d\u00e9j\u00e0\u00a0vu \u65e5\u672c")
        == "d\u00e9j\u00e0\u00a0vu \u65e5\u672c"
    )


def test_of_a_very_long_line_the_ends_are_kept():
    (line,) = last_lines(b"begin" + bytes(8000) + b"end\n", 5)
    assert (line[:5], line[-3:]) == ("begin", "end")
    assert " [...] " in line
    assert len(line) < 600


def test_only_the_last_lines_are_kept():
    assert last_lines(b"a\nb\nc\n", 2) == ["b", "c"]


def test_a_progress_bar_is_shown_as_it_was_last():
    assert last_lines(b" 10%\r 50%\r100%\r\ndone\n", 5) == ["100%", "done"]


def test_nothing_has_no_lines():
    assert last_lines(b"\n\n", 5) == []


@given(any_text)
def test_readable_text_can_always_be_encoded(text: str):
    readable(text).encode("utf-8")


@given(st.binary())
def test_shown_lines_contain_no_control_character(raw: bytes):
    assert all(
        line.replace("\t", "").replace("\xa0", "").isprintable()
        for line in last_lines(raw, 9)
    )

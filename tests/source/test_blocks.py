from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.source.blocks import Blocks, Border, PatternBorder, PlainBorder
from penstock.source.gate import Gate

BORDERS = [
    PlainBorder(),
    PlainBorder(b"", b">"),
    PlainBorder(b"\n", b">"),
    PlainBorder(b"ab"),
    PatternBorder(b"\n+", b""),
    PatternBorder(b"", b">"),
    PatternBorder(b"\n", b"[>a]"),
]


def blocks_of(data: bytes, border: Border, size: int = 10, **more) -> list[bytes]:
    """All blocks of a file with `data`."""
    file = os.memfd_create("input")
    gate = Gate()
    try:
        os.write(file, data)
        os.lseek(file, 0, os.SEEK_SET)
        blocks = Blocks(file, gate, border, size, **more)
        found = []
        while (block := blocks.next()) is not None:
            found.append(block)
        assert blocks.is_over
        return found
    finally:
        gate.close()
        os.close(file)


texts = st.lists(st.sampled_from([b"a", b"b", b">", b"\n", b"\xff"])).map(b"".join)


@given(texts, st.sampled_from(BORDERS), st.integers(1, 12))
def test_nothing_is_lost_or_moved(data, border, size):
    blocks = blocks_of(data, border, size)
    assert b"".join(blocks) == data
    assert all(blocks)


@given(texts, st.integers(1, 12))
def test_a_block_is_whole_lines_and_only_a_single_one_is_too_large(data, size):
    blocks = blocks_of(data, PlainBorder(), size)
    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert all(len(b) <= size or b.count(b"\n", 0, -1) == 0 for b in blocks)


@given(texts, st.integers(1, 4))
def test_so_many_lines_are_in_each_block(data, records):
    lines = re.findall(rb"[^\n]*\n|[^\n]+", data)
    cut = range(0, len(lines), records)
    expected = [b"".join(lines[at : at + records]) for at in cut]
    assert blocks_of(data, PlainBorder(), records=records) == expected


@given(texts, st.integers(1, 4))
def test_a_pattern_that_means_a_text_cuts_as_the_text_does(data, records):
    for end, start in ((b"\n", b""), (b"\n", b">"), (b"", b">"), (b"ab", b"")):
        plain = blocks_of(data, PlainBorder(end, start), records=records)
        assert blocks_of(data, PatternBorder(end, start), records=records) == plain


@pytest.mark.parametrize(
    ("data", "border", "expected"),
    [
        (b">a\n1\n>b\n", PlainBorder(b"", b">"), [b">a\n1\n", b">b\n"]),
        (b"a;;b;c", PatternBorder(b";+", b""), [b"a;;", b"b;", b"c"]),
        (b"", PlainBorder(), []),
    ],
)
def test_records_begin_and_end_where_the_border_says(data, border, expected):
    assert blocks_of(data, border, records=1) == expected


@given(
    texts,
    st.sampled_from(
        [
            *[(b"\n*", b""), (b"a*?", b""), (b"a|b?", b"[^>]?"), (b"(?<=a)b*", b"")],
            *[(b"(?<!>)", b""), (b"^", b""), (b"\\b", b""), (b"", b"$")],
        ]
    ),
)
def test_the_borders_after_one_are_those_that_are_found_from_the_beginning(data, marks):
    border = PatternBorder(*marks)
    known = bytearray(data)
    at = 0
    while at >= 0:
        following = border.first(known, at, at)
        assert following == border.first(known, at)
        at = following


class NotingBorder(PatternBorder):
    """Notes from where on it is asked to look."""

    def __init__(self) -> None:
        super().__init__(b"\n", b"")
        self.begins: list[int] = []

    def first(self, data: bytearray, after: int, known: int = 0) -> int:
        self.begins.append(known)
        return super().first(data, after, known)


def test_no_record_of_a_block_is_looked_through_for_each_that_follows():
    border = NotingBorder()
    assert blocks_of(b"1\n2\n3\n4\n", border, records=3) == [b"1\n2\n3\n", b"4\n"]
    assert border.begins[1:4] == [0, 2, 4]  # at first, nothing is there


def test_any_byte_may_be_a_border():
    assert blocks_of(b"aaaaa", PlainBorder(b""), 2) == [b"aa", b"aa", b"a"]


def test_the_first_line_is_put_before_each_block():
    found = blocks_of(b"h\n1\n2\n3\n", PlainBorder(), 4, has_header=True)
    assert found == [b"h\n1\n2\n", b"h\n3\n"]


def test_what_has_not_come_is_asked_for():
    reader, writer = os.pipe()
    gate = Gate()
    blocks = Blocks(reader, gate, records=1)
    assert blocks.next() is None
    os.write(writer, b"a\nb")
    assert gate.take()
    assert blocks.next() == b"a\n"
    assert blocks.next() is None
    os.close(writer)
    assert blocks.next() == b"b"
    assert blocks.is_over
    gate.close()
    os.close(reader)

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.source.batch import Batches
from penstock.source.combine import Changed, Linked, Product
from penstock.source.gate import Gate
from penstock.source.records import Given, Lines, Source


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.close()


def all_of(source: Source) -> list[tuple[str, ...]]:
    found = []
    while (record := source.next()) is not None:
        found.append(record)
    assert source.is_over
    return found


def given_(text: str) -> Given:
    return Given(text.split())


def lines_of(data: bytes, separator: bytes = b"\n") -> list[str]:
    descriptor = os.memfd_create("input")
    gate = Gate()
    try:
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return [value for (value,) in all_of(Lines(descriptor, gate, separator))]
    finally:
        gate.close()
        os.close(descriptor)


@given(st.lists(st.binary(max_size=9000).map(lambda b: b.replace(b"\n", b""))))
def test_records_are_what_stands_between_separators(records):
    data = b"".join(record + b"\n" for record in records)
    assert lines_of(data) == [os.fsdecode(record) for record in records]


@pytest.mark.parametrize(
    ("data", "separator", "expected"),
    [
        (b"", b"\n", []),
        (b"a", b"\n", ["a"]),
        (b"\n\na", b"\n", ["", "", "a"]),
        (b"a\0b\n\0", b"\0", ["a", "b\n"]),
        (b"a--b-c--", b"--", ["a", "b-c"]),
        (b"x" * 4095 + b"--b", b"--", ["x" * 4095, "b"]),
    ],
)
def test_the_last_record_may_lack_its_separator(data, separator, expected):
    assert lines_of(data, separator) == expected


def test_a_slow_producer_is_asked_and_not_waited_for(gate: Gate):
    reader, writer = os.pipe()
    lines = Lines(reader, gate)
    assert lines.next() is None
    assert not gate.take()
    os.write(writer, b"a\nb")
    assert gate.take()
    assert not gate.take()
    assert lines.next() == ("a",)
    assert lines.next() is None
    os.close(writer)
    assert gate.take()
    assert lines.next() == ("b",)
    assert lines.next() is None
    assert lines.is_over
    os.close(reader)


def test_a_producer_is_held_back_by_its_pipe(gate: Gate):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    lines = Lines(reader, gate)
    written = 0
    for _ in range(1000):
        with suppress(BlockingIOError):
            written += os.write(writer, b"y\n" * 512)
        lines.next()
    assert 0 < written < 200_000
    os.close(reader)
    os.close(writer)


def test_every_combination_the_last_source_first():
    source = Product(given_("a b"), [given_("1 2")])
    assert all_of(source) == [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2")]


def test_no_value_of_one_source_is_no_combination():
    assert all_of(Product(given_("a b"), [given_("")])) == []


def test_side_by_side_the_short_ones_begin_again():
    source = Linked([given_("a b c"), given_("1 2")])
    assert all_of(source) == [("a", "1"), ("b", "2"), ("c", "1")]


def test_what_is_left_out_is_no_record():
    source = Changed(given_("a b c"), lambda r: None if r == ("b",) else r)
    assert all_of(source) == [("a",), ("c",)]


def test_batches_have_as_many_as_asked_for_and_the_last_has_the_rest():
    batches = Batches(given_("a b c"), 2)
    assert [batches.next(), batches.next()] == [(("a",), ("b",)), (("c",),)]
    assert batches.is_over


def test_a_batch_ends_where_there_is_no_more_room():
    batches = Batches(given_("aaa bb c dddd"), 9, 4, lambda r: len(r[0]))
    found = []
    while not batches.is_over:
        found.append(batches.next())
    assert found == [(("aaa",),), (("bb",), ("c",)), (("dddd",),)]

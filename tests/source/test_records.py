from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import PenstockError, UsageError
from penstock.source.batch import Batches
from penstock.source.combine import Changed, Linked, Product, Zipped
from penstock.source.csv_records import CsvRecords
from penstock.source.gate import Gate
from penstock.source.records import Given, Lines, Outlook, Source


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
        (b"xaaaa", b"aaa", ["x", "a"]),
    ],
)
def test_the_last_record_may_lack_its_separator(data, separator, expected):
    assert lines_of(data, separator) == expected


@given(
    st.lists(st.text("ab", min_size=1, max_size=3), max_size=20),
    st.sampled_from(["b", "aa", "aaa", "aba", "abaab"]),
)
def test_a_record_is_there_with_its_separator_in_however_many_pieces(pieces, separator):
    reader, writer = os.pipe()
    gate = Gate()
    lines = Lines(reader, gate, separator.encode())
    written, rest = "", ""
    found: list[str] = []
    for piece in pieces:
        written += piece
        os.write(writer, piece.encode())
        while (record := lines.next()) is not None:
            found += record
        *whole, rest = written.split(separator)
        assert found == whole
    os.close(writer)
    assert all_of(lines) == ([(rest,)] if rest else [])
    gate.close()
    os.close(reader)


def test_a_record_that_has_no_end_is_refused(gate: Gate):
    most = 3 << 20
    with open("/dev/zero", "rb") as endless:
        lines = Lines(endless.fileno(), gate, longest=most)
        with pytest.raises(
            PenstockError, match="/dev/zero: a record longer than 3 MiB"
        ):
            lines.next()


@pytest.mark.parametrize("longest", [1 << 20, (1 << 20) + 4097])
def test_records_are_long_by_themselves_and_not_together(gate: Gate, longest: int):
    data = b"\n".join([b"x" * longest] * 3)
    descriptor = os.memfd_create("input")
    try:
        os.write(descriptor, data)
        os.lseek(descriptor, 0, os.SEEK_SET)
        found = all_of(Lines(descriptor, gate, longest=longest))
    finally:
        os.close(descriptor)
    assert [len(value) for (value,) in found] == [longest] * 3


def test_a_quote_that_is_never_closed_takes_no_memory_without_end():
    lines = Given(["a,b", 'c,"d', *["e" * 100] * 20])
    records = CsvRecords(lines, longest=1000)
    assert records.next() == ("a", "b")
    with pytest.raises(UsageError, match="line 2 of the input is not closed"):
        records.next()


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


def numbered(sizes: list[int]) -> list[Source]:
    """Sources of so many values, each of which tells whose it is, and which."""
    return [Given([f"{at}{n}" for n in range(size)]) for at, size in enumerate(sizes)]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_zipped_there_are_as_many_as_in_the_shortest(sizes):
    expected = [
        tuple(f"{at}{n}" for at in range(len(sizes))) for n in range(min(sizes))
    ]
    source = Zipped(numbered(sizes))
    assert source.outlook == (min(sizes), True)
    assert all_of(source) == expected


def test_zipped_what_came_waits_for_the_rest(gate):
    reader, writer = os.pipe()
    source = Zipped([given_("a b c"), Lines(reader, gate)])
    assert (source.next(), source.outlook) == (None, (0, False))
    os.write(writer, b"1\n2\n")
    assert [source.next(), source.next()] == [("a", "1"), ("b", "2")]
    assert source.next() is None
    assert not source.is_over
    os.close(writer)
    assert all_of(source) == []
    os.close(reader)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4))
def test_side_by_side_there_are_as_many_as_in_the_longest(sizes):
    sources = numbered(sizes)
    expected = [
        tuple(f"{at}{n % size}" for at, size in enumerate(sizes))
        for n in range(max(sizes) if all(sizes) else 0)
    ]
    assert all_of(Linked(sources)) == expected


class Endless:
    is_over = False
    outlook = Outlook(0, is_all=False)

    def next(self) -> tuple[str, ...]:
        return ("y",)


@pytest.mark.parametrize("is_first", [True, False])
def test_the_longest_of_those_side_by_side_takes_no_memory(is_first):
    sources: list[Source] = [Endless(), given_("a b")]
    linked = Linked(sources if is_first else sources[::-1])
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(10_000):
        assert linked.next() is not None
    assert len(gc.get_objects()) < before + 1000


def test_combinations_take_no_memory_before_their_turn():
    hundred = [str(n) for n in range(100)]
    product = Product(Given([*hundred]), [Given([*hundred]) for _ in range(9)])
    assert product.next() == ("0",) * 10
    assert product.next() == (*("0",) * 9, "1")
    assert not product.is_over


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


def test_how_many_are_to_come_is_known_as_far_as_was_read(gate):
    reader, writer = os.pipe()
    lines = Lines(reader, gate)
    assert lines.outlook == (0, False)
    os.write(writer, b"1\n2\n3\n")
    lines.next()
    assert lines.outlook == (2, False)
    os.write(writer, b"4\n")
    os.close(writer)
    for left in (1, 0):
        lines.next()
        assert lines.outlook == (left, False)
    lines.next()
    assert lines.outlook == (0, True)
    os.close(reader)


def test_the_end_of_a_short_input_is_seen_with_its_lines():
    descriptor = os.memfd_create("input")
    gate = Gate()
    os.write(descriptor, b"1\n2\n3")
    os.lseek(descriptor, 0, os.SEEK_SET)
    lines = Lines(descriptor, gate)
    lines.next()
    assert lines.outlook == (2, True)
    gate.close()
    os.close(descriptor)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=3),
    st.sampled_from(["product", "longest"]),
    st.sampled_from([None, "kept", "left out"]),
    st.integers(1, 3),
)
def test_the_outlook_on_values_that_are_given_is_right_at_any_time(
    sizes, how, change, most
):
    sources: list[Source] = [Given([*"abcd"[:size]]) for size in sizes]
    if change is not None:
        keeps = change == "kept"

        def change_it(record: tuple[str, ...]) -> tuple[str, ...] | None:
            return record if keeps or record != ("b",) else None

        sources[0] = Changed(sources[0], change_it, keeps_all=keeps)
    if how == "product":
        source: Source = Product(sources[0], sources[1:])
    else:
        source = Linked(sources)
    batches = Batches(source, most)
    looks = [batches.outlook]
    while batches.next() is not None:
        looks.append(batches.outlook)
    for left, look in enumerate(reversed(looks)):
        if look.is_all:
            assert look.known == left
        else:
            assert look.known <= left
    assert batches.outlook == (0, True)
    assert all(look.is_all for look in looks) or change == "left out"

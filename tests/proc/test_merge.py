from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.model.link import Framing
from penstock.proc.merge import merge
from penstock.proc.meter import Meter
from penstock.proc.pipes import open_pipe
from penstock.proc.records import CutShortError
from tests.proc.relays import closing, drain, feed, threads


def merged(streams: Sequence[Sequence[bytes]], framing: Framing = "lines") -> bytes:
    """What comes of several streams, each given in chunks."""
    pipes = [open_pipe() for _ in streams]
    sources = tuple(reader for reader, _ in pipes)
    reader, target = open_pipe()
    with threads() as pool:
        done = pool.submit(merge, sources, target, framing, Meter(len(streams)))
        closing(done, target, *sources)
        for (_, writer), chunks in zip(pipes, streams, strict=True):
            pool.submit(feed, writer, chunks)
        got = pool.submit(drain, reader).result()
        done.result()
        return got


LINES = st.lists(st.binary(max_size=50).map(lambda line: line.replace(b"\n", b"")))


@settings(max_examples=50)
@given(st.lists(LINES, min_size=1, max_size=4), st.integers(1, 40))
def test_every_line_comes_whole_and_in_the_order_of_its_source(
    sources: list[list[bytes]], size: int
):
    texts = [
        b"".join(b"%d %s\n" % (number, line) for line in lines)
        for number, lines in enumerate(sources)
    ]
    streams = [[t[i : i + size] for i in range(0, len(t), size)] for t in texts]
    got = merged(streams).split(b"\n")
    for number, text in enumerate(texts):
        prefix = b"%d " % number
        own = [line + b"\n" for line in got if line.startswith(prefix)]
        assert b"".join(own) == text
    assert Counter(b"\n".join(got)) == Counter(b"".join(texts))


def test_a_last_line_without_newline_is_given_one():
    got = merged([[b"one"], [b"two"], []])
    assert sorted(got.splitlines(keepends=True)) == [b"one\n", b"two\n"]


def test_lines_longer_than_what_is_held_are_not_mixed():
    long = [[byte * 300_000, byte * 300_000 + b"\n"] * 5 for byte in (b"a", b"b", b"c")]
    got = merged(long).splitlines()
    assert Counter(got) == Counter([byte * 600_000 for byte in (b"a", b"b", b"c")] * 5)


def test_records_may_end_with_nul_or_begin_with_their_length():
    assert sorted(merged([[b"a\nb\0"], [b"c\0d"]], "nul").split(b"\0")) == [
        b"",
        b"a\nb",
        b"c",
        b"d",
    ]
    record = (200_000).to_bytes(4, "big") + b"\n" * 200_000
    assert merged([[record[:2], record[2:]], [record]], "length") == record * 2


def test_a_record_that_is_cut_short_is_an_error_once_the_others_have_ended():
    with pytest.raises(CutShortError):
        merged([[b"\0\0\0\x05ab"], [b"\0\0\0\x01x"]], "length")


def test_that_nobody_reads_is_noticed_while_all_sources_are_silent():
    pipes = [open_pipe(), open_pipe()]
    reader, target = open_pipe()
    with threads() as pool:
        sources = tuple(source for source, _ in pipes)
        done = pool.submit(merge, sources, target, "lines", Meter(2))
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            done.result()
    for descriptor in (target, *(end for pipe in pipes for end in pipe)):
        os.close(descriptor)

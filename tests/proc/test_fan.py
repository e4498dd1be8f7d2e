from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from concurrent.futures import Future

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.proc.fan import Readers, by_copy, fan_out
from penstock.proc.meter import Meter
from penstock.proc.pipes import open_pipe
from tests.proc.relays import closing, drain, feed, threads

BY_REFERENCE, BY_COPY = "tee", "copy"
EACH_WAY = pytest.mark.parametrize("way", [BY_REFERENCE, BY_COPY])


@pytest.fixture(autouse=True)
def _pipes_may_break():
    assert signal.getsignal(signal.SIGPIPE) is signal.SIG_IGN


def fan(
    way: str,
    chunks: Sequence[bytes],
    limits: Sequence[int | None],
    stops: tuple[bool, ...] = (),
) -> tuple[list[bytes], bool, Meter]:
    """What each reader got, whether all was taken, and the figures.

    Args:
        way: how it is done.
        chunks: what is written.
        limits: how much each reader reads, None for all.
        stops: of each reader; none if not given.
    """
    source, feeder = open_pipe()
    pipes = [open_pipe() for _ in limits]
    targets = tuple(writer for _, writer in pipes)
    meter = Meter(len(pipes))
    ends = stops or (False,) * len(pipes)
    with threads() as pool:
        done: Future[None]
        if way == BY_REFERENCE:
            done = pool.submit(fan_out, source, targets, ends, meter)
        else:
            readers = Readers(targets, ends)
            done = pool.submit(by_copy, source, readers, meter)
        closing(done, source)
        fed = pool.submit(feed, feeder, chunks)
        got = [
            pool.submit(drain, reader, limit)
            for (reader, _), limit in zip(pipes, limits, strict=True)
        ]
        done.result()
        for target in targets:  # those of readers that are gone are closed already
            try:
                os.close(target)
            except OSError:
                continue
        return [each.result() for each in got], fed.result(), meter


@EACH_WAY
@settings(max_examples=30)
@given(chunks=st.lists(st.binary(max_size=9000)), readers=st.integers(1, 4))
def test_every_reader_gets_all_of_it(way: str, chunks: list[bytes], readers: int):
    got, was_taken, meter = fan(way, chunks, [None] * readers)
    assert got == [b"".join(chunks)] * readers
    assert was_taken
    size = sum(map(len, chunks))
    assert [meter.moved_bytes(entry) for entry in range(readers + 1)] == [size] * (
        readers + 1
    )


@EACH_WAY
def test_more_than_all_pipes_hold_arrives_unchanged(way: str):
    chunks = [os.urandom(1 << 16) for _ in range(100)]
    got, was_taken, _ = fan(way, chunks, [None, None, None])
    assert all(each == b"".join(chunks) for each in got)
    assert was_taken


@EACH_WAY
def test_who_reads_no_more_is_dropped_and_the_others_go_on(way: str):
    chunks = [b"x" * (1 << 16)] * 100
    got, was_taken, _ = fan(way, chunks, [10, None, 0])
    assert [len(each) for each in got] == [10, 100 << 16, 0]
    assert was_taken


@EACH_WAY
def test_when_all_are_gone_the_source_is_told(way: str):
    _, was_taken, _ = fan(way, [b"x" * (1 << 16)] * 100, [1, 1])
    assert not was_taken


@EACH_WAY
def test_one_may_end_it_for_all(way: str):
    chunks = [b"x" * (1 << 16)] * 200
    got, was_taken, _ = fan(way, chunks, [1, None], stops=(True, False))
    assert not was_taken
    assert len(got[1]) < 200 << 16


@EACH_WAY
def test_that_all_are_gone_is_noticed_while_the_source_is_silent(way: str):
    source, silent = open_pipe()
    reader, target = open_pipe()
    meter = Meter(1)
    with threads() as pool:
        run = fan_out if way == BY_REFERENCE else None
        if run is not None:
            done = pool.submit(run, source, (target,), (False,), meter)
        else:
            done = pool.submit(by_copy, source, Readers((target,), (False,)), meter)
        os.close(reader)
        done.result()
    for descriptor in (source, silent):
        os.close(descriptor)

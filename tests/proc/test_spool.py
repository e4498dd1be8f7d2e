from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.proc import scratch
from penstock.proc.meter import Meter
from penstock.proc.pipes import open_pipe
from penstock.proc.spool import spool
from tests.proc.relays import closing, drain, feed, threads


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=5000)), st.integers(1, 3000))
def test_all_comes_through_whatever_the_quota(chunks: list[bytes], quota: int):
    source, writer = open_pipe()
    reader, target = open_pipe()
    with threads() as pool:
        done = pool.submit(spool, source, target, quota, Meter(1))
        closing(done, source, target)
        fed = pool.submit(feed, writer, chunks)
        assert pool.submit(drain, reader).result() == b"".join(chunks)
        assert fed.result()
        done.result()


def test_the_writer_need_not_wait_for_the_reader_as_far_as_the_quota_goes():
    data = os.urandom(5 << 20)
    source, writer = open_pipe()
    reader, target = open_pipe()
    with threads() as pool:
        done = pool.submit(spool, source, target, 4 << 20, Meter(1))
        closing(done, source, target)
        assert pool.submit(feed, writer, [data]).result(), "with nobody reading yet"
        assert pool.submit(drain, reader).result() == data
        done.result()


@pytest.mark.parametrize("tmpdir", ["/nonexistent", "relative"])
def test_where_no_file_can_be_made_the_place_is_named(
    monkeypatch: pytest.MonkeyPatch, tmpdir: str
):
    monkeypatch.setenv("TMPDIR", tmpdir)
    monkeypatch.setattr(scratch, "_DEFAULT", "/nonexistent")
    source, writer = open_pipe()
    reader, target = open_pipe()
    with threads() as pool:
        done = pool.submit(spool, source, target, 4 << 20, Meter(1))
        closing(done, source, target)
        fed = pool.submit(feed, writer, [bytes(5 << 20)])
        with pytest.raises(FileNotFoundError, match=r"made in /nonexistent: .*TMPDIR"):
            done.result()
        assert not fed.result()
    os.close(reader)


def test_a_full_quota_makes_the_writer_wait():
    source, writer = open_pipe()
    reader, target = open_pipe()
    written = threading.Event()

    def write() -> bool:
        try:
            return feed(writer, [bytes(8 << 20)])
        finally:
            written.set()

    with threads() as pool:
        done = pool.submit(spool, source, target, 1 << 20, Meter(1))
        closing(done, source, target)
        fed = pool.submit(write)
        assert not written.wait(0.2)
        assert len(pool.submit(drain, reader).result()) == 8 << 20
        assert fed.result()
        done.result()


def test_that_nobody_reads_is_noticed_while_the_source_is_silent():
    source, writer = open_pipe()
    reader, target = open_pipe()
    with threads() as pool:
        done = pool.submit(spool, source, target, 100, Meter(1))
        os.close(reader)
        with pytest.raises(BrokenPipeError):
            done.result()
    for descriptor in (source, writer, target):
        os.close(descriptor)


def test_the_file_has_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    source, writer = open_pipe()
    reader, target = open_pipe()
    with threads() as pool:
        done = pool.submit(spool, source, target, 4 << 20, Meter(1))
        closing(done, source, target)
        pool.submit(feed, writer, [bytes(3 << 20)]).result()
        assert not os.listdir(tmp_path)
        pool.submit(drain, reader).result()
        done.result()

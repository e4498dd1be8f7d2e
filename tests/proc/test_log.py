from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from penstock.model.stream import Log
from penstock.proc.log import LogPump


@contextmanager
def pumped(log: Log, *chunks: bytes) -> Iterator[LogPump]:
    """A pump that has taken in all of `chunks`, and then end-of-file."""
    with closing(LogPump(log)) as pump:
        for chunk in chunks:
            os.write(pump.writer, chunk)
            pump.pump()
        pump.drop_writer()
        while pump.is_open:
            pump.pump()
        yield pump


def test_the_file_holds_every_byte_and_the_tail_the_last(tmp_path: Path):
    path = tmp_path / "log"
    with pumped(Log(str(path), 4), b"\0\xff\r\n", b"end") as pump:
        assert path.read_bytes() == b"\0\xff\r\nend"
        assert (pump.tail, pump.error) == (b"\nend", None)


def test_what_is_longer_than_the_tail_is_cut_at_the_front():
    with pumped(Log(None, 10), b"x" * 60_000, b"y" * 60_000, b"z") as pump:
        assert pump.tail == b"y" * 9 + b"z"


def test_a_tail_of_no_bytes_is_empty():
    with pumped(Log(None, 0), b"x" * 60_000, b"y") as pump:
        assert pump.tail == b""


def test_a_command_that_says_nothing_has_no_log_file(tmp_path: Path):
    with pumped(Log(f"{tmp_path}/log")) as pump:
        assert (pump.tail, pump.error) == (b"", None)
    assert not (tmp_path / "log").exists()


def test_an_older_log_is_overwritten(tmp_path: Path):
    path = tmp_path / "log"
    path.write_text("an older and longer log")
    with pumped(Log(str(path)), b"new"):
        assert path.read_bytes() == b"new"


def test_nothing_to_read_is_not_the_end():
    with closing(LogPump(Log(None))) as pump:
        pump.pump()
        assert pump.is_open


def test_it_may_be_closed_twice():
    pump = LogPump(Log(None))
    pump.close()
    pump.close()


def log_paths(tmp_path: Path) -> dict[str, str]:
    os.mkfifo(tmp_path / "fifo")
    return {
        "disk full": "/dev/full",
        "a directory": str(tmp_path),
        "no directory": f"{tmp_path}/none/log",
        "a FIFO that nobody reads": f"{tmp_path}/fifo",
        "a NUL": f"{tmp_path}/a\0b",
    }


@pytest.mark.parametrize(
    "what",
    ["disk full", "a directory", "no directory", "a FIFO that nobody reads", "a NUL"],
)
def test_a_log_that_cannot_be_written_is_noted_and_read_on(tmp_path: Path, what: str):
    path = log_paths(tmp_path)[what]
    with pumped(Log(path, 8), b"first", b"second" * 10_000, b"last") as pump:
        assert pump.error is not None
        assert tmp_path.name in pump.error or "/dev/full" in pump.error
        assert pump.tail == b"condlast"


def test_a_fifo_that_is_full_costs_the_log_and_blocks_nobody(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    with pumped(Log(f"{tmp_path}/fifo", 4), *[b"x" * 50_000] * 10, b"last") as pump:
        assert (pump.tail, pump.error is None) == (b"last", False)
    os.close(reader)

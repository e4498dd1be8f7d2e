"""What penstock prints itself, into a pipe that takes no more for now (O_NONBLOCK)."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

import pytest

from tests.commands import PATIENCE, wait_until

PAGE = 4096  # bytes: the smallest pipe

LINES = [
    ("map", "--dry-run", "echo", "some words for {}", ":::", *map(str, range(2000))),
    ("graph",),
    ("run", "-n"),
    ("why",),
    ("schema",),
    ("map", "--help"),
]


class Stuck(NamedTuple):
    """A program that has filled the pipe that it prints to, and the end to read."""

    process: subprocess.Popen[bytes]
    reader: BinaryIO


@contextmanager
def stuck(penstock_cli, *line: str) -> Iterator[Stuck]:
    """Start it, and wait until the pipe is full."""
    descriptor, writer = os.pipe()
    os.set_blocking(writer, False)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE)
    with open(descriptor, "rb") as reader:
        with open(writer, "wb") as ours:
            process = subprocess.Popen(
                [penstock_cli.program, *line],
                cwd=penstock_cli.cwd,
                stdin=subprocess.DEVNULL,
                stdout=ours,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            wait_until(lambda: _is_full(writer) or process.poll() is not None)
        with process:
            yield Stuck(process, reader)


def _is_full(writer: int) -> bool:
    return not select.select([], [writer], [], 0)[1]


@pytest.fixture(autouse=True)
def _many_jobs(tmp_path):
    jobs = "".join(f"  j{n}: {{run: echo {n}, stdout: o{n}}}\n" for n in range(500))
    (tmp_path / "penstock.yaml").write_text(f"jobs:\n{jobs}")


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES, ids=lambda line: " ".join(line[:2]))
def test_it_waits_for_who_reads(penstock_cli, line):
    whole = penstock_cli(*line)
    with stuck(penstock_cli, *line) as it:
        out = it.reader.read()
        _, err = it.process.communicate(timeout=PATIENCE)
    assert len(out) > PAGE
    assert (it.process.returncode, out, err) == (0, whole.out, b"")


@pytest.mark.slow
@pytest.mark.parametrize("line", [LINES[0], LINES[1]])
def test_ctrl_c_ends_the_wait(penstock_cli, line):
    with stuck(penstock_cli, *line) as it:
        it.process.send_signal(signal.SIGINT)
        assert it.process.wait(PATIENCE) == -signal.SIGINT


@pytest.mark.slow
@pytest.mark.parametrize("line", [LINES[0], LINES[1]])
def test_a_reader_that_goes_away_ends_the_wait(penstock_cli, line):
    with stuck(penstock_cli, *line) as it:
        it.reader.close()
        _, err = it.process.communicate(timeout=PATIENCE)
    assert (it.process.returncode, err) == (128 + signal.SIGPIPE, b"")

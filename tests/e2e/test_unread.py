"""Whoever should read our standard output has it open, and does not read."""

from __future__ import annotations

import fcntl
import signal
import sys
import termios
from typing import IO

import pytest

from tests.commands import PATIENCE, alive, wait_until

FULL = 60_000  # bytes, about

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mode", ["group", "live", "line"])
def test_a_signal_ends_a_run_that_nobody_reads(penstock_cli, tmp_path, marker, mode):
    text = "jobs: {a: {run: head -c 9M /dev/zero; touch go; sleep 1000}}"
    (tmp_path / "penstock.yaml").write_text(text)
    with penstock_cli.start("run", "--output", mode) as process:
        if mode == "group":  # the others wait for their reader
            wait_until((tmp_path / "go").exists)
        else:
            wait_until(lambda: _unread(process.stdout) > FULL)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    assert alive(marker) == []


def test_the_deadline_of_a_run_does_not_wait_for_a_reader(
    penstock_cli, tmp_path, marker
):
    text = """
jobs:
  a: {run: head -c 9M /dev/zero}
  b: {run: sleep 1000}
"""
    (tmp_path / "penstock.yaml").write_text(text)
    with penstock_cli.start("run", "-j2", "--deadline", "1") as process:
        assert process.wait(PATIENCE) == 124
    assert alive(marker) == []


def _unread(pipe: IO[bytes] | None) -> int:
    """How many bytes wait in it."""
    assert pipe is not None
    size = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int.from_bytes(size, sys.byteorder)


def test_what_waited_for_another_job_is_not_waited_for(penstock_cli, tmp_path, marker):
    text = """
[ {} = 1 ] || { head -c 300000 /dev/zero; : > two; exit; }
until [ -e two ]; do sleep 0.01; done
: > failed; exit 1
"""
    line = ("map", "-k", "-j2", "--retries", "2", "--delay", "2", text, ":::", "1", "2")
    with penstock_cli.start(*line) as process:
        wait_until((tmp_path / "failed").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    assert alive(marker) == []

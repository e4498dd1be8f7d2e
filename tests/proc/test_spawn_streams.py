from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.model.command import Command
from penstock.proc.spawn import Streams, spawn


@pytest.fixture
def output(tmp_path: Path) -> Iterator[int]:
    """A file that cannot be told from descriptors 0, 1 and 2 by its number."""
    with open(tmp_path / "output", "w+b", buffering=0) as file:
        yield file.fileno()


def told(output: int) -> str:
    return os.pread(output, 1 << 16, 0).decode()


def sh(text: str) -> Command:
    return Command(("sh", "-c", text), text)


ECHO = sh("echo out; echo err >&2")
LIST = sh("ls /proc/$$/fd")
# A process of its own, where other streams are in the places of 0, 1 and 2.
START = """
from penstock.proc.spawn import Streams, spawn
from tests.proc.test_spawn_streams import ECHO, LIST
"""


def test_streams_are_put_in_their_places(output: int):
    streams = Streams(0, output, output)
    assert spawn(ECHO, "/bin/sh", streams).wait() == 0
    assert told(output) == "out\nerr\n"


def test_streams_can_be_crossed():
    run = "spawn(ECHO, '/bin/sh', Streams(0, 2, 1)).wait()"
    done = subprocess.run(
        [sys.executable, "-c", START + run], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("err\n", "out\n")


def test_what_python_ignores_a_command_does_not(output: int):
    streams = Streams(0, output, 2)
    spawned = spawn(sh("grep ^SigIgn /proc/self/status"), "/bin/sh", streams)
    assert spawned.wait() == 0
    ignored = int(told(output).split()[1], 16)
    assert ignored & (1 << 12 | 1 << 24) == 0  # SIGPIPE (13) and SIGXFSZ (25)


def test_what_we_were_started_with_is_not_inherited():
    run = "spawn(LIST, '/bin/sh', Streams(0, 1, 2)).wait()"
    with open(os.devnull, "rb") as device:
        out = subprocess.check_output(
            [sys.executable, "-c", START + run],
            pass_fds=(device.fileno(),),
            text=True,
        )
    assert out.split() == ["0", "1", "2"]

"""Standard descriptors that are closed at the start are taken before anything else."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

import pytest

from penstock.proc.stdio import occupy_stdio

# Opens a file after the call, and tells its number and what reading and writing says.
PROBE = """
import os, sys
from penstock.proc.stdio import occupy_stdio
report = int(sys.argv[1])
occupy_stdio()
opened = os.open("/dev/null", os.O_RDWR)
def failure(act, *args):
    try:
        act(*args)
    except OSError as error:
        return error.strerror
    return "fine"
said = [str(opened > 2), failure(os.read, 0, 1)]
said += [failure(os.write, number, b"") for number in (1, 2)]
said += [str(os.get_inheritable(number)) for number in range(3)]
os.write(report, "|".join(said).encode())
"""

CHOICES = [c for n in range(4) for c in itertools.combinations(range(3), n)]


def shell_with_closed(numbers: tuple[int, ...], report: int) -> list[str]:
    """A shell that starts the probe with those descriptors closed."""
    closing = " ".join(f"{n}<&-" for n in numbers)
    line = f'exec "$@" {closing}'
    return ["sh", "-c", line, "sh", sys.executable, "-c", PROBE, str(report)]


@pytest.mark.parametrize("closed", CHOICES, ids=str)
def test_what_was_closed_is_taken_and_still_fails_as_if_closed(closed):
    reader, writer = os.pipe()
    try:
        subprocess.run(
            shell_with_closed(closed, writer),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writer],
            check=True,
        )
        os.close(writer)
        writer = -1
        said = os.read(reader, 1000).decode().split("|")
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)
    expected = ["Bad file descriptor" if n in closed else "fine" for n in range(3)]
    assert said == ["True", *expected, "True", "True", "True"]


def test_what_is_open_is_left_alone():
    before = [os.fstat(number) for number in range(3)]
    occupy_stdio()
    assert [os.fstat(number) for number in range(3)] == before

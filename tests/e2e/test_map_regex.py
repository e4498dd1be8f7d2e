"""Regular expressions that never come to an end: Ctrl-C still does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.commands import PATIENCE, alive, wait_until

ENDLESS = "(a+)+$"
ROW = b"a" * 64 + b"!"


def has_computed(pid: int) -> bool:
    """Whether the process has used half a second of a CPU: more than it starts with."""
    text = Path(f"/proc/{pid}/stat").read_text()
    user = int(text.rpartition(")")[2].split()[11])
    return user > 0.5 * os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("line", "data"),
    [
        (("-C", ENDLESS, "sleep 1000"), b"a\n" + ROW),
        (("-n2", "-C", ENDLESS, "sleep 1000"), b"a\nb\nc\n" + ROW),
        (("--dry-run", "-C", ENDLESS, "sleep 1000"), ROW),
        (("-C", ENDLESS, "--header", ":", "sleep 1000"), ROW),
        (("-C", "x*y", "sleep 1000"), b"a\n" + b"x" * 10_000_000),
        (("--pipe", "--block=32", "--regexp", "--recend", ENDLESS, "sleep 1000"), ROW),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else None,
)
def test_ctrl_c_ends_it_and_leaves_nothing(penstock_cli, number, line, data):
    with penstock_cli.start("map", "-j2", *line) as process:
        process.stdin.write(data)
        process.stdin.close()
        wait_until(lambda: has_computed(process.pid), 4 * PATIENCE)
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number
        wait_until(lambda: not alive(penstock_cli.marker))

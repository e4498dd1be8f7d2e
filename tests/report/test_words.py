from __future__ import annotations

import pytest

from penstock.model.outcome import (
    Cancelled,
    Ending,
    Exited,
    Lost,
    NotStarted,
    OutOfMemory,
    Signaled,
    TimedOut,
)
from penstock.report.words import describe_ending, duration, plural, size
from tests.report.examples import KILL, LATE, TERM


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Exited(3), "exited with 3"),
        (Signaled(9, core=False), "killed by SIGKILL"),
        (Signaled(11, core=True), "killed by SIGSEGV, core dumped"),
        (LATE, "timed out after 30s, killed by SIGKILL after 5s of grace"),
        (
            TimedOut(30.0, "command", TERM, escalated=False),
            "timed out after 30s, killed by SIGTERM",
        ),
        (
            TimedOut(90.0, "job", Exited(0), escalated=False),
            "timed out after 1m30s, the timeout of the job, exited with 0",
        ),
        (
            TimedOut(1.0, "command", None, escalated=True),
            "timed out after 1s, and could not be ended",
        ),
        (
            Cancelled("job x failed", TERM, escalated=False),
            "cancelled: job x failed, killed by SIGTERM",
        ),
        (
            Cancelled("job x failed", KILL, escalated=True),
            "cancelled: job x failed, killed by SIGKILL",
        ),
        (
            TimedOut(90.0, "idle", TERM, escalated=False),
            "timed out, having said nothing for 1m30s, killed by SIGTERM",
        ),
        (
            TimedOut(90.0, "run", TERM, escalated=False),
            "timed out: the run was to take 1m30s at most, killed by SIGTERM",
        ),
        (
            OutOfMemory(64 << 20, 65 << 20, KILL),
            "held 65 MiB of memory, of 64 MiB that it may; killed",
        ),
        (NotStarted(2, "nope: not found", "command"), "not started: nope: not found"),
        (Lost("its worker was killed"), "lost: its worker was killed"),
    ],
)
def test_how_an_ending_is_told(ending: Ending, words: str):
    assert describe_ending(ending, grace=5.0) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0s"),
        (0.004, "4ms"),
        (0.1, "0.1s"),
        (0.406, "0.41s"),
        (1.0, "1s"),
        (12.34, "12.3s"),
        (30.0, "30s"),
        (59.94, "59.9s"),
        (59.96, "1m"),
        (60.0, "1m"),
        (90.0, "1m30s"),
        (3599.7, "1h"),
        (3600.0, "1h"),
        (5400.0, "1h30m"),
        (5399.0, "1h29m"),
        (100 * 3600.0, "100h"),
    ],
)
def test_times_are_written_as_in_a_definition(seconds: float, words: str):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (34 << 20, "34 MiB"),
        (3 << 30, "3 GiB"),
        (5 << 40, "5.0 TiB"),
    ],
)
def test_sizes(amount: int, words: str):
    assert size(amount) == words


def test_one_is_singular_and_none_is_plural():
    assert [plural(n, "job") for n in (0, 1, 2)] == ["0 jobs", "1 job", "2 jobs"]

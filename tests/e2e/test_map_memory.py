"""The memory of all processes of `penstock map`, after few jobs and after many."""

from __future__ import annotations

import subprocess
from typing import BinaryIO

import pytest

from tests.commands import children, memory_of, wait_until

FIRST = 3_000  # jobs, after which all is loaded, and every cache is filled
GROWTH_BYTES = 64  # a job: less than a name that is kept takes
SLACK_BYTES = 1 << 20  # pages that are touched late
MODES = [
    ("--tag", "--retries=2", "true"),
    ("--tag", "--line-buffer", "--timeout=999999%", "--stdin", "cat"),
]


def private(pid: int) -> int:
    """The bytes that a process and all below it have for themselves."""
    pids = (pid, *(found.pid for found in children(pid)))
    return sum(memory_of(each, "Private_Dirty") for each in pids)


class Records:
    """Counts the lines of a file while it grows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._count = 0

    def are(self, number: int) -> bool:
        """Whether there are so many by now."""
        self._count += self._file.read().count(b"\n")
        return self._count >= number


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("mode", MODES, ids=" ".join)
@pytest.mark.parametrize(
    "jobs",
    [
        pytest.param(8_000, marks=pytest.mark.slow),
        pytest.param(60_000, marks=pytest.mark.long),
    ],
)
def test_it_does_not_grow_with_the_jobs(penstock_cli, tmp_path, jobs, mode):
    log = tmp_path / "log"
    line = [penstock_cli.program, "map", "-j2", "--joblog", log, *mode]
    held: list[int] = []
    with subprocess.Popen(
        line, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=tmp_path
    ) as process:
        assert process.stdin is not None
        wait_until(log.exists)
        given = 0
        with log.open("rb") as file:
            records = Records(file)
            for number in (FIRST, jobs):
                process.stdin.write(b"y\n" * (number - given))
                process.stdin.flush()
                wait_until(lambda: records.are(number + 1), 500)  # noqa: B023 (at once)
                held.append(private(process.pid))
                given = number
        process.stdin.close()
        assert process.wait(60) == 0
    assert held[1] - held[0] < SLACK_BYTES + GROWTH_BYTES * (jobs - FIRST), held

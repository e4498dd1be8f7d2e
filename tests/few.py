"""A control group in which there can be only a few processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import wait_until

PIDS = Path("/sys/fs/cgroup/pids")


class Few:
    """A cgroup of version 1 in which there can be only so many processes."""

    def __init__(self, name: str) -> None:
        self._directory = PIDS / f"penstock-{name}"
        self._directory.mkdir()

    def admit(self, *pids: int) -> None:
        for pid in pids:
            (self._directory / "cgroup.procs").write_text(str(pid))

    def entering(self) -> list[str]:
        """What lets the command that follows run in it."""
        enter = f"echo 0 > {self._directory}/cgroup.procs"
        return ["/bin/sh", "-c", f'{enter}; exec "$@"', "sh"]

    def allow(self, most: str) -> None:
        (self._directory / "pids.max").write_text(most)

    def refusals(self) -> int:
        """How often there was no room."""
        return int((self._directory / "pids.events").read_text().split()[1])

    def close(self) -> None:
        wait_until(lambda: not (self._directory / "cgroup.procs").read_text())
        self._directory.rmdir()


def few_processes(name: str) -> Iterator[Few]:
    """For a fixture, which gives it a name; the test is skipped where there is none."""
    if not os.access(PIDS, os.W_OK) or not (PIDS / "cgroup.procs").exists():
        pytest.skip("needs to be root, and the pids controller of cgroup v1")
    made = Few(name)
    yield made
    made.close()

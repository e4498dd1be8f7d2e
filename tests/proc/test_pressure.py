from __future__ import annotations

from pathlib import Path

from penstock.executor.fake import FakeExecutor
from penstock.proc.pressure import Bounds, Pressure


def test_a_start_waits_while_too_much_runs_or_memory_is_scarce(tmp_path: Path):
    clock = FakeExecutor().clock
    (tmp_path / "loadavg").write_text("0.00 0.01 0.05 3/345 999\n")
    (tmp_path / "meminfo").write_text("MemFree: 1 kB\nMemAvailable: 2048 kB\n")

    def pause(load: float | None, memory: int | None) -> float:
        return Pressure(Bounds(load, memory), clock, str(tmp_path)).pause()

    assert pause(3, None) == 0.0
    assert pause(2, None) > 0.0
    assert pause(None, 2048 * 1024) == 0.0
    assert pause(None, 2048 * 1024 + 1) > 0.0


def test_what_was_just_started_is_given_time_to_show(tmp_path: Path):
    (tmp_path / "loadavg").write_text("0.00 0.01 0.05 1/345 999\n")
    pressure = Pressure(Bounds(5), FakeExecutor().clock, str(tmp_path))
    assert pressure.pause() == 0.0
    assert pressure.pause() > 0.0

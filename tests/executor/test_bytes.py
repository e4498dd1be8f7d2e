"""P11 and P13: bytes are bytes, and no output is half-written."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from penstock.executor.pool import Pool
from penstock.model.stream import Input, Log, Output
from tests.commands import flood, sh, slow_reader
from tests.executor.jobs import job, output_of, run, stage

ODD = bytes(range(256)) * 100 + b"\r\n\0\xff\xfe no newline at the end"


def output(path: Path) -> Output:
    return Output(str(path), str(path.with_name(f".{path.name}.partial")))


def copy(pool: Pool, tmp_path: Path, data: bytes, *between: list[str]) -> bytes:
    """What is left of `data` after a file, pipes through `between`, and a file."""
    (tmp_path / "in").write_bytes(data)
    stages = [stage(argv) for argv in (["cat"], *between, ["cat"])]
    stages[0] = stages[0]._replace(stdin=Input(f"{tmp_path}/in"))
    stages[-1] = stages[-1]._replace(stdout=output(tmp_path / "out"))
    assert run(pool, job(*stages)).ok
    return (tmp_path / "out").read_bytes()


def test_odd_bytes_pass_unchanged(pool: Pool, tmp_path: Path):
    assert copy(pool, tmp_path, ODD, ["cat"], ["cat"]) == ODD


def test_a_line_of_20_megabytes_passes_unchanged(pool: Pool, tmp_path: Path):
    line = os.urandom(1 << 20).replace(b"\n", b" ") * 20
    passed = copy(pool, tmp_path, line, ["cat"])
    assert hashlib.sha256(passed).digest() == hashlib.sha256(line).digest()


def test_a_slow_reader_gets_everything(pool: Pool):
    outcome = run(pool, job(stage(flood(3_000_000)), stage(slow_reader(3_000_000))))
    assert [each.ok for each in outcome.stages] == [True, True]


def test_odd_bytes_on_stderr_come_unchanged(pool: Pool, tmp_path: Path):
    (tmp_path / "in").write_bytes(ODD)
    log = Log(f"{tmp_path}/log", 100)
    (seen,) = run(pool, job(stage(sh(f"cat {tmp_path}/in >&2"), stderr=log))).stages
    assert (tmp_path / "log").read_bytes() == ODD
    assert seen.tail == ODD[-100:]


def peak_of_worker(pool: Pool) -> int:
    """The most memory that the worker which runs a job has ever had, in KiB."""
    text = output_of(pool, stage(sh("grep VmHWM /proc/$PPID/status")))
    return int(text.split()[1])


@pytest.mark.parametrize("tail", [0, 8192])
def test_a_flood_on_stderr_blocks_nobody_and_is_not_kept_in_memory(tail: int):
    with Pool.open(1) as pool:
        before = peak_of_worker(pool)
        loud = stage(flood(50_000_000, number=2), stderr=Log(None, tail))
        outcome = run(pool, job(loud))
        after = peak_of_worker(pool)
    assert outcome.ok
    assert outcome.stages[0].tail == bytes(tail)
    assert after - before < 5_000


def test_a_log_file_gets_all_of_a_flood(pool: Pool, tmp_path: Path):
    loud = stage(flood(5_000_000, number=2), stderr=Log(f"{tmp_path}/log"))
    assert run(pool, job(loud)).ok
    assert (tmp_path / "log").stat().st_size == 5_000_000


def test_the_output_of_a_job_that_fails_never_appears(pool: Pool, tmp_path: Path):
    (tmp_path / "out").write_text("old")
    failing = stage(sh("echo half; exit 1"), stdout=output(tmp_path / "out"))
    assert run(pool, job(failing)).status == 1
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out").read_text() == "old"


def test_an_output_appears_only_if_every_stage_succeeded(pool: Pool, tmp_path: Path):
    writer = stage(["cat"], stdout=output(tmp_path / "out"))
    assert run(pool, job(stage(sh("echo half; exit 1")), writer)).status == 1
    assert os.listdir(tmp_path) == []


def test_an_output_does_not_appear_while_the_job_runs(pool: Pool, tmp_path: Path):
    looking = sh(f"echo x; ls -A {tmp_path} >&2")
    outcome = run(pool, job(stage(looking, stdout=output(tmp_path / "out"))))
    assert outcome.stages[0].tail == b".out.partial\n"
    assert os.listdir(tmp_path) == ["out"]


def test_an_output_that_cannot_be_named_makes_the_job_trouble(
    pool: Pool,
    tmp_path: Path,
):
    script = f"echo x; mkdir {tmp_path}/out"
    outcome = run(pool, job(stage(sh(script), stdout=output(tmp_path / "out"))))
    assert (outcome.ok, outcome.status) == (False, 125)
    assert "out" in (outcome.trouble or "")
    assert os.listdir(tmp_path) == ["out"]


def test_the_output_of_a_timeout_never_appears(pool: Pool, tmp_path: Path):
    late = stage(sh("echo half; exec sleep 1000"), timeout=0.1)
    late = late._replace(stdout=output(tmp_path / "out"))
    assert run(pool, job(late)).status == 124
    assert os.listdir(tmp_path) == []

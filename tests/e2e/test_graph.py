"""`stages` from the command line: the gallery's example, and what users are told."""

from __future__ import annotations

import gzip
import hashlib
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.commands import alive, kill_all, memory_of, wait_until
from tests.conftest import PenstockCli

TRAFFIC = Path(__file__).parents[2] / "pipelines" / "traffic.yaml"
REAL_LOG = os.environ.get("PENSTOCK_ACCESS_LOG", "")
MADE = [
    f"10.0.{i % 7}.1 - - [01/Jan/2024:00:00:00 +0000] "
    f'"GET /p{i % 5} HTTP/1.1" {200 + i % 3} {i % 1000}'
    for i in range(30_000)
]


def expected(lines: Sequence[str]) -> dict[str, str]:
    """What each output must hold, by Python."""
    fields = [line.split() for line in lines]
    sizes = [f[9] if len(f) > 9 else "" for f in fields]
    pairs = [(f[0], f[6] if len(f) > 6 else "") for f in fields]
    both = sorted({word for pair in pairs for word in pair}, key=os.fsencode)
    return {
        "bytes": f"{sum(int(size) for size in sizes if size.isdecimal())}\n",
        "hits": f"{len(lines)}\n",
        "pairs": "".join(f"{ip}\t{path}\n" for ip, path in pairs),
        "both": "".join(f"{word}\n" for word in both),
    }


def outputs(folder: Path, names: Sequence[str]) -> dict[str, str]:
    def text(name: str) -> str:
        return (
            (folder / f"build/traffic/{name}.txt").read_bytes().decode(errors="replace")
        )

    return {name: text(name) for name in names}


def test_every_output_of_the_traffic_job_is_right(
    penstock_cli: PenstockCli, tmp_path: Path
):
    log = tmp_path / "log.gz"
    log.write_bytes(gzip.compress("\n".join([*MADE, ""]).encode(), 1))
    done = penstock_cli("run", TRAFFIC, "--set", f"log={log}")
    assert done.status == 0, done
    right = expected(MADE)
    assert outputs(tmp_path, list(right)) == right


@pytest.mark.slow
@pytest.mark.skipif(not REAL_LOG, reason="PENSTOCK_ACCESS_LOG names no access log")
def test_every_output_is_right_for_a_real_log(
    penstock_cli: PenstockCli, tmp_path: Path
):
    done = penstock_cli("run", TRAFFIC, "--set", f"log={REAL_LOG}")
    assert done.status == 0, done
    opened = gzip.open if REAL_LOG.endswith(".gz") else open
    with opened(REAL_LOG, "rt", errors="replace", newline="\n") as log:
        right = expected([line.rstrip("\n") for line in log])
    assert outputs(tmp_path, list(right)) == right


def test_a_circle_is_refused_with_its_place(penstock_cli: PenstockCli, tmp_path: Path):
    (tmp_path / "penstock.yaml").write_text(
        "jobs:\n"
        "  j:\n"
        "    stages:\n"
        "      a: {run: touch ran, from: b}\n"
        "      b: {run: cat, from: a}\n"
    )
    done = penstock_cli("run")
    assert done.status == 2
    assert b"penstock.yaml:5:27: stages that wait for each other: " in done.err
    assert not (tmp_path / "ran").exists()


STUCK = """
jobs:
  j:
    stages:
      source: echo data
      late: {run: "touch started; sleep 1000; cat {{fifo.source}}"}
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_removes_every_fifo(
    penstock_cli: PenstockCli,
    tmp_path: Path,
    number: int,
):
    fifos = tmp_path / "tmp"
    fifos.mkdir()
    (tmp_path / "penstock.yaml").write_text(STUCK)
    with penstock_cli.start("run", env={"TMPDIR": str(fifos)}) as process:
        wait_until((tmp_path / "started").exists)
        (made,) = fifos.glob("penstock-*-fifo-*")
        assert made.stat().st_mode & 0o777 == 0o700
        (fifo,) = made.iterdir()
        assert fifo.is_fifo()
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == -number
    assert not list(fifos.iterdir())


def test_a_fifo_of_a_run_that_was_killed_with_all_its_layers_is_reaped(
    penstock_cli: PenstockCli, tmp_path: Path, marker: str
):
    fifos = tmp_path / "tmp"
    fifos.mkdir()
    (tmp_path / "penstock.yaml").write_text(STUCK)
    with penstock_cli.start("run", env={"TMPDIR": str(fifos)}) as process:
        wait_until((tmp_path / "started").exists)
        for found in alive(marker):  # nobody notices that another is gone
            with suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGSTOP)
        kill_all(marker)
        process.communicate(timeout=20)
    assert list(fifos.glob("penstock-*-fifo-*"))
    assert penstock_cli("reap", env={"TMPDIR": str(fifos)}).status in (0, 1)
    assert not list(fifos.glob("penstock-*-fifo-*"))


@pytest.mark.parametrize(
    ("stages", "status", "told"),
    [
        (
            's: yes\n      r: {run: "cat {{fifo.s}} {{fd.s}}"}',
            124,
            "s -> r (fifo.s): r waits to read",
        ),
        (
            "a: {run: read x, coproc: b}\n      b: read y",
            124,
            "b -> a: a waits to read",
        ),
        ('s: yes\n      r: {run: ": {{fifo.s}}; exit 3"}', 1, "never opened it"),
        (
            's: missing-program\n      r: {run: "cat {{fifo.s}}"}',
            1,
            "not found in PATH",
        ),
    ],
)
def test_what_goes_wrong_is_told_with_its_edge_and_soon(
    penstock_cli: PenstockCli, tmp_path: Path, stages: str, status: int, told: str
):
    (tmp_path / "penstock.yaml").write_text(
        f"jobs:\n  j:\n    stall: 400ms\n    stages:\n      {stages}\n"
    )
    done = penstock_cli("run")
    assert done.status == status
    assert told in done.err.decode()


def test_stdout_may_be_added_to_a_file(penstock_cli: PenstockCli, tmp_path: Path):
    (tmp_path / "penstock.yaml").write_text(
        "jobs:\n"
        "  graph:\n"
        "    stages:\n"
        "      s: seq 2\n"
        "      a: {run: wc -l, from: s, append: a.txt}\n"
        "      b: {run: wc -c, from: s, append: b.txt}\n"
        "  chain: {pipe: [seq 3, wc -l], append: c.txt}\n"
    )
    assert [penstock_cli("run").status for _ in range(2)] == [0, 0]
    assert (tmp_path / "a.txt").read_text() == "2\n2\n"
    assert (tmp_path / "b.txt").read_text() == "4\n4\n"
    assert (tmp_path / "c.txt").read_text() == "3\n3\n"


DIAMOND = """
jobs:
  diamond:
    stages:
      source: "seq 1 4000000"
      left: {run: cat, from: source}
      right: {run: cat, from: source}
      pairs: {run: "paste {{fifo.left}} {{fifo.right}}"}
      paired: {run: sha256sum, from: pairs, stdout: pairs.sum}
      both: {run: wc -l, from: [left, right], stdout: both.count}
      alone: {run: sha256sum, from: left, stdout: left.sum}
"""


def own_memory(marker: str) -> int:
    """Bytes that penstock's own processes have to themselves, shared ones once."""
    ours = [p for p in alive(marker) if "ps-" in p.command or "penstock" in p.command]
    return sum(memory_of(each.pid, "Pss") for each in ours)


@pytest.mark.slow
def test_a_diamond_is_right_at_every_sink_in_little_memory(
    penstock_cli: PenstockCli, tmp_path: Path, marker: str
):
    """30 MiB here; 1 GiB takes 22 s, and the same memory."""
    (tmp_path / "penstock.yaml").write_text(DIAMOND)
    most = 0
    with penstock_cli.start("run", env={"TMPDIR": str(tmp_path)}) as process:
        while process.poll() is None:
            most = max(most, own_memory(marker))
            assert not [name for name in os.listdir(tmp_path) if "spool" in name]
        process.communicate()
    assert process.returncode == 0
    assert 0 < most < 64 << 20
    lines = [b"%d\n" % number for number in range(1, 4_000_001)]
    single = hashlib.sha256(b"".join(lines)).hexdigest()
    paired = hashlib.sha256(b"".join(x[:-1] + b"\t" + x for x in lines)).hexdigest()
    assert (tmp_path / "left.sum").read_text().split()[0] == single
    assert (tmp_path / "pairs.sum").read_text().split()[0] == paired
    assert (tmp_path / "both.count").read_text() == "8000000\n"

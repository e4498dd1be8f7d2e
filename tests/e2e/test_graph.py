"""`stages` from the command line: the gallery's example, and what users are told."""

from __future__ import annotations

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

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
        return (folder / f"traffic-{name}.txt").read_bytes().decode(errors="replace")

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

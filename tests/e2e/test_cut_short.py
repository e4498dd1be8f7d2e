"""A run that cannot go on: what was set up is torn down, and the journal has an end."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.commands import PATIENCE, alive, wait_until

AROUND = """
setup: mkdir lock
teardown: rmdir lock; head -c 1M /dev/zero
notify: {always: 'echo "$PENSTOCK_STATUS $PENSTOCK_FAILED" > told'}
"""
FULL = b"penstock: cannot write to standard output: No space left on device\n"


def told_at_the_end(directory: Path) -> tuple[str, int]:
    """What the notice was told, and the status in the journal, once all is undone."""
    assert not (directory / "lock").exists()
    (journal,) = (directory / ".penstock" / "runs").glob("*/journal.jsonl")
    last = json.loads(journal.read_text().splitlines()[-1])
    assert last["event"] == "RunEnded"
    return (directory / "told").read_text(), last["status"]


def test_two_members_that_make_the_same_file(penstock_cli, tmp_path, marker):
    text = """
jobs:
  a: {for: {l: {lines: x}}, run: "touch o-{{l}}", outputs: "o-{{l}}"}
  b: {needs: a, run: touch b}
"""
    (tmp_path / "penstock.yaml").write_text(AROUND + text)
    (tmp_path / "x").write_text("p\nq\np\n")
    done = penstock_cli("run", "-j1")
    assert done.status == 2
    why = b"jobs a[1:p] and a[3:p] make the same file: o-p is o-p\n"
    assert b"FAIL  a[3:p]: not started: " + why in done.err
    assert b"\npenstock: " + why + b"hint: " in done.err
    assert told_at_the_end(tmp_path) == ("2 a[3:p]\n", 2)
    assert (tmp_path / "o-p").exists()
    assert not (tmp_path / "b").exists()
    assert alive(marker) == []


@pytest.mark.parametrize(
    ("mode", "run"),
    [
        ("group", "echo a"),
        ("live", "echo a; sleep 1000"),
        ("line", "echo a; sleep 1000"),
    ],
)
def test_standard_output_is_full(penstock_cli, tmp_path, marker, mode, run):
    text = f"jobs: {{a: {{run: {run}}}, b: {{run: sleep 1000}}}}"
    (tmp_path / "penstock.yaml").write_text(AROUND + text)
    line = f"exec {penstock_cli.program} run -j2 --output {mode} > /dev/full"
    done = penstock_cli("exec", "--quiet", "--", "sh", "-c", line)
    assert done.status == 125
    assert done.err.endswith(FULL)
    assert told_at_the_end(tmp_path) == ("125 a b\n", 125)
    assert alive(marker) == []


def test_the_reader_of_standard_output_goes_away(penstock_cli, tmp_path, marker):
    text = "jobs: {a: {run: echo a; touch go; sleep 1000}, b: {run: sleep 1000}}"
    (tmp_path / "penstock.yaml").write_text(AROUND + text)
    with penstock_cli.start("run", "-j2", "--output", "group") as process:
        wait_until((tmp_path / "go").exists)
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(PATIENCE) == -signal.SIGPIPE
    assert told_at_the_end(tmp_path)[1] == 128 + signal.SIGPIPE
    assert alive(marker) == []

"""Runs that follow one another, and runs that meet; with real kills."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.state.record import NAME, last_run
from tests.commands import alive, wait_until

JOBS = 200

WRITE = "for i in 1 2 3; do echo {n} $i; done"
"""Three lines: an output that is not whole has fewer."""


@pytest.fixture
def define(tmp_path: Path):
    def write(text: str) -> None:
        (tmp_path / "penstock.yaml").write_text(text)

    return write


def many(*, outputs: bool) -> str:
    """200 jobs: half in four chains, half alone; each leaves a trace of its end.

    With `outputs`, each writes its file by itself, and says so.
    """
    lines = ["jobs:"]
    for n in range(JOBS):
        needs = f"needs: j{n - 4}, " if 4 <= n < JOBS // 2 else ""
        write = WRITE.format(n=n) + (f" > out/{n}" if outputs else "")
        key = "outputs" if outputs else "stdout"
        run = f"{write}; echo {n} >> ended"
        lines.append(f'  j{n}: {{{needs}run: "{run}", {key}: out/{n}}}')
    return "\n".join(lines) + "\n"


def successes(directory: Path) -> int:
    """How many are recorded; a run begins with those of the last one."""
    found = directory.glob(f".penstock/runs/*/{NAME}")
    return max((path.read_bytes().count(b"\n") - 1 for path in found), default=0)


def journaled(directory: Path) -> Iterator[str]:
    """Each job that the journals of all runs together tell the success of."""
    for path in directory.glob(".penstock/runs/*/journal.jsonl"):
        for line in path.read_text().splitlines():
            event = json.loads(line)
            if event["event"] == "JobEnded" and event["ok"]:
                yield event["job"]


def kill_at(cli, number: int, marker: str) -> None:
    """Start a run, and kill it once so many successes are recorded."""
    with cli.start("run", "-j4", "--resume") as process:
        wait_until(
            lambda: process.poll() is not None or successes(cli.cwd) >= number, 20
        )
        process.send_signal(signal.SIGKILL)
        process.communicate()
    wait_until(lambda: not alive(marker))


def check_outputs(directory: Path) -> None:
    """Whatever has its final name is whole."""
    for path in (directory / "out").iterdir():
        if not path.name.startswith("."):
            assert path.read_text().count("\n") == 3, path


SEEDS = [("3 kills", 3), *((f"10 kills, {n}", 10) for n in range(5))]


@pytest.mark.parametrize(
    ("seed", "kills"),
    [
        pytest.param(*seed, id=seed[0], marks=[pytest.mark.slow] if seed[1] > 3 else [])
        for seed in SEEDS
    ],
)
@pytest.mark.parametrize("outputs", [False, True], ids=["plain", "outputs"])
@pytest.mark.timeout(120)
def test_killed_at_any_instant_a_run_goes_on_where_it_was(
    penstock_cli, marker, seed, kills, outputs
):
    tmp_path = penstock_cli.cwd
    (tmp_path / "penstock.yaml").write_text(many(outputs=outputs))
    (tmp_path / "out").mkdir()
    chance = random.Random(seed)
    for _ in range(kills):
        done = successes(tmp_path)
        kill_at(penstock_cli, done + chance.randrange(2 * JOBS // kills + 3), marker)
        if not outputs:  # what a command writes itself is removed by the next run
            check_outputs(tmp_path)
    done = penstock_cli("run", "-j4", "--resume", "-q", timeout=60)
    assert (done.status, done.out) == (0, b"")
    check_outputs(tmp_path)
    names = {f"j{n}" for n in range(JOBS)}
    past = last_run(str(tmp_path / ".penstock/runs"), "penstock.yaml")
    assert past is not None
    assert set(past.done) == names
    told = Counter(journaled(tmp_path))
    assert set(told) <= names
    assert max(told.values()) == 1
    # What ended just as penstock was killed is run twice: at most one for each slot.
    ended = Counter((tmp_path / "ended").read_text().split())
    assert set(ended) == {str(n) for n in range(JOBS)}
    assert sum(ended.values()) - JOBS <= 4 * kills
    assert penstock_cli("run", "--resume", "-q").status == 0
    assert Counter(journaled(tmp_path)) == told


def test_it_says_from_where_it_goes_on(penstock_cli, define):
    define("jobs: {a: {run: echo a}, b: {needs: a, run: test -e here}}")
    first = penstock_cli("run", "--resume")
    assert b"penstock: there is no earlier run to go on from" in first.err
    (penstock_cli.cwd / "here").touch()
    second = penstock_cli("run", "--resume")
    assert (second.status, second.out) == (0, b"")
    assert b", in which 1 job had succeeded\n" in second.err
    assert b"\npass  a  it succeeded in 20" in second.err
    assert b"2 jobs: 1 ok, 1 passed over in " in second.err


def test_what_is_not_over_cannot_be_resumed(penstock_cli, define, marker):
    define("jobs: {a: {run: sleep 300}}")
    with penstock_cli.start("run") as process:
        wait_until(lambda: any("sleep" in f.command for f in alive(marker)))
        done = penstock_cli("run", "--resume")
        process.terminate()
        process.communicate()
    assert done.status == 125
    assert b"is not over yet\nhint: wait for it, or end it\n" in done.err


def test_fresh_and_resume_together_make_no_sense(penstock_cli, define):
    define("jobs: {a: {run: echo a}}")
    done = penstock_cli("run", "--resume", "--fresh")
    assert (done.status, done.out) == (2, b"")


def test_two_runs_do_not_make_the_same_file(penstock_cli, define, marker):
    define("jobs: {a: {run: sleep 300, stdout: here/a}, b: {run: echo b}}")
    (penstock_cli.cwd / "here").mkdir()
    (penstock_cli.cwd / "there").symlink_to("here")
    with penstock_cli.start("run", "a") as process:
        wait_until(lambda: any("sleep" in f.command for f in alive(marker)))
        define("jobs: {a: {run: echo a, stdout: there/a}, b: {run: echo b}}")
        refused = penstock_cli("run")
        other = penstock_cli("run", "b")
        process.send_signal(signal.SIGKILL)
        process.communicate()
    pid = str(process.pid).encode()
    assert (refused.status, refused.out) == (125, b"")
    assert b"penstock: another run is making here/a: 20" in refused.err
    assert b"(PID " + pid + b", `penstock run a`, since " in refused.err
    assert (other.status, other.out) == (0, b"b\n")
    assert penstock_cli("run").status == 0  # the dead do not count
    assert os.listdir(penstock_cli.cwd / ".penstock" / "claims") == []


def test_where_nothing_can_be_kept_all_is_run(penstock_cli, define):
    define("jobs: {a: {run: echo a, stdout: a.txt}, b: {run: echo b}}")
    (penstock_cli.cwd / ".penstock").touch()
    done = penstock_cli("run", "--resume")
    assert (done.status, done.out) == (0, b"b\n")
    assert done.err.count(b"penstock: no journal and no logs are kept") == 1


def test_without_outputs_nothing_of_it_is_imported(penstock_cli, define):
    define("jobs: {a: {run: echo a}}")
    python = penstock_cli.program.with_name("python")
    told = subprocess.run(
        [python, "-X", "importtime", "-m", "penstock", "run"],
        cwd=penstock_cli.cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert "penstock.state.record" in names
    assert not names & {"sqlite3", "hashlib", "penstock.state.store", "glob"}

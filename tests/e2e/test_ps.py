"""``penstock ps`` and ``penstock stop``."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from penstock.state.record import NAME
from tests.commands import (
    ignore_term,
    is_running,
    look_up,
    print_ready,
    ready_pid,
    wait_until,
)


def runs(penstock_cli) -> dict[int, Any]:
    done = penstock_cli("ps", "--json")
    assert (done.status, done.err) == (0, b"")
    return {run["pid"]: run for run in map(json.loads, done.out.splitlines())}


def test_a_live_run_is_told_with_its_commands(penstock_cli):
    with penstock_cli.start("exec", "--", *print_ready()) as process:
        pid = ready_pid(process.stdout)
        wait_until(lambda: (found := look_up(pid)) and found.command == "sleep 1000")
        run = runs(penstock_cli)[process.pid]
        assert run["run"].startswith(f"{process.pid}-")
        assert [command["pid"] for command in run["commands"]] == [pid]
        assert run["commands"][0]["command"] == "sleep 1000"
        assert "penstock exec" in run["command"]
        assert 0 <= run["commands"][0]["age"] <= run["age"] < 600
        told = penstock_cli("ps").out.decode().splitlines()
        assert told[0].split() == ["PID", "AGE", "COMMAND"]
        (at,) = (n for n, line in enumerate(told) if line.split()[0] == str(pid))
        assert told[at - 1].split()[0] == str(process.pid)
        process.terminate()
    assert process.pid not in runs(penstock_cli)


@pytest.mark.parametrize("by", ["pid", "name"])
def test_stop_ends_a_run_as_term_does(penstock_cli, by):
    with penstock_cli.start("exec", "--", *print_ready()) as process:
        pid = ready_pid(process.stdout)
        name = runs(penstock_cli)[process.pid]["run"]
        done = penstock_cli("stop", str(process.pid) if by == "pid" else name)
        assert done.status == 0
        assert f"run {name} (PID {process.pid}) is gone" in done.err.decode()
        assert process.wait() == -15
    assert not is_running(pid)


def test_stop_knows_a_run_by_its_directory_and_no_other_run_of_that_pid(
    penstock_cli, tmp_path
):
    (tmp_path / "penstock.yaml").write_text(f"jobs: {{a: {{argv: {print_ready()}}}}}")
    runs = tmp_path / ".penstock" / "runs"
    with penstock_cli.start("run", "--output", "live") as process:
        ready_pid(process.stdout)
        (name,) = os.listdir(runs)
        record = (runs / name / NAME).read_text()
        dead = f"20200101-000000-{process.pid}"
        (runs / dead).mkdir()
        (runs / dead / NAME).write_text(record.replace(f'"{process.pid}-', '"1-'))
        for other in (dead, f"20200101-000001-{process.pid}", f"{name}-2"):
            assert penstock_cli("stop", other).status == 2
        assert penstock_cli("stop", "-q", name, cwd=Path("/")) == (0, b"", b"")
        assert process.wait() == -15


def test_stop_ends_a_run_that_stands_still(penstock_cli):
    with penstock_cli.start("exec", "--", *print_ready()) as process:
        ready_pid(process.stdout)
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: (found := look_up(process.pid)) and found.state == "T")
        assert penstock_cli("stop", "-q", str(process.pid)) == (0, b"", b"")
        assert process.wait() == -15


def test_stop_gives_up_after_its_timeout_and_ends_at_once_if_told(penstock_cli):
    with penstock_cli.start("exec", "-g", "60", "--", *ignore_term()) as process:
        ready_pid(process.stdout)
        done = penstock_cli("stop", "-t", "100ms", str(process.pid))
        assert done.status == 1
        assert b"is not gone yet" in done.err
        assert process.poll() is None
        assert penstock_cli("stop", "--now", "-q", str(process.pid)) == (0, b"", b"")
        assert process.wait() == -15


@pytest.mark.parametrize("name", ["1", "nonsense", ""])
def test_only_a_live_run_can_be_stopped(penstock_cli, name):
    done = penstock_cli("stop", name)
    assert done.status == 2
    assert b"is alive; `penstock ps` tells which are" in done.err

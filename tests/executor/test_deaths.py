"""P7: any process of penstock may be killed at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.errors import NurseryLost
from penstock.executor.pool import Pool
from penstock.model.outcome import Lost
from penstock.model.stream import Output
from tests.commands import (
    alive,
    double_fork,
    ignore_term,
    is_running,
    kill_all,
    new_session,
    print_ready,
    stop_self,
    wait_until,
)
from tests.executor.jobs import job, outcomes_of, run, shell, stage, start

ROOT = str(Path(__file__).parents[2])
COMMANDS = (print_ready, ignore_term, stop_self, double_fork, new_session)


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def worker_of(pid: int) -> int:
    """The worker above command `pid`, or above whatever started that."""
    while Path(f"/proc/{pid}/comm").read_text() != "ps-worker\n":
        pid = parent(pid)
    return pid


# --- a worker -----------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_a_worker_that_is_killed_loses_its_job_and_nothing_survives(
    pool: Pool,
    command,
):
    pid = start(pool, command())
    os.kill(worker_of(pid), signal.SIGKILL)
    (outcome,) = outcomes_of(pool)
    assert outcome.ending == Lost("its worker was killed")
    assert (outcome.ok, outcome.status) == (False, 125)
    wait_until(lambda: not is_running(pid))


def test_the_other_jobs_go_on_and_the_next_one_runs(pool: Pool):
    pool.submit(shell("sleep 0.3; exit 3", "other"))
    os.kill(worker_of(start(pool, print_ready())), signal.SIGKILL)
    found = {o.job: o.status for o in outcomes_of(pool, 2)}
    assert found == {"job": 125, "other": 3}
    assert run(pool, shell("exit 0")).ok


def test_a_worker_that_was_killed_while_idle_costs_nothing(pool: Pool):
    idle = worker_of(start(pool, print_ready()))
    pool.cancel("job", "enough")
    outcomes_of(pool)
    os.kill(idle, signal.SIGKILL)
    wait_until(lambda: not is_running(idle))
    assert run(pool, shell("exit 0")).ok


def test_a_command_that_kills_its_worker_is_lost_and_dies(pool: Pool, marker: str):
    outcome = run(pool, shell("kill -9 $PPID; sleep 1000"))
    assert isinstance(outcome.ending, Lost)
    wait_until(lambda: not any("sleep 1000" in str(p) for p in alive(marker)))


def test_the_half_written_output_of_a_lost_job_goes(pool: Pool, tmp_path: Path):
    target = Output(f"{tmp_path}/out", f"{tmp_path}/.out.partial")
    script = "echo half; kill -9 $PPID; sleep 1000"
    outcome = run(pool, job(stage(["sh", "-c", script], stdout=target)))
    assert not outcome.ok
    assert os.listdir(tmp_path) == []


def test_what_waited_behind_a_lost_job_is_run():
    with Pool.open(1, ahead=2) as pool:
        pool.submit(shell("kill -9 $PPID; sleep 1000", "lost"))
        pool.submit(shell("exit 4", "second"))
        pool.submit(shell("exit 5", "third"))
        found = {o.job: o.status for o in outcomes_of(pool, 3)}
    assert found == {"lost": 125, "second": 4, "third": 5}


# --- the nursery --------------------------------------------------------------------


def kill_nursery(pool: Pool) -> None:
    os.kill(pool._nursery.pid, signal.SIGKILL)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.__name__)
def test_a_nursery_that_is_killed_loses_all_and_nothing_survives(marker: str, command):
    with Pool.open(2) as pool:
        start(pool, command())
        pool.submit(shell("exec sleep 1000", "other"))
        kill_nursery(pool)
        endings = {o.job: o.ending for o in outcomes_of(pool, 2)}
        assert all(isinstance(ending, Lost) for ending in endings.values())
        wait_until(lambda: not alive(marker))


def test_after_that_no_job_can_be_started():
    with Pool.open(1) as pool:
        kill_nursery(pool)
        wait_until(lambda: not is_running(pool._nursery.pid))
        with pytest.raises(NurseryLost):
            pool.submit(shell("exit 0"))
    assert not pool.is_clean


def test_worker_and_nursery_killed_at_once_lose_what_waited_too(marker: str):
    with Pool.open(1, ahead=2) as pool:
        worker = worker_of_waiting(pool)
        os.kill(worker, signal.SIGKILL)
        kill_nursery(pool)
        wait_until(lambda: not is_running(pool._nursery.pid))
        endings = [o.ending for o in outcomes_of(pool, 3)]
    kill_all(marker)  # in a library, nobody is left to do it
    assert all(isinstance(ending, Lost) for ending in endings)


def worker_of_waiting(pool: Pool) -> int:
    """The worker of a pool that has one job running and two waiting."""
    pool.submit(shell("exec sleep 1000", "0"))
    pool.submit(shell("exit 0", "1"))
    pool.submit(shell("exit 0", "2"))
    pool.wait(0.0)
    children = Path(f"/proc/{pool._nursery.pid}/task/{pool._nursery.pid}/children")
    return int(wait_until(lambda: children.read_text().split())[0])


# --- the program that has the pool --------------------------------------------------

HOST = f"""
import sys
sys.path.insert(0, {ROOT!r})
from penstock.executor.pool import Pool
from tests import commands
from tests.executor.jobs import Heard, job, stage
pool = Pool.open(4)
for name in sys.argv[1:]:
    heard = Heard(pool, job(stage(getattr(commands, name)()), name=name))
    heard.ready_pid()
print("ready", pool._nursery.pid, flush=True)
pool.wait()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_nothing_survives_the_program_that_has_the_pool(marker: str, number: int):
    names = ("print_ready", "ignore_term", "double_fork", "hide_from_marker")
    argv = [sys.executable, "-X", "faulthandler=0", "-c", HOST, *names]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        assert host.stdout.readline().startswith(b"ready ")
        assert len(alive(marker)) > 8
        host.send_signal(number)
    wait_until(lambda: not alive(marker))


def test_nothing_survives_host_and_nursery_killed_at_once(marker: str):
    names = ("print_ready", "ignore_term", "double_fork", "new_session")
    argv = [sys.executable, "-c", HOST, *names]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        nursery = int(host.stdout.readline().split()[1])
        os.kill(nursery, signal.SIGKILL)
        host.kill()
    wait_until(lambda: not alive(marker))

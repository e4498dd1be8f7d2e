"""Workers behind walls: all is as without, and more dies with them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from penstock.executor.pool import Pool
from penstock.model.job import Job, Link
from penstock.model.link import path_token
from penstock.model.outcome import Cancelled, Exited, Lost, Signaled, TimedOut
from penstock.proc.cgroup import all_leaves, run_of_group, try_leaf
from penstock.proc.descendants import children_of, parent_of
from penstock.proc.isolate import try_isolation
from penstock.proc.marker import run_marker
from tests.commands import (
    Found,
    alive,
    daemon_and_exit,
    double_fork,
    fork_and_exit,
    hide_from_marker,
    ignore_term,
    is_running,
    print_ready,
    python,
    sh,
    wait_until,
)
from tests.executor.jobs import job, outcomes_of, output_of, run, shell, stage, start

LAYERS = {"pidns": try_isolation, "cgroup": try_leaf}


@pytest.fixture(params=LAYERS)
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    """Two slots behind a wall; nothing of it may be left in the end."""
    why = LAYERS[request.param]()
    if why:
        pytest.skip(f"not here: {why}")
    with Pool.open(2, isolate=request.param) as made:
        yield made
    assert made.is_clean
    assert [path for run, path in all_leaves() if run.pid == os.getpid()] == []


in_namespaces = pytest.mark.parametrize("pool", ["pidns"], indirect=True)
in_groups = pytest.mark.parametrize("pool", ["cgroup"], indirect=True)


def workers() -> list[int]:
    """The workers of the only pool of this process, as we see them."""
    return [w for n in children_of(os.getpid()) for w in children_of(n)]


def left_of(marker: str) -> list[Found]:
    """What is alive of this test, but nursery and workers."""
    return [p for p in alive(marker) if not p.command.startswith("ps-")]


@pytest.mark.parametrize("code", [0, 1, 124, 255])
def test_exit_codes_are_told(pool, code):
    assert run(pool, shell(f"exit {code}")).ending == Exited(code)


def test_a_signal_is_told(pool):
    assert run(pool, shell("kill -TERM $$")).ending == Signaled(15, core=False)


@in_namespaces
def test_a_command_is_in_a_namespace_with_a_proc_of_its_own(pool):
    out = output_of(pool, stage(sh("echo $$; readlink /proc/self/ns/pid; ls /proc")))
    pid, namespace, *processes = out.decode().split()
    assert processes.count("1") == 1
    assert int(pid) < 10
    assert namespace != os.readlink("/proc/self/ns/pid")
    assert str(os.getpid()) not in processes or os.getpid() < 10


@in_namespaces
def test_a_pipeline_runs_in_one_namespace(pool):
    out = output_of(pool, stage(sh("kill -0 1 && seq 3")), stage(["tail", "-n", "1"]))
    assert out == b"3\n"


@in_namespaces
def test_two_jobs_are_in_two_namespaces(pool):
    start(pool, print_ready())
    pool.submit(shell("ps -e | grep -c sleep > /dev/null", name="other"))
    (outcome,) = outcomes_of(pool)
    assert outcome.ending == Exited(1)


@pytest.mark.parametrize(
    "command", [print_ready, ignore_term, double_fork, hide_from_marker]
)
def test_nothing_survives_a_timeout(pool, marker, command):
    start(pool, command(), timeout=0.3, grace=0.1)
    (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, TimedOut)
    assert outcome.survivors == ()
    assert left_of(marker) == []


@pytest.mark.parametrize("command", [fork_and_exit, daemon_and_exit])
def test_stragglers_are_named_and_ended(pool, marker, command):
    start(pool, command(), grace=0.1, linger=0.1)
    (outcome,) = outcomes_of(pool)
    assert outcome.ending == Exited(0)
    assert len(outcome.stragglers) == 1
    assert left_of(marker) == []


def test_a_job_is_cancelled(pool):
    start(pool, print_ready(), grace=0.1)
    pool.cancel("job", "enough")
    (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, Cancelled)


def test_all_of_a_killed_worker_dies_with_it_and_the_next_job_runs(pool, marker):
    start(pool, hide_from_marker())
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    (outcome,) = outcomes_of(pool)
    assert isinstance(outcome.ending, Lost)
    wait_until(lambda: not left_of(marker))
    assert run(pool, job(stage(["true"]))).ok


def test_a_worker_is_a_child_of_the_nursery(pool):
    start(pool, print_ready())
    (worker,) = workers()
    assert parent_of(worker) in children_of(os.getpid())
    (command,) = children_of(worker)
    assert is_running(command)


def test_two_jobs_have_fifos_of_their_own(pool, tmp_path):
    token = path_token("f")
    for name in ("one", "two"):
        reader = f"read line < {token}; echo {token} > {name}; mv {name} {name}.told"
        stages = (
            stage(sh("exec yes"))._replace(name="source"),
            stage(sh(f"cd {tmp_path}; {reader}; sleep 1000"))._replace(name="reader"),
        )
        pool.submit(Job(name, stages, (Link(0, 1, name="f"),)))
    told = [tmp_path / "one.told", tmp_path / "two.told"]
    wait_until(lambda: all(path.exists() for path in told))
    one, two = (path.read_text() for path in told)
    assert "-fifo-" in one
    assert "-fifo-" in two
    assert one != two
    for name in ("one", "two"):
        pool.cancel(name, "enough", now=True)
    outcomes_of(pool, 2)


@in_groups
def test_a_command_and_its_daemons_are_in_the_group_of_the_worker(pool):
    daemon = start(pool, hide_from_marker())
    assert str(run_of_group(daemon)) == run_marker()
    assert run_of_group(os.getpid()) is None


@in_groups
def test_a_fork_bomb_is_ended(pool, marker):
    bomb = (
        "ready()\n"
        "for _ in range(7):\n"
        "    os.fork(); os.setsid() if os.getpid() != os.getsid(0) else None\n"
        "rest()"
    )
    start(pool, python(bomb), timeout=0.5, grace=0)
    (outcome,) = outcomes_of(pool)
    assert outcome.survivors == ()
    assert left_of(marker) == []


@in_groups
def test_the_group_of_a_killed_worker_is_removed(pool):
    start(pool, print_ready())
    (worker,) = workers()
    paths = {path for run, path in all_leaves() if run.pid == os.getpid()}
    assert len(paths) == 1
    os.kill(worker, signal.SIGKILL)
    outcomes_of(pool)
    wait_until(lambda: not any(os.path.exists(path) for path in paths))

"""Workers in PID namespaces: all is as without, and more dies with them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from penstock.executor.nursery import start_nursery
from penstock.executor.pool import Pool
from penstock.model.outcome import Cancelled, Exited, Lost, Signaled, TimedOut
from penstock.proc.descendants import children_of, parent_of
from penstock.proc.isolate import try_isolation
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
    sh,
    wait_until,
)
from tests.executor.jobs import job, outcomes_of, output_of, run, shell, stage, start


@pytest.fixture(scope="module", autouse=True)
def _needs_namespaces() -> None:
    why = try_isolation()
    if why:
        pytest.skip(f"no PID namespaces here: {why}")


@pytest.fixture
def pool() -> Iterator[Pool]:
    nursery = start_nursery()
    nursery.isolate()
    with Pool(2, nursery) as made:
        yield made
    assert made.is_clean


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


def test_a_command_is_in_a_namespace_with_a_proc_of_its_own(pool):
    out = output_of(pool, stage(sh("echo $$; readlink /proc/self/ns/pid; ls /proc")))
    pid, namespace, *processes = out.decode().split()
    assert processes.count("1") == 1
    assert int(pid) < 10
    assert namespace != os.readlink("/proc/self/ns/pid")
    assert str(os.getpid()) not in processes or os.getpid() < 10


def test_a_pipeline_runs_in_one_namespace(pool):
    out = output_of(pool, stage(sh("kill -0 1 && seq 3")), stage(["tail", "-n", "1"]))
    assert out == b"3\n"


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

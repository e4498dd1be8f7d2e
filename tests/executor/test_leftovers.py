"""What a job leaves behind: its policy, and who holds its log."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from penstock.executor.pool import Pool
from penstock.model.job import Job, Leaks
from penstock.model.outcome import Exited
from penstock.model.stream import Log, Output
from penstock.proc.holders import holders_of, in_words
from tests.commands import (
    BEGUN,
    alive,
    children,
    daemon_and_exit,
    is_running,
    kill_all,
    look_up,
    sh,
    wait_until,
)
from tests.executor.jobs import Heard, job, outcomes_of, run, stage


def leaving(leaks: Leaks, script: str = "sleep 1000 & exit 0") -> Job:
    return job(stage(sh(script)), linger=0.05)._replace(leaks=leaks)


@pytest.mark.parametrize("leaks", ["kill", "warn"])
def test_what_is_left_is_ended_and_the_job_is_well(pool: Pool, leaks: Leaks):
    outcome = run(pool, leaving(leaks))
    assert (outcome.ok, len(outcome.stragglers)) == (True, 1)


def test_a_job_that_may_leave_nothing_has_failed(pool: Pool, tmp_path: Path):
    target = Output(f"{tmp_path}/out", f"{tmp_path}/.out.partial")
    what = leaving("fail")
    first = what.stages[0]._replace(stdout=target)
    outcome = run(pool, what._replace(stages=(first,)))
    assert (outcome.ok, outcome.status, outcome.culprit) == (False, 1, None)
    assert outcome.ending == Exited(0)
    assert os.listdir(tmp_path) == []


def test_what_may_stay_outlives_its_worker_and_the_pool(marker: str):
    with Pool.open(2) as pool:
        outcome = run(pool, leaving("allow"))
        (left,) = outcome.spared
        assert (outcome.ok, outcome.stragglers) == (True, ())
        assert is_running(left.pid)
        swept = run(pool, leaving("kill", f"{BEGUN.format('sleep 2000')}; exit 0"))
        assert [p.command for p in swept.stragglers] == ["sleep 2000"]
        assert is_running(left.pid)
    assert pool.is_clean
    assert is_running(left.pid)
    kill_all(marker)


def test_what_was_left_to_stay_is_no_zombie_when_it_ends(marker: str):
    begun = f"{BEGUN.format('sleep 1000')}; {BEGUN.format('sleep 2000')}"
    script = f"exec 2>/dev/null; {begun}; exit 0"  # nobody waits for their log
    with Pool.open(1) as pool:
        first, second = run(pool, leaving("allow", script)).spared
        below = partial(children, pool._nursery.pid)
        both = {first.pid, second.pid}
        wait_until(lambda: {p.pid for p in below()} == both)  # and their worker is gone
        os.kill(first.pid, signal.SIGKILL)
        wait_until(lambda: {p.pid for p in below()} == {second.pid})
        assert is_running(second.pid)
    kill_all(marker)


def test_a_daemon_with_children_may_stay(marker: str, tmp_path: Path):
    with Pool.open(1) as pool:
        begun = f"sleep 1000 & sleep 2000 & echo > {tmp_path}/begun; wait"
        script = f"setsid sh -c '{begun}' & until test -e {tmp_path}/begun; do :; done"
        outcome = run(pool, job(stage(sh(script)), linger=0.2)._replace(leaks="allow"))
        assert run(pool, leaving("kill", "kill -9 $PPID")).status == 125
    assert all(is_running(process.pid) for process in outcome.spared)
    assert len(outcome.spared) == 3
    kill_all(marker)


def test_what_follows_on_what_may_stay_may_stay_too(marker: str, tmp_path: Path):
    wait = f"until test -e {tmp_path}/turn; do sleep 0.01; done"
    with Pool.open(1) as pool:
        first = run(pool, leaving("allow", f"({wait}; sleep 3000 & exit) & exit 0"))
        (tmp_path / "turn").touch()
        wait_until(lambda: not any(is_running(p.pid) for p in first.spared))
        assert run(pool, leaving("kill", "kill -9 $PPID")).status == 125
        below = partial(children, pool._nursery.pid)
        wait_until(lambda: [p.command for p in below()] == ["sleep 3000"])
    assert [p.command for p in alive(marker)] == ["sleep 3000"]
    kill_all(marker)


def test_nothing_may_stay_of_a_job_that_was_stopped(pool: Pool, marker: str):
    late = stage([*daemon_and_exit()[:-1], daemon_and_exit()[-1] + "; rest()"])
    late = late._replace(limits=late.limits._replace(timeout=0.5))
    outcome = run(pool, job(late)._replace(leaks="allow"))
    assert (outcome.status, outcome.spared) == (124, ())
    assert [p for p in alive(marker) if not p.command.startswith("ps-")] == []


# --- who holds the log --------------------------------------------------------------


def test_who_still_holds_the_log_is_named(pool: Pool):
    noisy = stage(sh("echo ready $$; read line || exec sleep 1000"), stderr=Log(None))
    heard = Heard(pool, job(noisy, drain=0.1))
    with heard.stream:
        pid = heard.ready_pid()
        with open(f"/proc/{pid}/fd/2", "wb", buffering=0):
            wait_until(lambda: (p := look_up(pid)) and p.command == "sleep 1000")
            os.kill(pid, signal.SIGKILL)
            (outcome,) = outcomes_of(pool)
    told = outcome.stages[0].log_error
    assert told is not None
    assert told.startswith(f"still held open after 0.1 s by {os.getpid()} (")


def test_who_has_a_pipe_open_is_found_and_nobody_else():
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        signal.pause()
        os._exit(0)
    wait_until(lambda: [each.pid for each in holders_of(reader)] == [pid])
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert holders_of(reader) == ()
    os.close(writer)
    os.close(reader)
    assert holders_of(reader) == ()


def test_holders_are_told_in_a_line():
    from penstock.model.outcome import Process  # noqa: PLC0415 (here only)

    many = tuple(Process(n, f"p{n}") for n in range(5))
    assert in_words(()) == "a process that we may not see"
    assert in_words(many[:1]) == "0 (p0)"
    assert in_words(many) == "0 (p0), 1 (p1), 2 (p2) and 2 more"

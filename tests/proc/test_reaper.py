from __future__ import annotations

import os
import signal
import subprocess
from functools import partial

import pytest

from penstock.clock import MonotonicClock
from penstock.model.outcome import Exited, Process, Signaled
from penstock.proc.descendants import parent_of
from penstock.proc.reaper import (
    living,
    read_status,
    read_usage,
    reap,
    sweep_orphans,
    wait_child,
)
from tests.commands import (
    daemon_and_exit,
    double_fork,
    fork_and_exit,
    fork_and_wait,
    hide_from_marker,
    hold_pipe,
    ignore_term,
    is_running,
    new_session,
    print_ready,
    ready_pid,
    sh,
    stop_self,
)
from tests.proc.apart import apart, start

HARD_TO_KILL = (
    *(print_ready, ignore_term, stop_self, fork_and_exit, fork_and_wait),
    *(double_fork, daemon_and_exit, new_session, hold_pipe, hide_from_marker),
)


def sweep_all(spare: tuple[int, ...] = ()) -> tuple[Process, ...]:
    return sweep_orphans(spare, budget=10.0, clock=MonotonicClock())


@pytest.mark.parametrize("command", HARD_TO_KILL, ids=lambda c: c.__name__)
def test_a_sweep_leaves_nothing_alive_and_nobody_unreaped(command):
    def start_and_sweep() -> tuple[int, tuple[Process, ...]]:
        pid = ready_pid(start(command()).stdout)
        assert is_running(pid)
        left = sweep_all()
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        return pid, left

    pid, left = apart(start_and_sweep)
    assert left == ()
    assert not is_running(pid)


def test_a_sweep_of_nothing_is_over_at_once():
    assert apart(sweep_all) == ()


def test_a_sweep_spares_a_child_and_all_that_is_below_it():
    def start_two_and_sweep_one() -> tuple[bool, bool]:
        spared = ready_pid(start(new_session()).stdout)
        swept = ready_pid(start(new_session()).stdout)
        sweep_all((parent_of(spared) or 0,))
        seen = is_running(spared), is_running(swept)
        sweep_all()
        return seen

    assert apart(start_two_and_sweep_one) == (True, False)


def test_a_sweep_without_time_names_what_is_alive():
    def give_up_at_once() -> tuple[int, tuple[Process, ...]]:
        pid = ready_pid(start(print_ready()).stdout)
        left = sweep_orphans((), budget=0.0, clock=MonotonicClock())
        sweep_all()
        return pid, left

    pid, left = apart(give_up_at_once)
    assert [process.pid for process in left] == [pid]


def test_zombies_do_not_count_as_living():
    def leave_a_zombie() -> tuple[Process, ...]:
        pid = start(["true"]).pid
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return living()

    assert apart(leave_a_zombie) == ()


def test_waiting_for_a_child_ends_when_one_dies():
    def wait_for_the_first() -> bool:
        start(print_ready())
        dying = start(sh("read line; exit 3")).pid
        os.kill(dying, signal.SIGKILL)
        wait_child(60.0)
        ended = os.waitid(os.P_PID, dying, os.WEXITED | os.WNOHANG) is not None
        sweep_all()
        return ended

    assert apart(wait_for_the_first)


def test_who_is_spared_does_not_end_the_wait():
    def wait_in_vain() -> None:
        dead = start(["true"]).pid
        os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)
        started = MonotonicClock().now()
        wait_child(0.02, {dead})
        assert MonotonicClock().now() - started >= 0.02

    apart(wait_in_vain)


def test_reaping_tells_the_status_and_what_was_used():
    def run_and_reap() -> tuple[object, bool]:
        pid = start(sh("i=0; while [ $i -lt 9999 ]; do i=$((i+1)); done; exit 7")).pid
        wait_child(60.0)
        dead, status, used = reap()
        assert dead == pid
        usage = read_usage(used)
        plausible = 0 < usage.user + usage.system < 30
        return read_status(status), plausible

    assert apart(run_and_reap) == (Exited(7), True)


def test_while_all_children_live_there_is_nothing_to_reap():
    def reap_too_early() -> object:
        ready_pid(start(print_ready()).stdout)
        pid, _, _ = reap()
        sweep_all()
        return pid

    assert apart(reap_too_early) == 0


def test_without_children_there_is_nobody_to_reap():
    def reap_nobody() -> None:
        with pytest.raises(ChildProcessError):
            reap()

    apart(reap_nobody)


def test_every_wait_status_is_read_as_what_it_is():
    assert [read_status(code << 8) for code in range(256)] == [
        Exited(code) for code in range(256)
    ]
    for number in range(1, 65):
        assert read_status(number) == Signaled(number, core=False)
        assert read_status(number | 0x80) == Signaled(number, core=True)


def test_a_real_status_is_read_as_subprocess_reads_it():
    def reap_one(script: str) -> object:
        start(sh(script))
        wait_child(60.0)
        _, status, _ = reap()
        return read_status(status)

    for script in ("exit 255", "ulimit -c 0; kill -SEGV $$", "kill -KILL $$"):
        status = subprocess.run(sh(script), check=False).returncode
        known = Exited(status) if status >= 0 else Signaled(-status, core=False)
        assert apart(partial(reap_one, script)) == known

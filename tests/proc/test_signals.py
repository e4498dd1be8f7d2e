from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest

from penstock.clock import MonotonicClock
from penstock.proc.descendants import parent_of
from penstock.proc.reaper import living, sweep_orphans
from penstock.proc.signals import SignalFlags, die_by, group_of, signal_tree
from tests.commands import (
    PATIENCE,
    double_fork,
    fork_and_exit,
    fork_and_wait,
    is_running,
    look_up,
    new_session,
    print_ready,
    python,
    ready_pid,
    stop_self,
    wait_until,
)
from tests.proc.apart import apart, start


def sweep_all() -> None:
    sweep_orphans((), budget=10.0, clock=MonotonicClock())


# --- sending ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [print_ready, fork_and_exit, fork_and_wait, new_session],
    ids=lambda c: c.__name__,
)
def test_a_signal_reaches_whoever_is_below(command: Callable[[], list[str]]):
    def send_term() -> None:
        pid = ready_pid(start(command()).stdout)
        signal_tree(signal.SIGTERM)
        wait_until(lambda: not is_running(pid))
        sweep_all()

    apart(send_term)


def test_a_signal_reaches_an_orphan_that_came_to_us():
    def send_term() -> None:
        pid = ready_pid(start(double_fork()).stdout)
        wait_until(lambda: parent_of(pid) == os.getpid())
        signal_tree(signal.SIGTERM)
        wait_until(lambda: not is_running(pid))
        sweep_all()

    apart(send_term)


THIRTY_SESSIONS = python(
    "for _ in range(30):\n"
    "    if os.fork() == 0: os.setsid(); os.write(1, b'.'); rest()\n"
    "rest()"
)


def test_those_who_left_the_group_are_reached_though_their_parent_dies_of_it_first():
    def send_term() -> None:
        stream = start(THIRTY_SESSIONS).stdout
        assert stream is not None
        assert stream.read(30) == b"." * 30
        signal_tree(signal.SIGTERM)
        wait_until(lambda: not living())
        sweep_all()

    apart(send_term)


def test_a_stopped_process_dies_of_term_once_it_is_continued():
    def term_and_continue() -> None:
        pid = ready_pid(start(stop_self()).stdout)
        wait_until(lambda: (found := look_up(pid)) and found.state == "T")
        signal_tree(signal.SIGTERM)
        assert is_running(pid)
        signal_tree(signal.SIGCONT)
        wait_until(lambda: not is_running(pid))
        sweep_all()

    apart(term_and_continue)


def test_who_is_spared_is_not_signalled_nor_what_is_below_it():
    def send_kill_but_spare() -> None:
        spared = start(new_session())
        below = ready_pid(spared.stdout)
        other = ready_pid(start(new_session()).stdout)
        signal_tree(signal.SIGKILL, lambda: (spared.pid,))
        wait_until(lambda: not is_running(other))
        assert is_running(below)
        assert is_running(spared.pid)
        sweep_all()

    apart(send_kill_but_spare)


def test_a_child_in_our_own_group_is_signalled_without_us():
    def send_to_own_group() -> None:
        child = subprocess.Popen(print_ready(), stdout=subprocess.PIPE)
        assert group_of(ready_pid(child.stdout)) == os.getpgrp()
        signal_tree(signal.SIGTERM)
        assert child.wait(PATIENCE) == -signal.SIGTERM

    apart(send_to_own_group)


def test_a_group_in_our_own_session_is_signalled_at_once():
    forks = "[os.fork() for _ in range(3)]; os.write(1, b'.'); rest()"

    def send_to_a_group() -> None:
        child = subprocess.Popen(python(forks), stdout=subprocess.PIPE, process_group=0)
        assert child.stdout is not None
        assert child.stdout.read(8) == b"." * 8
        assert os.getsid(child.pid) == os.getpid()
        os.kill(child.pid, signal.SIGSTOP)  # nor does it get any further
        signal_tree(signal.SIGTERM)
        signal_tree(signal.SIGCONT)
        assert child.wait(PATIENCE) == -signal.SIGTERM
        wait_until(lambda: not living())

    apart(send_to_a_group)


def test_a_group_of_others_is_not_signalled_whatever_their_session_is_called(cage):
    # In a PID namespace the session of those outside has the number 0.
    script = (
        "import os, signal, subprocess, sys\n"
        "from penstock.proc.signals import signal_tree\n"
        "ended = lambda: sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
        "if os.fork(): ended()\n"
        "os.setpgid(0, 0)\n"  # a user's script, of whose group the command is
        "assert os.getsid(0) == 0\n"
        "group = os.getpid()\n"
        "if os.fork(): ended()\n"
        "os.setpgid(0, 0)\n"
        "child = subprocess.Popen(['sleep', '1000'], process_group=group)\n"
        "signal_tree(signal.SIGTERM)\n"
        "os._exit(child.wait() != -signal.SIGTERM)\n"
    )
    assert cage(sys.executable, "-c", script) == (0, b"", b"")


def test_who_has_come_into_our_own_group_is_signalled_without_us():
    joins = "os.setpgid(0, os.getsid(0)); os.write(1, b'.'); rest()"

    def send_to_who_joined() -> None:
        child = subprocess.Popen(python(joins), stdout=subprocess.PIPE, process_group=0)
        assert child.stdout is not None
        assert child.stdout.read(1) == b"."
        signal_tree(signal.SIGTERM)
        assert child.wait(PATIENCE) == -signal.SIGTERM

    apart(send_to_who_joined)


def test_nobody_below_is_no_error():
    apart(lambda: signal_tree(signal.SIGKILL))


def test_who_is_gone_has_no_group():
    assert group_of(1 << 22) is None


# --- receiving ----------------------------------------------------------------------


def received(numbers: Sequence[int]) -> list[int | None]:
    for number in numbers:  # this test run may ignore them (nohup)
        signal.signal(number, signal.SIG_DFL)
    flags = SignalFlags()
    for number in numbers:
        os.kill(os.getpid(), number)
    readable = bool(select.select([flags], [], [], 0)[0])
    assert readable == bool(numbers)
    return [flags.take() for _ in range(len(numbers) + 1)]


def test_signals_are_noted_in_order_and_do_nothing_else():
    numbers = [signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    assert apart(lambda: received(numbers)) == [*numbers, None]


def test_without_a_signal_there_is_none_to_take():
    assert apart(lambda: received([])) == [None]


def test_a_ctrl_z_is_done_by_whoever_asks_and_asks_nobody_to_stop():
    def suspend_and_end() -> tuple[list[bool], int | None]:
        flags = SignalFlags()
        still: list[bool] = []
        flags.on_suspend = lambda: still.append(True)
        os.kill(os.getpid(), signal.SIGTSTP)
        assert not flags.ask_to_stop()
        for number in (signal.SIGTSTP, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert flags.ask_to_stop()
        return still, flags.take()

    assert apart(suspend_and_end) == ([True, True], signal.SIGTERM)


def test_what_is_ignored_at_the_start_stays_ignored():
    def ignore_and_send() -> int | None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        flags = SignalFlags()
        os.kill(os.getpid(), signal.SIGHUP)
        return flags.take()

    assert apart(ignore_and_send) is None


def test_a_flood_of_signals_blocks_nobody():
    def flood() -> int:
        flags = SignalFlags()
        for _ in range(70_000):
            signal.raise_signal(signal.SIGTERM)
        return flags.take() or 0

    assert apart(flood) == signal.SIGTERM


def test_an_error_lets_signals_work_as_usual_again():
    def fail() -> list[object]:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        flags = SignalFlags()
        with suppress(ZeroDivisionError), flags:
            os.kill(os.getpid(), signal.SIGTERM)
            raise ZeroDivisionError
        told = signal.set_wakeup_fd(-1)
        return [told, signal.getsignal(signal.SIGTERM), flags.close()]

    assert apart(fail) == [-1, signal.SIG_DFL, None]


@pytest.mark.parametrize("number", [1, 2, 3, 15], ids=lambda n: signal.Signals(n).name)
def test_dying_by_a_signal_shows_that_signal_and_leaves_no_core(number: int):
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
        die_by(number)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == number
    assert not os.WCOREDUMP(status)


CLEAN = """
import signal
from penstock.proc.signals import start_clean
signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)
signal.signal(signal.SIGTERM, lambda *_: None)
start_clean()
print(len(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
for name in ("CHLD", "HUP"):
    print(signal.getsignal(getattr(signal, "SIG" + name)).name)
signal.raise_signal(signal.SIGTERM)  # not heeded, but default again after execve(2)
print(signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN)
"""


def test_a_clean_start_empties_the_mask_and_keeps_what_is_ignored_on_purpose():
    said = subprocess.run(
        [sys.executable, "-c", CLEAN], capture_output=True, check=True
    )
    assert said.stdout.split() == [b"0", b"SIG_DFL", b"SIG_IGN", b"True"]

"""The leak guard names what a test leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading

import pytest

from tests.commands import daemon_and_exit, kill_all, ready_pid
from tests.leaks import Snapshot


@pytest.fixture
def before(marker):
    return Snapshot.take(marker)


def test_nothing_changes_by_looking(before, marker):
    assert before.changes(Snapshot.take(marker)) == []


def test_zombie_is_named(before, marker):
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        (line,) = before.changes(Snapshot.take(marker))
        assert f"{process.pid} [Z] (true)" in line


def test_daemon_is_named(before, marker):
    with subprocess.Popen(daemon_and_exit(), stdout=subprocess.PIPE) as process:
        pid = ready_pid(process.stdout)
        process.wait()
        changes = before.changes(Snapshot.take(marker))
        assert any(f"process left: {pid}" in line for line in changes)
        kill_all(marker)


def test_descriptor_is_named(before, marker):
    opened = os.open("/dev/null", os.O_RDONLY)
    changes = before.changes(Snapshot.take(marker))
    os.close(opened)
    assert changes == [f"descriptor left: {opened}: /dev/null"]


def test_closed_and_replaced_descriptors_are_named(marker):
    opened = os.open("/dev/null", os.O_RDONLY)
    before = Snapshot.take(marker)
    os.close(opened)
    (line,) = before.changes(Snapshot.take(marker))
    assert line == f"descriptor gone: {opened}: /dev/null"


def test_thread_is_named(before, marker):
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="forgotten")
    thread.start()
    (line,) = before.changes(Snapshot.take(marker))
    over.set()
    thread.join()
    assert line.endswith("forgotten")


def test_signal_handler_is_named(before, marker):
    old = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    (line,) = before.changes(Snapshot.take(marker))
    signal.signal(signal.SIGUSR1, old)
    assert line.startswith("signal changed: SIGUSR1")


def test_blocked_signal_is_named(before, marker):
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    (line,) = before.changes(Snapshot.take(marker))
    signal.pthread_sigmask(signal.SIG_SETMASK, old)
    assert line.startswith("signal changed: mask")


def test_temporary_file_is_named(before, marker):
    with tempfile.NamedTemporaryFile() as file:
        changes = before.changes(Snapshot.take(marker))
        assert f"file left: {file.name}: temporary" in changes


def test_working_directory_is_named(before, marker, tmp_path):
    old = os.getcwd()
    os.chdir(tmp_path)
    (line,) = before.changes(Snapshot.take(marker))
    os.chdir(old)
    assert line.startswith("state changed: working directory")


def test_variable_is_named(before, marker):
    os.environ["PENSTOCK_FORGOTTEN"] = "1"
    (line,) = before.changes(Snapshot.take(marker))
    del os.environ["PENSTOCK_FORGOTTEN"]
    assert line == "variable left: PENSTOCK_FORGOTTEN: 1"

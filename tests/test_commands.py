"""The helper commands do what their names say, and nothing hides from `alive`."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import commands
from tests.commands import alive, is_running, kill_all, look_up, ready_pid, wait_until

LASTING = [
    commands.close_output,
    commands.double_fork,
    commands.fork_and_wait,
    commands.hide_from_marker,
    commands.ignore_term,
    commands.new_session,
    commands.print_ready,
]
PASSING = [commands.daemon_and_exit, commands.fork_and_exit, commands.hold_pipe]


@contextmanager
def started(argv: list[str], marker: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            kill_all(marker)


@pytest.mark.parametrize("command", LASTING, ids=lambda c: c.__name__)
def test_lasting_command_announces_a_process_that_runs_and_is_found(command, marker):
    with started(command(), marker) as process:
        pid = ready_pid(process.stdout)
        assert is_running(pid)
        assert process.poll() is None
        wait_until(lambda: pid in {found.pid for found in alive(marker)})


@pytest.mark.parametrize("command", PASSING, ids=lambda c: c.__name__)
def test_passing_command_exits_and_leaves_the_announced_process(command, marker):
    with started(command(), marker) as process:
        pid = ready_pid(process.stdout)
        assert process.wait() == 0
        assert is_running(pid)
        assert pid in {found.pid for found in alive(marker)}


def test_exit_with_exits_with_the_code(marker):
    with started(commands.exit_with(77), marker) as process:
        assert process.wait() == 77


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGINT])
def test_kill_self_dies_of_the_signal(number, marker):
    with started(commands.kill_self(number), marker) as process:
        assert process.wait() == -number


def test_ignore_term_ignores_it(marker):
    with started(commands.ignore_term(), marker) as process:
        ready_pid(process.stdout)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)


def test_stop_self_is_stopped(marker):
    with started(commands.stop_self(), marker) as process:
        pid = ready_pid(process.stdout)
        wait_until(lambda: (found := look_up(pid)) and found.state == "T")


def test_flood_writes_that_many_bytes(marker):
    with started(commands.flood(100_000), marker) as process:
        assert process.communicate()[0] == bytes(100_000)


def test_slow_reader_reads_that_many_bytes():
    with subprocess.Popen(
        commands.slow_reader(8192), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.communicate(bytes(8192))
        assert process.returncode == 0


def test_print_environment_tells_what_it_was_given(tmp_path):
    out = subprocess.check_output(commands.print_environment(), cwd=tmp_path)
    told = dict(line.rsplit(b" ", 1) for line in out.splitlines())
    assert told[b"cwd"] == bytes(tmp_path)
    assert told[b"SigBlk"].strip(b"0") == b""
    assert b"fd 1" in told


def test_process_is_found_while_it_replaces_its_program(marker):
    """Else `kill_all` would leave it running, once in some thousand times."""
    text = (
        'test "$1" -gt 0 && exec /bin/sh -c "$0" "$0" $(($1 - 1)); echo ready $$; cat'
    )
    with subprocess.Popen(
        ["/bin/sh", "-c", text, text, "400"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        os.set_blocking(process.stdout.fileno(), False)
        while not process.stdout.read():
            assert process.pid in {found.pid for found in alive(marker)}


def test_wait_until_gives_up_and_says_what_it_saw():
    with pytest.raises(TimeoutError, match="last 0"):
        wait_until(lambda: 0, timeout=0.01)


def test_cage_kills_what_is_left_in_it(cage, marker):
    done = cage("sh", "-c", "setsid sleep 1000 & echo $$")
    assert done.out == b"1\n"
    assert alive(marker) == []

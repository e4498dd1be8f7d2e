"""``penstock exec``, as a user meets it."""

from __future__ import annotations

import os
import signal

import pytest

from penstock.clock import MonotonicClock
from tests.commands import (
    PATIENCE,
    alive,
    exit_with,
    ignore_term,
    ready_pid,
    sh,
    wait_until,
)


def test_the_output_and_the_status_are_the_commands_own(penstock_cli):
    done = penstock_cli("exec", "--", *sh("echo out; echo err >&2; exit 7"))
    assert done == (7, b"out\n", b"err\n")


@pytest.mark.parametrize("code", [0, 1, 2, 123, 124, 125, 126, 127, 128, 137, 255])
def test_exit_codes_pass_through(penstock_cli, code):
    assert penstock_cli("exec", "--", *exit_with(code)).status == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGSEGV, signal.SIGKILL])
def test_a_death_by_signal_is_128_and_the_signal(penstock_cli, number):
    done = penstock_cli("exec", "--", *sh(f"kill -{int(number)} $$"))
    assert done.status == 128 + number
    assert number.name.encode() in done.err


def test_a_deadline_is_124_within_a_second(penstock_cli):
    clock = MonotonicClock()
    started = clock.now()
    done = penstock_cli("exec", "-t", "0.5", "--", "sleep", "1000")
    assert done.status == 124
    assert clock.now() - started < 30  # a second, on a machine that is ours alone
    assert b"timed out after 0.5s" in done.err


def test_a_command_that_takes_term_for_success_is_still_124(penstock_cli):
    polite = sh("trap 'exit 0' TERM; while :; do sleep 0.05; done")
    assert penstock_cli("exec", "-t", "0.3", "--", *polite).status == 124


def test_nothing_is_left_of_a_session_an_immune_child_and_a_sleeper(
    penstock_cli, marker
):
    tree = 'setsid sleep 1000 & sh -c "trap \\"\\" TERM; sleep 1000" & sleep 1000'
    done = penstock_cli("exec", "-t", "0.5", "-g", "0.5", "--", "sh", "-c", tree)
    assert done.status == 124
    assert alive(marker) == []


def test_what_was_left_behind_is_named_and_ended(penstock_cli, marker):
    done = penstock_cli("exec", "--linger", "0.1", "--", *sh("sleep 300 & echo done"))
    assert done.status == 0
    assert done.out == b"done\n"
    assert b"sleep 300" in done.err
    assert alive(marker) == []


def test_a_missing_command_is_127_and_one_that_may_not_be_run_126(
    penstock_cli, tmp_path
):
    (tmp_path / "plain").write_text("text")
    missing = penstock_cli("exec", "--", "no_such_program")
    assert missing.status == 127
    assert b"no_such_program: not found in PATH" in missing.err
    assert penstock_cli("exec", "--", "./plain").status == 126


def test_options_end_at_the_command(penstock_cli):
    assert penstock_cli("exec", "-t", "5", "echo", "-t", "1").out == b"-t 1\n"


def test_standard_input_is_passed_on(penstock_cli):
    assert penstock_cli("exec", "--", "cat", stdin=b"a\0b\xff").out == b"a\0b\xff"


def test_standard_input_can_be_a_file(penstock_cli, tmp_path):
    (tmp_path / "in").write_bytes(b"text")
    done = penstock_cli("exec", "--stdin", "in", "--", "cat", stdin=b"not this")
    assert done.out == b"text"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_penstock_dies_by_the_signal_that_ended_it(penstock_cli, marker, number):
    with penstock_cli.start("exec", "--", *sh("echo ready; sleep 300")) as process:
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=20)
    assert process.returncode == -number
    assert b"Traceback" not in err
    assert alive(marker) == []


def test_a_second_signal_skips_the_grace(penstock_cli, marker):
    with penstock_cli.start("exec", "-g", "300", "--", *ignore_term()) as process:
        assert process.stdout.readline().startswith(b"ready")
        os.kill(process.pid, signal.SIGINT)
        wait_until(lambda: _pending_signals(process.pid) == 0)
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT
    assert alive(marker) == []


def _pending_signals(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["SigPnd"], 16) | int(fields["ShdPnd"], 16)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_it_runs_with_closed_descriptors(penstock_cli, cage, closed):
    line = f"{penstock_cli.program} exec -- true {closed}"
    assert cage("sh", "-c", line).status == 0


def test_an_unknown_option_is_a_usage_error(penstock_cli):
    done = penstock_cli("exec", "--tiemout", "5", "--", "true")
    assert done.status == 2
    assert b"--timeout" in done.err


def test_a_very_long_command_line_arrives_whole(penstock_cli):
    words = ["x" * 131_000] * 10
    done = penstock_cli("exec", "--", "sh", "-c", "exit $#", "sh", *words)
    assert done.status == 10


def test_a_broken_stderr_does_not_change_the_status(penstock_cli, cage):
    line = f"{penstock_cli.program} exec -t 0.2 -- sleep 5 2>/dev/full"
    assert cage("sh", "-c", line).status == 124


def test_the_command_notices_that_standard_output_is_closed(penstock_cli, cage):
    done = cage("sh", "-c", f"{penstock_cli.program} exec -- echo lost >&-")
    assert done.status == 1
    assert b"Bad file descriptor" in done.err


def test_a_penstock_below_penstock_keeps_its_grace(penstock_cli, tmp_path, marker):
    trap = "trap 'sleep 0.2; touch tidy; exit' TERM"
    inner = [penstock_cli.program, "exec", "--"]
    inner += sh(f"{trap}; sleep 300 & echo ready $$; wait")
    with penstock_cli.start("exec", "-g", "60", "--", *inner) as process:
        ready_pid(process.stdout)
        process.terminate()
        assert process.wait(PATIENCE) == -signal.SIGTERM
    assert (tmp_path / "tidy").exists()
    assert alive(marker) == []


def test_a_stderr_that_nobody_reads_does_not_hold_it_up(penstock_cli, marker):
    flood = sh("while :; do echo text >&2; done")
    with penstock_cli.start("exec", "-t", "0.5", "-g", "0.2", "--", *flood) as process:
        wait_until(lambda: process.poll() is not None)
    assert process.returncode == 124
    assert alive(marker) == []


def test_a_signal_that_was_blocked_is_heard(penstock_cli, marker):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        process = penstock_cli.start("exec", "--", *sh("echo ready; sleep 300"))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    with process:
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    assert alive(marker) == []

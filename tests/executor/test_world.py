"""P10: what a command finds when it starts, whatever this process is like."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from penstock.executor.pool import Pool
from penstock.model.job import Stage
from penstock.model.stream import Direct, Handed, Inherit, Log, Null
from penstock.proc.signals import session_of
from tests.commands import print_environment, python, sh
from tests.executor.jobs import job, outcomes_of, output_of, run, stage

RESTORED = (signal.SIGPIPE, signal.SIGXFSZ)  # which Python ignores, and nobody else


def world(pool: Pool, *before: Stage) -> dict[str, str]:
    """What the last stage of a job finds: name -> value."""
    printed = output_of(pool, *before, stage(print_environment()))
    pairs = [line.rsplit(" ", 1) for line in printed.decode().splitlines()]
    return dict(pairs)


def ignored_here() -> int:
    """The signals that this process ignores, but for Python's own: as in /proc."""
    line = Path("/proc/self/status").read_text().partition("SigIgn:\t")[2]
    mask = int(line[:16], 16)
    for number in RESTORED:
        mask &= ~(1 << (number - 1))
    return mask


def all_pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def test_no_signal_is_blocked_or_caught_or_ignored_that_the_user_did_not_ignore():
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    try:
        with Pool.open(1) as pool:
            seen = world(pool, stage(["true"]))
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    assert int(seen["SigBlk"], 16) == 0
    python_itself = sum(1 << (number - 1) for number in RESTORED)
    assert int(seen["SigIgn"], 16) & ~python_itself == ignored_here()


def test_a_shell_sees_no_signal_ignored_not_even_those_that_python_ignores(pool: Pool):
    seen = output_of(pool, stage(["grep", "-E", "SigIgn|SigBlk", "/proc/self/status"]))
    blocked, ignored = (int(line.split()[1], 16) for line in seen.splitlines())
    assert blocked == 0
    assert ignored == ignored_here()


def test_only_the_three_standard_descriptors_are_open():
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 (its only parameter)
    with Pool.open(1) as inheriting:
        seen = output_of(inheriting, stage(["true"]), stage(["ls", "/proc/self/fd"]))
    os.close(descriptor)
    assert seen.split() == [b"0", b"1", b"2", b"3"]  # 3 is the listing itself


def test_every_stage_has_only_its_own_ends_of_the_pipes(pool: Pool):
    ls = stage(["ls", "/proc/self/fd"], stderr=Null())
    for position in range(3):
        stages = [stage(["cat"])] * 3
        stages[position] = ls
        assert output_of(pool, *stages).split()[:4] in ([b"0", b"1", b"2", b"3"], [])


def test_it_has_a_group_of_its_own_in_a_session_that_is_not_ours(pool: Pool):
    seen = world(pool)
    assert seen["pgid"] == seen["pid"]
    assert int(seen["sid"]) != os.getsid(0)


def test_each_command_of_a_pipeline_has_a_session_of_its_own(pool: Pool):
    seen = world(pool, stage(["true"]))
    assert seen["sid"] == seen["pgid"] == seen["pid"]


def test_what_may_stay_has_a_session_of_its_own(pool: Pool):
    own = "os.getsid(0) == os.getpid()"
    asks = stage(python(f"assert {own}"))
    assert run(pool, job(asks)._replace(leaks="allow")).ok
    assert not run(pool, job(asks)).ok


@pytest.mark.slow
@pytest.mark.parametrize("number", ["TSTP", "TTIN", "TTOU"])
def test_what_only_a_terminal_could_continue_goes_on(pool: Pool, number: str):
    script = f"(kill -{number} 0; echo on); echo over"
    assert output_of(pool, stage(sh(script), stderr=Null())) == b"on\nover\n"


def test_those_in_the_session_of_a_command_are_its_worker_and_what_it_starts():
    tells = sh("echo $$; read go")
    with Pool.open(2) as pool:
        lines = [os.pipe(), os.pipe()]
        goes = [os.pipe(), os.pipe()]
        for at in (0, 1):
            waits = stage(tells, stdin=Handed(0), stdout=Handed(1))
            pool.submit(job(waits, name=str(at)), (goes[at][0], lines[at][1]))
        pids = [int(os.read(reader, 20)) for reader, _ in lines]
        sessions = [os.getsid(pid) for pid in pids]
        members = [{p for p in all_pids() if session_of(p) == s} for s in sessions]
        for _, writer in goes:
            os.write(writer, b"\n")
        assert all(outcome.ok for outcome in outcomes_of(pool, 2))
    for descriptor in (end for pair in lines + goes for end in pair):
        os.close(descriptor)
    assert members == [
        {pid, session} for pid, session in zip(pids, sessions, strict=True)
    ]


def test_stdin_is_empty_unless_asked_for(pool: Pool):
    assert output_of(pool, stage(["cat"])) == b""
    assert output_of(pool, stage(["readlink", "/proc/self/fd/0"])) == b"/dev/null\n"


def test_stdout_and_stderr_may_be_one(pool: Pool):
    both = stage(sh("echo out; echo err >&2"), stderr=Handed(0))
    assert output_of(pool, both) == b"out\nerr\n"


def test_standard_streams_may_be_crossed(pool: Pool):
    reader, writer = os.pipe()
    script = "for n in 1 2; do name=$(readlink /proc/$$/fd/$n); echo $name >&0; done"
    crossed = stage(sh(script), stdin=Handed(0), stdout=Inherit(2), stderr=Inherit(1))
    assert run(pool, job(crossed), (writer,)).ok
    os.close(writer)
    with open(reader, "rb") as stream:
        said = stream.read().splitlines()
    assert said == [os.readlink(f"/proc/self/fd/{n}").encode() for n in (2, 1)]


def test_the_tail_of_stderr_comes_with_the_outcome(pool: Pool):
    loud = stage(sh("echo one >&2; echo two >&2; exit 1"), stderr=Log(None, 6))
    (seen,) = run(pool, job(loud)).stages
    assert (seen.tail, seen.log_error) == (b"e\ntwo\n", None)


@pytest.mark.parametrize("path", ["/dev/full", "/tmp"])
def test_a_log_that_cannot_be_written_is_told_and_harms_nobody(pool: Pool, path: str):
    loud = stage(sh("echo before >&2; echo after >&2 || exit 9"), stderr=Log(path))
    outcome = run(pool, job(loud))
    (seen,) = outcome.stages
    assert outcome.ok
    assert seen.tail == b"before\nafter\n"
    assert path in (seen.log_error or "")


HAND_OVER = "import socket; socket.send_fds(socket.socket(fileno=0), [b'x'], [2])"


def test_a_stranger_that_holds_the_log_open_is_waited_for_no_longer_than_drain(
    pool: Pool,
):
    """Whoever has our pipe without being below us: a server that was handed it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        giving = stage([sys.executable, "-c", HAND_OVER], stdin=Handed(0))
        outcome = run(pool, job(giving, drain=0.05), (theirs.fileno(),))
        _, (kept,), _, _ = socket.recv_fds(ours, 1, 1)
    os.close(kept)
    assert outcome.ok
    assert "0.05 s" in (outcome.stages[0].log_error or "")


def test_a_direct_file_shows_what_is_written_while_the_job_runs(
    pool: Pool,
    tmp_path: Path,
):
    reading = sh(f"echo said; cat {tmp_path}/log >&2")
    outcome = run(pool, job(stage(reading, stdout=Direct(f"{tmp_path}/log"))))
    assert outcome.stages[0].tail == b"said\n"

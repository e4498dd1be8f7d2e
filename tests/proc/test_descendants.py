from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.proc.descendants import (
    children_of,
    descendants_of,
    describe,
    is_zombie,
    parent_of,
    stat_of,
)
from tests.commands import fork_and_wait, python, ready_pid, sh, wait_until
from tests.proc.apart import start

NOBODY = 1 << 22  # the largest PID that there may be, and one more (proc(5))


@contextmanager
def running(
    argv: list[str], program: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is killed and reaped at the end, with its group."""
    with subprocess.Popen(argv, executable=program, start_new_session=True) as process:
        yield process
        os.killpg(process.pid, 9)


def zombie_of_ours() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return process


def test_a_child_is_found_until_it_is_reaped():
    process = zombie_of_ours()
    assert process.pid in children_of(os.getpid())
    assert (is_zombie(process.pid), parent_of(process.pid)) == (True, os.getpid())
    process.wait()
    assert process.pid not in children_of(os.getpid())
    assert (is_zombie(process.pid), parent_of(process.pid)) == (True, None)


def test_descendants_come_with_their_parents_and_parents_first():
    with start(fork_and_wait()) as process:
        shell = ready_pid(process.stdout)
        wait_until(lambda: len(descendants_of([os.getpid()])) == 3)
        found = descendants_of([os.getpid()])
        assert found[0] == (shell, os.getpid())
        assert [parent for _, parent in found[1:]] == [shell, shell]
        os.killpg(shell, 9)


def test_nobody_has_no_children_and_no_parent():
    assert (children_of(NOBODY), descendants_of([NOBODY])) == ([], [])
    assert (parent_of(NOBODY), is_zombie(NOBODY)) == (None, True)


def test_a_name_that_looks_like_a_state_deceives_nobody(tmp_path: Path):
    program = tmp_path / ") Z 1 ("
    shutil.copy("/bin/sleep", program)
    with running(["sleep", "1000"], program) as process:
        comm = Path(f"/proc/{process.pid}/comm")
        wait_until(lambda: comm.read_text() == ") Z 1 (\n")  # execve(2) is not over
        assert not is_zombie(process.pid)
        assert parent_of(process.pid) == os.getpid()


def test_who_has_lost_its_first_thread_is_not_dead():
    ends_it = (
        "import ctypes, threading\n"
        "threading.Thread(target=signal.pause).start()\n"
        "ready()\n"
        "ctypes.CDLL(None).syscall(60 if os.uname().machine == 'x86_64' else 93, 0)"
    )
    with start(python(ends_it)) as process:
        pid = ready_pid(process.stdout)
        wait_until(lambda: stat_of(pid)[1][0] == b"Z")
        assert not is_zombie(pid)
        os.kill(pid, 9)


def test_a_process_is_described_by_its_command_line():
    with running(["sleep", "1000"]) as process:
        wait_until(lambda: describe(process.pid) == (process.pid, "sleep 1000"))


def test_a_zombie_is_described_by_its_name_for_it_has_no_command_line():
    process = zombie_of_ours()
    assert describe(process.pid) == (process.pid, "[true]")
    process.wait()


def test_who_is_gone_is_described_by_a_question_mark():
    assert describe(NOBODY) == (NOBODY, "?")


@pytest.mark.parametrize(
    ("word", "shown"),
    [("\udcff", "\udcff"), ("a  b\n", "a  b\n"), ("y" * 5000, "y" * 200)],
    ids=["no text", "blanks", "long"],
)
def test_a_command_line_is_shown_as_it_is_but_cut(word: str, shown: str):
    with start([*sh("echo ready $$; sleep 9000; :"), word]) as process:
        ready_pid(process.stdout)
        expected = f"/bin/sh -c echo ready $$; sleep 9000; : {shown}"[:200]
        assert describe(process.pid).command == expected
        os.killpg(process.pid, 9)

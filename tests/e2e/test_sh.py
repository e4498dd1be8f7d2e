"""``penstock-sh``, as make meets it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random

import pytest

from penstock.clock import MonotonicClock
from tests.commands import PATIENCE, alive, children, look_up, wait_until
from tests.conftest import Done, PenstockCli, plain_environment
from tests.peers import BIN, MAKES

needs_make = pytest.mark.skipif(not MAKES, reason="make is missing")


class Shell(PenstockCli):
    """Runs the installed ``penstock-sh``."""

    def __init__(self, cwd: Path, marker: str) -> None:
        super().__init__(cwd, marker)
        self.program = BIN / "penstock-sh"


@pytest.fixture
def shell(tmp_path: Path, marker: str) -> Shell:
    return Shell(tmp_path, marker)


@pytest.fixture(params=MAKES)
def make(
    request: pytest.FixtureRequest, tmp_path: Path, marker: str
) -> Callable[..., Done]:
    """``make(makefile, "-k", ...)``: with ``penstock-sh`` found in PATH."""

    def run(makefile: str, *words: str) -> Done:
        (tmp_path / "Makefile").write_text(makefile)
        path = f"{BIN}:{os.environ['PATH']}"
        done = subprocess.run(
            [request.param, *words],
            cwd=tmp_path,
            env=plain_environment() | {"PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE * 2,
            check=False,
        )
        assert alive(marker) == []
        return Done(done.returncode, done.stdout, done.stderr)

    return run


# --- as sh --------------------------------------------------------------------------

TEXTS = [
    "echo a  'b  c' \"$HOME\" \\$x",
    "exit 3",
    "nosuch-command",
    "echo $0 $# $1",
    "kill -TERM $$",
    "kill -KILL $$",
    "false; echo after",
    "cat",
    "echo x >&2; exit 126",
    "echo a | tr a b",
    "x=1; echo $x |\n tr 1 2",
    "(exit 9)",
    "umask; pwd; ulimit -c; trap",
    "if",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("flags", [["-c"], ["-ec"], ["-u", "-c"]])
def test_a_recipe_means_what_it_means_to_sh(shell, text, flags):
    ours = shell(*flags, text, "name", "1", stdin=b"in")
    theirs = subprocess.run(
        ["/bin/sh", *flags, text, "name", "1"],
        input=b"in",
        cwd=shell.cwd,
        capture_output=True,
        check=False,
    )
    assert ours == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_a_script_is_run_as_by_sh(shell, tmp_path):
    (tmp_path / "script").write_text("echo $0 $1; exit 4")
    assert shell("script", "x") == (4, b"script x\n", b"")


def test_another_shell_reads_the_recipe(shell):
    done = shell("--shell", "bash", "-c", "echo ${BASH_VERSION:+bash}")
    assert done == (0, b"bash\n", b"")


def test_the_subcommand_does_the_same(penstock_cli):
    assert penstock_cli("sh", "-ec", "echo x; exit 5") == (5, b"x\n", b"")


def test_descriptors_that_make_hands_on_are_inherited():
    reader, writer = os.pipe()
    try:
        subprocess.run(
            [BIN / "penstock-sh", "-c", f"echo x >/dev/fd/{writer}"],
            pass_fds=[writer],
            check=True,
        )
        assert os.read(reader, 9) == b"x\n"
    finally:
        os.close(reader)
        os.close(writer)


# --- more than sh -------------------------------------------------------------------


def test_a_deadline_is_124_and_names_the_recipe(shell, marker):
    done = shell("-t", "0.3", "-c", "sleep 100 & sleep 200")
    assert done.status == 124
    assert done.err.startswith(b"penstock-sh: timed out after 0.3s, killed by SIGTERM")
    assert alive(marker) == []


@pytest.mark.slow
def test_what_ignores_term_is_killed_after_the_grace(shell, marker):
    done = shell("-t2", "-g", "0.2", "-c", "trap '' TERM; sleep 100; sleep 100")
    assert done.status == 124
    assert b"killed by SIGKILL after 0.2s of grace" in done.err
    assert alive(marker) == []


def test_a_background_child_that_holds_the_output_is_ended_and_named(shell, marker):
    done = shell("--linger", "0.2", "-c", "sleep 300 & echo done")
    assert (done.status, done.out) == (0, b"done\n")
    assert b"left behind, and ended: " in done.err
    assert b"sleep 300" in done.err
    assert alive(marker) == []


def test_a_pipeline_fails_with_its_first_command(shell):
    done = shell("-c", "exit 3 | cat")
    assert done.status == 3
    assert done.err == b"penstock-sh: command 1 of 2 exited with 3: exit 3\n"


def test_sigpipe_is_no_failure_where_the_reader_ended_well(shell):
    assert shell("-c", "yes | head -n 1") == (0, b"y\n", b"")


def test_a_shell_that_is_not_there_is_told(shell):
    done = shell("--shell", "/nosuch/sh", "-c", "x")
    assert done.status == 127
    assert b"/nosuch/sh: No such file or directory" in done.err


def test_a_wrong_option_is_2(shell):
    done = shell("-t", "soon", "-c", "x")
    assert (done.status, done.out) == (2, b"")
    assert b"-t: `soon` is not a time" in done.err


def test_help(shell):
    done = shell("--help")
    assert (done.status, done.err) == (0, b"")
    assert b".SHELLFLAGS = -t 5m -c" in done.out


# --- signals and deaths -------------------------------------------------------------

TREE = "setsid sleep 1000 & echo ready; sleep 1000"


def _start(shell: Shell, *words: str) -> subprocess.Popen[bytes]:
    process = shell.start(*words)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_and_then_us(shell, marker, number):
    with _start(shell, "-c", TREE) as process:
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode == -number
    assert alive(marker) == []


@pytest.mark.slow
def test_a_second_signal_does_not_wait_for_the_grace(shell, marker):
    deaf = "trap '' TERM; echo ready; sleep 1000"
    with _start(shell, "-g", "1000", "-c", deaf) as process:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode in (-signal.SIGINT, -signal.SIGTERM)
    assert alive(marker) == []


@pytest.mark.slow
@pytest.mark.parametrize("wait", [False, True], ids=["lean", "resumed"])
def test_killing_us_leaves_nothing(shell, marker, wait):
    with _start(shell, "-c", TREE) as process:
        if wait:  # until the worker has gone over to `resume_job`
            wait_until(lambda: _has_imported(_worker(process.pid)))
        process.kill()
        _, err = process.communicate(timeout=20)
    assert b"Traceback" not in err
    wait_until(lambda: not alive(marker))


@pytest.mark.slow
def test_killing_the_worker_leaves_nothing_and_is_told(shell, marker):
    with _start(shell, "-c", TREE) as process:
        os.kill(_worker(process.pid), signal.SIGKILL)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 125
    assert b"its worker was killed" in err
    assert alive(marker) == []


def _worker(pid: int) -> int:
    (worker,) = (each for each in children(pid) if each.command == "ps-worker")
    return worker.pid


def _has_imported(pid: int) -> bool:
    maps = Path(f"/proc/{pid}/maps").read_text()
    return "_posixsubprocess" in maps or "resource" in maps


def test_an_ignored_signal_stays_ignored(shell):
    process = subprocess.run(
        ["sh", "-c", f"trap '' INT; {shell.program} -c 'kill -INT $PPID $$; echo on'"],
        capture_output=True,
        check=False,
    )
    assert process.stdout == b"on\n"


# --- under make ---------------------------------------------------------------------

HEAD = "SHELL = penstock-sh\n.SHELLFLAGS = -t 3s -g 5 --linger 0.2 -ec\n"


@needs_make
@pytest.mark.slow
def test_make_sees_each_ending_and_goes_on(make):
    done = make(
        HEAD + "all: a b c d e f\n"
        "a:\n\t@exit 0\nb:\n\t@exit 1\nc:\n\t@sleep 60\nd:\n\t@nosuch\n"
        "e:\n\t@kill -SEGV $$$$\nf:\n\t@sleep 100 &\n",
        "-k",
        "-j3",
    )
    told = done.err.decode()
    assert done.status == 2
    assert "*** [Makefile:7: b] Error 1" in told
    assert "Makefile:9: timed out after 3s, killed by SIGTERM: sleep 60\n" in told
    assert "*** [Makefile:9: c] Error 124" in told
    assert "*** [Makefile:11: d] Error 127" in told
    assert "*** [Makefile:13: e] Segmentation fault" in told
    assert "Makefile:15: left behind, and ended: " in told
    assert ": f]" not in told


@needs_make
def test_quotes_dollars_and_the_environment_are_as_with_sh(make):
    done = make(
        "SHELL = penstock-sh\nexport X = a  b\nall:\n"
        "\t@echo \"$$X\" 'q  q' $$((1+1)) $@ \\\n\t  more # comment\n"
        "\t@test -n '$(shell echo x | cat)'\n",
    )
    assert done == (0, b"a  b q  q 2 all more\n", b"")


@needs_make
def test_a_whole_recipe_at_once(make):
    makefile = "SHELL = penstock-sh\n.SHELLFLAGS = -t 5s -ec\n.ONESHELL:\nall:\n"
    done = make(makefile + "\t@x=1\n\techo $$x\n\tfalse\n\techo never\n")
    assert done.status == 2
    assert done.out == b"1\n"


@needs_make
@pytest.mark.slow
def test_what_an_interrupted_recipe_has_begun_is_deleted(make, tmp_path):
    makefile = HEAD + ".DELETE_ON_ERROR:\nout:\n\t@echo half >$@; sleep 60\n"
    assert make(makefile).status == 2
    assert not (tmp_path / "out").exists()


@needs_make
def test_success_is_quiet(make):
    assert make("SHELL = penstock-sh\nall:\n\t@true\n\t@true | cat\n") == (0, b"", b"")


@needs_make
@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_ctrl_c_at_any_instant_leaves_nothing(tmp_path, marker):
    makefile = HEAD.replace("3s", "60s") + "all: a b c\n.DELETE_ON_ERROR:\n"
    recipe = "\techo half >$@; sleep 100 & setsid sleep 100 | cat; echo whole >$@\n"
    targets = "".join(f"{name}:\n{recipe}" for name in "abc")
    (tmp_path / "Makefile").write_text(makefile + targets)
    path = f"{BIN}:{os.environ['PATH']}"
    random = Random(7)
    n_kept = 0
    for _ in range(20):
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.chdir(tmp_path)
                environment = plain_environment() | {"PATH": path}
                os.execve(MAKES[0], ["make", "-sj3"], environment)
            finally:
                os._exit(127)
        wait_until(partial(_has_become_make, pid))
        select.select([], [], [], random.uniform(0, 0.4))
        os.write(terminal, b"\x03")
        status = _wait_for(pid, terminal)
        os.close(terminal)
        # make dies of the signal, or it was too early for make itself to notice
        assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) in (2, 130)
        assert alive(marker) == []
        # make deletes the target, then waits: what is written in between stays.
        left = [name for name in "abc" if (tmp_path / name).exists()]
        n_kept += len(left) == 3
        for name in left:
            (tmp_path / name).unlink()
    assert n_kept < 10


def _has_become_make(pid: int) -> bool:
    found = look_up(pid)
    return found is None or "make -sj3" in found.command


def _wait_for(pid: int, terminal: int) -> int:
    """The wait status of `pid`; reads what it prints meanwhile."""

    def reaped() -> tuple[int, int] | None:
        with suppress(OSError):  # nobody holds the other side any more
            if select.select([terminal], [], [], 0)[0]:
                os.read(terminal, 4096)
        done = os.waitpid(pid, os.WNOHANG)
        return done if done[0] else None

    found = wait_until(reaped)
    assert found is not None
    return found[1]


@needs_make
@pytest.mark.slow
def test_plain_make_waits_for_what_the_recipe_left_behind(tmp_path):
    """What `penstock-sh` is for: without it, the reader of make's output hangs."""
    (tmp_path / "Makefile").write_text("all:\n\t@sleep 3 & echo x\n")
    clock = MonotonicClock()
    started = clock.now()
    subprocess.run([MAKES[0]], cwd=tmp_path, capture_output=True, check=True)
    assert clock.now() - started > 2

"""``--isolate pidns``: nothing survives, whoever is killed, and how it ends is told."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

import penstock
from penstock.proc.descendants import children_of
from penstock.proc.isolate import try_isolation
from tests.commands import (
    PATIENCE,
    alive,
    daemon_and_exit,
    double_fork,
    fork_and_wait,
    hide_from_marker,
    ignore_term,
    new_session,
    ready_pid,
    sh,
    stop_self,
    wait_until,
)
from tests.conftest import plain_environment

NOBODY = 65534
PYTHON = "/usr/bin/python3"  # our own may be where nobody else can read
SOURCE = str(Path(penstock.__file__).parent.parent)
START = (
    f"import sys; sys.path.insert(0, {SOURCE!r}); import penstock.__main__ as main; "
    "main.main()"
)
AS_NOBODY = (PYTHON, "-ISBc", START)
HIDING = (
    *(fork_and_wait, double_fork, new_session, stop_self, ignore_term),
    *(hide_from_marker, daemon_and_exit),
)


@pytest.fixture(scope="module", autouse=True)
def _needs_namespaces() -> None:
    why = try_isolation()
    if why:
        pytest.skip(f"no PID namespaces here: {why}")


@pytest.mark.parametrize("command", HIDING, ids=lambda c: c.__name__)
def test_nothing_survives_a_kill_of_all_layers_at_once(penstock_cli, marker, command):
    argv = ("exec", "--isolate", "pidns", "-g", "60", "--linger", "60", "--")
    with penstock_cli.start(*argv, *command()) as process:
        ready_pid(process.stdout)
        kill_all_layers(process.pid)
    wait_until(lambda: not alive(marker))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
@pytest.mark.skipif(not os.path.exists(PYTHON), reason=f"{PYTHON} is not there")
def test_nobody_can_have_it_too(marker):
    argv = [*AS_NOBODY, "exec", "--isolate", "pidns", "--linger", "60", "--"]
    with subprocess.Popen(
        [*argv, *sh("id -u; env -i setsid sleep 1000 & echo ready $$; exit")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=plain_environment() | {"PATH": "/usr/bin:/bin"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=(),
    ) as process:
        first = process.stdout.readline() if process.stdout else b""
        if not first:
            pytest.skip(f"not for nobody: {process.communicate()[1]!r}")
        assert int(first) == NOBODY
        ready_pid(process.stdout)
        kill_all_layers(process.pid)
        wait_until(lambda: not alive(marker))
        assert process.communicate() == (b"", b"")  # nobody holds its output


@pytest.mark.parametrize("subcommand", ["exec", "pipe"])
def test_the_status_is_that_of_the_command(penstock_cli, subcommand):
    words = ["--", *sh("exit 7")] if subcommand == "exec" else ["sh -c 'exit 7'"]
    assert penstock_cli(subcommand, "--isolate", "pidns", *words).status == 7


def test_a_timeout_is_124(penstock_cli):
    done = penstock_cli("exec", "--isolate=pidns", "-t", "100ms", "--", "sleep", "99")
    assert done.status == 124


def test_jobs_of_a_file_are_isolated(penstock_cli, tmp_path):
    (tmp_path / "p.yaml").write_text("jobs: {a: {run: echo $$}, b: {run: echo $$}}\n")
    done = penstock_cli("run", "--isolate", "pidns", "p.yaml")
    assert done.status == 0
    assert all(int(pid) < 10 for pid in done.out.split())
    assert len(done.out.split()) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_penstock_dies_by_it(penstock_cli, number):
    with penstock_cli.start("exec", "--isolate", "pidns", "--", "cat") as process:
        wait_until(lambda: commands_of(process.pid))
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number


def test_without_a_namespace_it_says_so_and_runs_nothing(cage, penstock_cli):
    script = (
        'echo 0 > /proc/sys/user/max_pid_namespaces && exec "$0" exec '
        "--isolate pidns -- echo run"
    )
    done = cage("unshare", "-Ur", "sh", "-c", script, str(penstock_cli.program))
    assert (done.status, done.out) == (125, b"")
    assert b"--isolate pidns is not to be had here: unshare: No space" in done.err
    assert b"penstock doctor" in done.err


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
@pytest.mark.skipif(not os.path.exists(PYTHON), reason=f"{PYTHON} is not there")
def test_without_a_control_group_it_says_so_and_runs_nothing():
    done = subprocess.run(
        [*AS_NOBODY, "exec", "--isolate", "cgroup", "--", "echo", "run"],
        capture_output=True,
        cwd="/",
        env=plain_environment() | {"PATH": "/usr/bin:/bin"},
        user=NOBODY,
        group=NOBODY,
        extra_groups=(),
        check=False,
    )
    if b"ModuleNotFoundError" in done.stderr:
        pytest.skip(f"not for nobody: {done.stderr!r}")
    assert (done.returncode, done.stdout) == (125, b"")
    assert b"--isolate cgroup is not to be had here" in done.stderr


def test_another_isolation_is_told_those_that_there_are(penstock_cli):
    done = penstock_cli("exec", "--isolate", "vm", "true")
    assert done.status == 2
    assert b"`vm` is no isolation: write one of none, pidns, cgroup" in done.err


def commands_of(user: int) -> list[int]:
    return [
        c for n in children_of(user) for w in children_of(n) for c in children_of(w)
    ]


def kill_all_layers(user: int) -> None:
    """As if in the same instant: nobody of them can act in between."""
    (nursery,) = children_of(user)
    layers = (nursery, *children_of(nursery))
    for pid in layers:
        os.kill(pid, signal.SIGSTOP)
    for pid in (*layers, user):
        with suppress(ProcessLookupError):  # one dies with the other
            os.kill(pid, signal.SIGKILL)

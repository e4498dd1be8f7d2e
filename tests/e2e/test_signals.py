"""What the user's signals do: Ctrl-C at any instant, Ctrl-Z, and what is ignored."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.commands import (
    PATIENCE,
    Found,
    alive,
    children,
    look_up,
    sh,
    wait_until,
)

SEED = random.randrange(1 << 32)
BLOCKING = ("env", "--block-signal=INT")


def interrupted(cli, *before: str, after: float) -> tuple[int, bytes]:
    """How penstock ends when SIGINT comes so many seconds after its start."""
    argv = [*before, str(cli.program), "exec", "--", "sleep", "300"]
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        threading.Event().wait(after)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE * 2)
    return process.returncode, err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_interrupt_at_any_instant_ends_it_by_that_signal(penstock_cli, marker):
    tried = subprocess.run([*BLOCKING, "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("env(1) cannot block signals here")
    chance = random.Random(SEED)
    ends = [
        interrupted(penstock_cli, after=chance.uniform(0, 0.13)) for _ in range(100)
    ]
    assert {err for _, err in ends} == {b""}, (SEED, ends)
    assert ends.count((-signal.SIGINT, b"")) >= 99, (SEED, ends)
    assert alive(marker) == []


@pytest.mark.long  # Python's own start may swallow a signal, then all goes on
@pytest.mark.timeout(300)
def test_where_env_cannot_block_only_the_start_of_python_itself_tells_another_story(
    penstock_cli, tmp_path, marker
):
    limited = tmp_path / "env"
    limited.write_text("#!/bin/sh\nexit 1\n")
    limited.chmod(0o755)
    path = f"PATH={tmp_path}:{os.environ['PATH']}"
    chance = random.Random(SEED)
    for _ in range(60):
        after = chance.uniform(0, 0.12)
        status, err = interrupted(penstock_cli, "/usr/bin/env", path, after=after)
        assert status in (-signal.SIGINT, 1), (SEED, after, err)
        assert b"penstock/cli" not in err, (SEED, after, err)
        # In its own start Python says so, or nothing more than the name of the error.
        of_python = b"Fatal Python error: init_" in err or err == b"KeyboardInterrupt\n"
        assert status != 1 or of_python, (SEED, after, err)
    assert alive(marker) == []


@pytest.mark.parametrize("name", ["penstock", "penstock-sh"])
def test_it_is_found_by_a_link_and_hands_on_every_word(penstock_cli, tmp_path, name):
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / "link"
    link.symlink_to(penstock_cli.program.with_name(name))
    words = {"penstock": ["exec", "--", "sh"], "penstock-sh": []}[name]
    script = "printf '<%s>' \"$@\"; grep SigBlk /proc/self/status; exit 7"
    done = subprocess.run(
        [link, *words, "-c", script, "name", "a b", "", "c'd", "$e"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 7, done
    assert done.stdout == b"<a b><><c'd><$e>SigBlk:\t0000000000000000\n"


# --- what is ignored at the start ---------------------------------------------------


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM"])
def test_what_is_ignored_at_the_start_stays_ignored(penstock_cli, marker, name):
    line = f"trap '' {name}; exec {penstock_cli.program} exec -- sh -c '{READ}'"
    with subprocess.Popen(
        sh(line), stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, getattr(signal, f"SIG{name}"))
        process.stdin.write(b"5\n")
        process.stdin.close()
        assert process.wait(PATIENCE) == 5
    assert alive(marker) == []


READ = "echo ready; read code; exit $code"


# --- Ctrl-Z -------------------------------------------------------------------------


def states(marker: str, word: str) -> set[str]:
    found = [p for p in alive(marker) if p.command == word]
    return {each.state for p in found if (each := look_up(p.pid))}


@pytest.mark.slow
@pytest.mark.parametrize("line", [" exec -t 60 -- sh -c", "-sh -t 60 -c"])
def test_a_ctrl_z_stops_the_jobs_too_and_fg_lets_them_go_on(
    penstock_cli, terminal, marker, line
):
    script = "echo rea''dy; sleep 3.25; echo do''ne"
    line = f'{penstock_cli.program}{line} "{script}"\n'
    terminal.type(line.encode())
    terminal.expect(b"ready")
    wait_until(lambda: states(marker, "sleep 3.25"))
    terminal.type(b"\x1a")
    terminal.expect(b"Stopped")
    wait_until(lambda: states(marker, "sleep 3.25") == {"T"})
    terminal.type(b"fg\n")
    terminal.expect(b"done")
    terminal.type(b"echo status $?\n")
    terminal.expect(b"status 0")


@pytest.mark.slow
@pytest.mark.parametrize("line", [" exec -- sh -c", "-sh -c"])
def test_a_ctrl_z_and_then_bg_and_a_ctrl_c_ends_it_all(
    penstock_cli, terminal, marker, line
):
    script = "echo rea''dy; sleep 1000"
    terminal.type(f'{penstock_cli.program}{line} "{script}"\n'.encode())
    terminal.expect(b"ready")
    terminal.type(b"\x1a")
    terminal.expect(b"Stopped")
    shell = terminal.foreground
    terminal.type(b"bg\n")
    wait_until(lambda: states(marker, "sleep 1000") == {"S"})
    terminal.type(b"fg\n")
    wait_until(lambda: terminal.foreground != shell)
    terminal.type(b"\x03")
    wait_until(lambda: not states(marker, "sleep 1000"))
    terminal.type(b"echo status $?\n")
    terminal.expect(b"status 130")


# --- who was stopped by somebody, and is not let go on ------------------------------


EXEC = ("exec", "--", "sh", "-c")


@pytest.mark.parametrize(
    ("line", "number"),
    [(EXEC, signal.SIGKILL), (EXEC, signal.SIGTERM), (("sh", "-c"), signal.SIGTERM)],
)
def test_a_guard_that_was_stopped_ends_all_the_same(penstock_cli, marker, line, number):
    with penstock_cli.start(*line, "echo ready; sleep 1000") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        (guard,) = [p.pid for p in children(process.pid) if is_guard_of(process.pid, p)]
        os.kill(guard, signal.SIGSTOP)
        process.send_signal(number)
        assert process.wait(PATIENCE) == -number
        wait_until(lambda: not alive(marker))


def is_guard_of(pid: int, found: Found) -> bool:
    """Whether it is the child, not deeper below."""
    fields = Path(f"/proc/{found.pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]) == pid


def test_the_deadline_of_a_recipe_does_not_wait_for_who_was_stopped(
    penstock_cli, marker
):
    line = ("sh", "-t", "2", "-c", "echo ready; sleep 1000")
    with penstock_cli.start(*line) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        for found in alive(marker):
            if found.command == "ps-worker":
                with suppress(ProcessLookupError):
                    os.kill(found.pid, signal.SIGSTOP)
        assert process.wait(PATIENCE) == 124
    assert alive(marker) == []

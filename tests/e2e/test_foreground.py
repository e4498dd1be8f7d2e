"""``exec --foreground``: one command has the terminal, and gives it back."""

from __future__ import annotations

import os
import shutil
import signal
from subprocess import Popen

import pytest

from tests.commands import PATIENCE, alive, look_up, wait_until
from tests.e2e.terminals import read_until

pytestmark = pytest.mark.slow


def typed(penstock_cli, *words: str) -> bytes:
    """The line that has a command run in the foreground, as it is typed."""
    line = f"{penstock_cli.program} exec --foreground {' '.join(words)}\n"
    return line.encode()


def ask_for_status(terminal, status: int) -> None:
    """The shell has the terminal again, and says how penstock ended."""
    wait_until(lambda: terminal.foreground == terminal.shell)
    terminal.type(b"echo status $?.\n")
    terminal.expect(b"status %d." % status)


def left(marker: str) -> list[str]:
    """What is alive besides the shell at the terminal."""
    shell = "bash --norc --noprofile -i"
    return [p.command for p in alive(marker) if p.command != shell]


def sleeper(marker: str) -> int:
    found = [p.pid for p in alive(marker) if p.command == "sleep 1000"]
    return found[0] if found else 0


def test_it_may_ask_for_a_password(penstock_cli, terminal, marker):
    script = "\"read -s -p 'pass''word: ' word; echo got \\$word; exit 3\""
    terminal.type(typed(penstock_cli, "--", "bash", "-c", script))
    terminal.expect(b"password: ")
    wait_until(lambda: not terminal.echoes)
    terminal.type(b"secret\n")
    terminal.expect(b"got secret")
    ask_for_status(terminal, 3)
    assert left(marker) == []


def test_it_may_be_a_recipe_of_a_make_that_has_a_jobserver(penstock_cli, terminal):
    line = typed(penstock_cli, "--", "echo", "from", "'below'")
    terminal.type(b"MAKEFLAGS='-j4 --jobserver-auth=998,999' " + line)
    terminal.expect(b"from below")
    ask_for_status(terminal, 0)


def test_a_ctrl_c_is_for_the_command_and_ends_us_if_it_ends_that(
    penstock_cli, terminal, marker
):
    terminal.type(typed(penstock_cli, "--", "sleep", "1000"))
    wait_until(lambda: sleeper(marker))
    terminal.type(b"\x03")
    ask_for_status(terminal, 128 + signal.SIGINT)
    assert left(marker) == []


def test_a_command_that_heeds_a_ctrl_c_goes_on(penstock_cli, terminal):
    script = "\"trap 'echo in''terrupted' INT; echo rea''dy; read word; read word; "
    script += 'exit 5"'
    terminal.type(typed(penstock_cli, "--", "bash", "-c", script))
    terminal.expect(b"ready")
    terminal.type(b"\x03")
    terminal.type(b"go on\n")
    terminal.expect(b"interrupted")
    terminal.type(b"on\n")
    ask_for_status(terminal, 5)


def test_a_command_that_ends_at_a_ctrl_c_has_said_how(penstock_cli, terminal):
    script = "\"trap 'exit 5' INT; echo rea''dy; read word; read word\""
    for _ in range(5):  # it is gone before we look, or it is not
        terminal.type(typed(penstock_cli, "--", "bash", "-c", script))
        terminal.expect(b"ready")
        terminal.type(b"\x03")
        ask_for_status(terminal, 5)


def test_a_ctrl_c_is_for_us_when_the_command_is_gone(penstock_cli, terminal, marker):
    script = "\"setsid sleep 1000 & echo rea''dy\""
    line = typed(penstock_cli, "--linger", "600", "--", "sh", "-c", script)
    terminal.type(line)
    terminal.expect(b"ready")
    # The shell that started it has to be gone: the key would be for it.
    wait_until(
        lambda: sleeper(marker) and not [p for p in left(marker) if p.startswith("sh ")]
    )
    terminal.type(b"\x03")
    ask_for_status(terminal, 128 + signal.SIGINT)
    assert left(marker) == []


def test_a_ctrl_z_stops_both_and_no_time_passes(penstock_cli, terminal, marker):
    script = "\"trap 'echo on''ward' CONT; echo rea''dy; sleep 1000\""
    terminal.type(typed(penstock_cli, "-t", "3.5", "--", "bash", "-c", script))
    terminal.expect(b"ready")
    wait_until(lambda: sleeper(marker))
    for _ in range(2):
        terminal.type(b"\x1a")
        terminal.expect(b"Stopped")
        wait_until(lambda: (look := look_up(sleeper(marker))) and look.state == "T")
        terminal.type(b"sleep 2; fg\n")
        wait_until(lambda: terminal.foreground != terminal.shell)
        wait_until(lambda: (look := look_up(sleeper(marker))) and look.state == "S")
    terminal.expect(b"timed out after 3.5s")
    ask_for_status(terminal, 124)
    assert left(marker) == []


def test_what_is_killed_leaves_the_terminal_as_it_was(penstock_cli, terminal, marker):
    script = "\"stty -echo; trap '' TERM; echo rea''dy; sleep 1000; sleep 1000\""
    timely = ("-t", "3", "-g", "0.1", "--")
    terminal.type(typed(penstock_cli, *timely, "sh", "-c", script))
    terminal.expect(b"ready")
    wait_until(lambda: not terminal.echoes)
    terminal.expect(b"killed by SIGKILL")
    ask_for_status(terminal, 124)
    terminal.type(b"stty -a\n")  # what is set while a command runs
    terminal.expect(b" echo ")
    wait_until(lambda: left(marker) == [])


def test_the_terminal_comes_back_from_a_shell_that_had_taken_it(
    penstock_cli, terminal, marker
):
    shell = ("bash", "--norc", "-i")
    # In a script nobody but penstock takes the terminal back.
    line = typed(penstock_cli, "-t", "5", "-g", "0.1", "--", *shell).decode().strip()
    terminal.type(f"sh -c '{line}; echo st''ty $(stty size)'\n".encode())
    wait_until(lambda: terminal.foreground != terminal.shell)
    script = terminal.foreground
    wait_until(lambda: terminal.foreground not in (terminal.shell, script))
    terminal.type(b"sleep 1000\n")
    wait_until(lambda: sleeper(marker))
    terminal.type(b"\x03sleep 1000\n")
    terminal.expect(b"stty ")  # it was not stopped for asking from the background
    ask_for_status(terminal, 0)
    assert left(marker) == []


def test_in_the_background_it_takes_nothing(penstock_cli, terminal, marker):
    line = typed(penstock_cli, "--", "sleep", "1000").strip()
    terminal.type(line + b" &\n")
    wait_until(lambda: sleeper(marker))
    assert terminal.foreground == terminal.shell
    terminal.type(b"kill %1; wait %1\n")
    ask_for_status(terminal, 128 + signal.SIGTERM)
    assert left(marker) == []


@pytest.mark.parametrize("layer", ["user", "nursery", "worker"])
def test_whoever_is_killed_nothing_survives(penstock_cli, terminal, marker, layer):
    script = '"sleep 1000 & sleep 1000; true"'
    terminal.type(typed(penstock_cli, "--", "sh", "-c", script))
    wait_until(lambda: left(marker).count("sleep 1000") == 2)
    (nursery,) = children(user := terminal.foreground)
    victim = {"user": user, "nursery": nursery, "worker": children(nursery)[0]}[layer]
    os.kill(victim, signal.SIGKILL)
    ask_for_status(terminal, {"user": 137}.get(layer, 125))
    wait_until(lambda: left(marker) == [])


def children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def test_an_editor_works(penstock_cli, terminal, tmp_path):
    if shutil.which("vi") is None:
        pytest.skip("needs vi")
    terminal.type(typed(penstock_cli, "--", "vi", str(tmp_path / "note")))
    wait_until(lambda: terminal.foreground != terminal.shell)
    terminal.type(b"ihello\x1b:wq\r")
    ask_for_status(terminal, 0)
    assert (tmp_path / "note").read_text() == "hello\n"


def test_without_a_terminal_it_is_refused(penstock_cli):
    done = penstock_cli("exec", "--foreground", "--", "true")
    assert done.status == 2
    assert b"--foreground needs a terminal" in done.err


def test_a_namespace_of_its_own_and_the_terminal_are_too_much(penstock_cli):
    done = penstock_cli("exec", "--foreground", "--isolate", "pidns", "--", "true")
    assert done.status == 2
    assert b"cannot be had together" in done.err


def test_who_has_no_shell_to_go_back_to_goes_on_at_a_ctrl_z(penstock_cli, marker):
    ours, theirs = os.openpty()
    try:
        script = "trap 'echo on''ward; exit 6' CONT; echo rea''dy; "
        script += "while :; do read x; done"
        line = [str(penstock_cli.program), "exec", "--foreground", "--"]
        with Popen(
            ["setsid", "-c", *line, "bash", "-c", script],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as alone:
            read_until(ours, b"ready")
            os.write(ours, b"\x1a")
            read_until(ours, b"onward")
            assert alone.wait(PATIENCE) == 6
    finally:
        os.close(ours)
        os.close(theirs)
    assert left(marker) == []

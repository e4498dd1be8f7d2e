"""Progress on a terminal: drawn, taken away, and never in the way."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.commands import wait_until
from tests.e2e.screens import on_terminal

WAITS = """
jobs:
  a: {run: 'echo one; until test -e go; do sleep 0.01; done; echo two', timeout: 5m}
  b: {run: 'until test -e go; do sleep 0.01; done'}
"""
DRAWN = re.compile(rb"0/2 jobs")
HEAD = r"0/2 jobs"


@pytest.fixture
def define(tmp_path):
    def write(text: str) -> None:
        (tmp_path / "penstock.yaml").write_text(text)

    return write


def test_what_runs_is_drawn_below_what_is_printed(penstock_cli, define, tmp_path):
    define(WAITS)
    with on_terminal(penstock_cli, "run", "-j2", "--output", "line") as terminal:
        terminal.wait_for_line("^one$")
        terminal.wait_for_line("0/2 jobs  2 running")
        terminal.wait_for_line(r"  a +[0-9]+s of 5m +[1-9][0-9.]* [KM]iB +echo *$")
        assert terminal.screen()[0] == "one"
        (tmp_path / "go").touch()
        assert terminal.end() == 0
        lines = terminal.screen()
        assert lines[0] == "one"
        assert "two" in lines
        assert lines[-1].startswith("2 jobs: 2 ok in")
        assert not [line for line in lines if "running" in line]
        assert b"\x1b[?" not in terminal.text  # the cursor was never hidden


def test_it_goes_on_while_nothing_happens(penstock_cli, define):
    define(WAITS)
    with on_terminal(penstock_cli, "run", "-j2") as terminal:
        wait_until(lambda: len(DRAWN.findall(terminal.read())) >= 3)
        terminal.wait_for_line(HEAD)
        assert sum("jobs" in line for line in terminal.screen()) == 1
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_clean_screen(penstock_cli, define, number):
    define(WAITS)
    with on_terminal(penstock_cli, "run", "-j2") as terminal:
        terminal.wait_for_line(HEAD)
        terminal.process.send_signal(number)
        assert terminal.end() == -number
        assert not [line for line in terminal.screen() if "running" in line]


def test_ctrl_z_takes_it_away_and_it_comes_back(penstock_cli, define, tmp_path):
    define(WAITS)
    with on_terminal(penstock_cli, "run", "-j2", "--output", "line") as terminal:
        terminal.wait_for_line(HEAD)
        pid = terminal.process.pid
        terminal.process.send_signal(signal.SIGTSTP)
        wait_until(lambda: os.waitpid(pid, os.WUNTRACED | os.WNOHANG)[0] == pid)
        terminal.read_all()
        assert terminal.screen() == ["one"]
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for_line(HEAD)
        (tmp_path / "go").touch()
        assert terminal.end() == 0


def test_a_short_run_draws_nothing(penstock_cli, define):
    define("jobs: {a: {run: 'true'}, b: {run: 'true'}}")
    with on_terminal(penstock_cli, "run", "-j2") as terminal:
        assert terminal.end() == 0
        took = re.search(r"in ([0-9.]+)(m?)s$", terminal.screen()[-1])
        assert took is not None
        if took[2] or float(took[1]) < 0.4:  # it may be long where much else runs
            assert b"running" not in terminal.text


@pytest.mark.parametrize(
    ("options", "env"),
    [
        (("--progress", "never"), {}),
        (("--quiet",), {}),
        (("--json",), {}),
        ((), {"NO_COLOR": "1"}),
        ((), {"TERM": "dumb"}),
        ((), {"MAKELEVEL": "1"}),
        (("-j1",), {}),
    ],
)
@pytest.mark.slow
def test_where_it_is_not_wanted_there_are_plain_lines(
    penstock_cli, define, options, env
):
    define("jobs: {a: {run: sleep 0.9}, b: {run: 'true'}}")
    with on_terminal(penstock_cli, "run", "-j2", *options, **env) as terminal:
        assert terminal.end() == 0
        assert b"running" not in terminal.text
        assert b"\x1b[A" not in terminal.text


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"MAKELEVEL": "1"}])
def test_it_can_be_wanted_all_the_same(penstock_cli, define, tmp_path, env):
    define(WAITS)
    line = ("run", "-j1", "--progress", "always")
    with on_terminal(penstock_cli, *line, **env) as terminal:
        terminal.wait_for_line(HEAD)
        (tmp_path / "go").touch()
        assert terminal.end() == 0
        assert terminal.screen()[:2] == ["one", "two"]


def test_output_that_goes_elsewhere_is_whole(penstock_cli, define, tmp_path):
    define(WAITS)
    with (
        open(tmp_path / "out", "wb") as out,
        on_terminal(penstock_cli, "run", "-j1", stdout=out.fileno()) as terminal,
    ):
        terminal.wait_for_line(HEAD)
        (tmp_path / "go").touch()
        assert terminal.end() == 0
    assert (tmp_path / "out").read_bytes() == b"one\ntwo\n"


def test_a_line_that_was_begun_is_not_drawn_over(penstock_cli, define, tmp_path):
    define("""
jobs:
  a: {run: 'printf begun; until test -e go; do sleep 0.01; done'}
  b: {run: 'until test -e go; do sleep 0.01; done'}
""")
    with on_terminal(penstock_cli, "run", "-j2", "--output", "live") as terminal:
        terminal.wait_for_line("^begun")
        terminal.wait_for_line(HEAD)
        assert terminal.screen()[0] == "begun"
        (tmp_path / "go").touch()
        assert terminal.end() == 0
        assert terminal.screen()[0] == "begun"


def test_a_pipe_gets_plain_lines(penstock_cli, define):
    define("jobs: {a: {run: sleep 0.7; echo a}, b: {run: 'false'}}")
    done = penstock_cli("run", "-k", "-j2", "--progress", "always")
    assert done.out == b"a\n"
    assert b"\x1b" not in done.err + done.out
    lines = [re.sub(r"[0-9.]+m?s", "T", line) for line in done.err.decode().split("\n")]
    assert [line for line in lines if "log" not in line] == [
        "FAIL  b: exited with 1",
        "  command:  false",
        f"  defined:  {lines[2].split()[-1]}",
        "ok    a  T  cpu T",
        "2 jobs: 1 ok, 1 failed in T",
        "",
    ]
    assert lines[-2].startswith("first failure: b: exited with 1; defined at ")

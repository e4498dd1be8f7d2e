"""How far ``penstock map`` is: drawn on a terminal, told in lines elsewhere."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator

import pytest

from tests.commands import PATIENCE, wait_until
from tests.e2e.screens import on_terminal

WAIT = "until test -e go; do sleep 0.01; done; echo {}"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Its ends; the test closes the one to write to."""
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)


@pytest.mark.parametrize("option", ["--bar", "--eta"])
def test_it_is_drawn_below_what_is_printed_and_taken_away(
    penstock_cli, tmp_path, option
):
    line = ("map", option, "-j2", f"test {{}} = c || {{ {WAIT}; }}; echo {{}}", ":::")
    with on_terminal(penstock_cli, *line, "a", "b", "c") as terminal:
        terminal.wait_for_line("0/3 jobs  2 running")
        (tmp_path / "go").touch()
        assert terminal.end() == 0
        assert sorted(terminal.screen()) == ["a", "a", "b", "b", "c"]
        assert b"\x1b[?" not in terminal.text  # the cursor was never hidden


def test_what_is_not_known_is_not_told(penstock_cli, tmp_path, pipe):
    reader, writer = pipe
    with on_terminal(
        penstock_cli, "map", "--bar", "-j1", "test {} = a; " + WAIT, stdin=reader
    ) as terminal:
        os.write(writer, b"a\nb\nc\n")
        terminal.wait_for_line("0 done  3\\+ known  1 running")
        os.close(writer)
        (tmp_path / "go").touch()
        assert terminal.end() == 0
        assert terminal.screen() == ["a", "b", "c"]


def test_a_message_does_not_stand_in_what_is_drawn(penstock_cli, tmp_path):
    text = "test {} = b || kill -9 $$; " + WAIT
    with on_terminal(penstock_cli, "map", "--bar", "-j2", text, ":::", "b", "a") as tty:
        tty.wait_for_line("1/2 jobs  1 failed  1 running")
        assert tty.screen()[0] == "penstock: job 2: killed by SIGKILL"
        (tmp_path / "go").touch()
        assert tty.end() == 1
        assert tty.screen()[-1] == "b"


@pytest.mark.parametrize("more", [[], ["--line-buffer"], ["-k"], ["--results", "d"]])
def test_output_that_goes_elsewhere_is_whole(penstock_cli, tmp_path, more):
    line = ("map", "--bar", "-j2", *more, WAIT, ":::", "a", "b")
    with (
        open(tmp_path / "out", "wb") as out,
        on_terminal(penstock_cli, *line, stdout=out.fileno()) as terminal,
    ):
        terminal.wait_for_line("0/2 jobs")
        (tmp_path / "go").touch()
        assert terminal.end() == 0
        assert terminal.screen() == []
    lines = [] if more[:1] == ["--results"] else [b"a", b"b"]
    assert sorted((tmp_path / "out").read_bytes().split()) == lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_clean_screen(penstock_cli, number):
    with on_terminal(penstock_cli, "map", "--bar", WAIT, ":::", "a") as terminal:
        terminal.wait_for_line("0/1 jobs")
        terminal.process.send_signal(number)
        assert terminal.end() == -number
        assert terminal.screen() == []


def test_ctrl_z_takes_it_away_and_it_comes_back(penstock_cli, tmp_path):
    with on_terminal(penstock_cli, "map", "--bar", WAIT, ":::", "a") as terminal:
        terminal.wait_for_line("0/1 jobs")
        pid = terminal.process.pid
        terminal.process.send_signal(signal.SIGTSTP)
        wait_until(lambda: os.waitpid(pid, os.WUNTRACED | os.WNOHANG)[0] == pid)
        terminal.read_all()
        assert terminal.screen() == []
        terminal.process.send_signal(signal.SIGCONT)
        terminal.wait_for_line("0/1 jobs")
        (tmp_path / "go").touch()
        assert terminal.end() == 0
        assert terminal.screen() == ["a"]


@pytest.mark.parametrize(
    ("options", "env"), [(["--bar"], {"TERM": "dumb"}), (["--bar", "-u"], {})]
)
def test_where_it_cannot_be_drawn_it_is_a_line(penstock_cli, options, env):
    line = ("map", *options, "echo {}", ":::", "a")
    with on_terminal(penstock_cli, *line, **env) as terminal:
        assert terminal.end() == 0
        assert b"\x1b" not in terminal.text
        first, second = terminal.screen()
        assert first == "a"
        assert second.startswith("penstock: 1/1 jobs  0 running  ")


def test_a_pipe_gets_plain_lines(penstock_cli):
    done = penstock_cli("map", "--bar", "-k", "echo {}", ":::", "a", "b")
    assert (done.status, done.out) == (0, b"a\nb\n")
    assert done.err.startswith(b"penstock: 2/2 jobs  0 running  ")
    assert done.err.count(b"\n") == 1
    assert b"\x1b" not in done.err
    assert b"\r" not in done.err


def test_progress_is_told_in_json(penstock_cli):
    done = penstock_cli("map", "--progress", "-j1", "exit {}", stdin=b"0\n1\n")
    assert (done.status, done.out) == (1, b"")
    *_, last = [json.loads(line) for line in done.err.splitlines()]
    assert last.pop("at").endswith("Z")
    assert last.pop("elapsed") >= 0
    assert last == {
        "event": "Progress",
        "done": 2,
        "failed": 1,
        "running": 0,
        "known": 2,
        "total": 2,
        "left": None,
    }


def test_it_is_told_while_the_run_goes_on(penstock_cli, tmp_path, pipe):
    reader, writer = pipe
    with on_terminal(
        penstock_cli, "map", "--progress", "-j1", WAIT, stdin=reader, stdout=2
    ) as terminal:
        os.write(writer, b"a\n")
        terminal.wait_for_line('"done": 0, "failed": 0, "running": 1, "known": 1, ')
        os.close(writer)
        (tmp_path / "go").touch()
        assert terminal.end() == 0


def test_with_json_every_line_is_an_object(penstock_cli):
    done = penstock_cli("map", "--progress", "--json", "true", ":::", "a")
    events = [json.loads(line)["event"] for line in done.err.splitlines()]
    assert events[0] == "RunStarted"
    assert sorted(events[-2:]) == ["Progress", "RunEnded"]
    refused = penstock_cli("map", "--bar", "--json", "true", ":::", "a")
    assert refused.status == 2
    assert b"write --progress" in refused.err


def test_jobs_that_are_left_out_are_not_awaited(penstock_cli):
    line = ("map", "--joblog", "log", "--resume", "--progress", "-j1", "true", ":::")
    penstock_cli(*line, "a", "b")
    done = penstock_cli(*line, "a", "b", "c", timeout=PATIENCE)
    last = json.loads(done.err.splitlines()[-1])
    assert (last["done"], last["known"], last["total"]) == (1, 1, 1)

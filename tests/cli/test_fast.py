"""The fast reader: what it reads, and what it leaves to Typer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from penstock.cli.fast import parse_fast
from penstock.cli.lines.check import CheckOptions
from penstock.cli.lines.exec import ExecOptions
from penstock.cli.lines.pipe import PipeOptions
from penstock.cli.lines.run import RunOptions
from penstock.cli.options import Jobs


def read(argv: list[str]) -> object:
    """The options of the line; None if the fast reader leaves it to Typer."""
    asked = parse_fast(argv)
    return asked and asked[1]


HEAVY = {"argparse", "dataclasses", "inspect", "pydantic", "subprocess", "typer"}


@pytest.mark.parametrize(
    "argv",
    [
        ["-t5", "ls"],
        ["-t", "5", "ls"],
        ["--timeout=5", "ls"],
        ["--timeout", "5", "ls"],
        ["--timeout", "5", "--", "ls"],
        ["-t", "9", "-t5", "ls"],
    ],
)
def test_an_option_takes_its_text_in_each_way(argv):
    assert read(["exec", *argv]) == ExecOptions(("ls",), timeout=5.0)


def test_exec_leaves_to_the_command_what_follows_it():
    assert read(["exec", "-q", "ls", "-l", "--", "-t", "5"]) == ExecOptions(
        ("ls", "-l", "--", "-t", "5"), quiet=True
    )


def test_the_first_double_dash_ends_the_options_and_the_second_is_an_operand():
    assert read(["exec", "--", "--", "-q"]) == ExecOptions(("--", "-q"))
    assert read(["pipe", "a", "--", "-q", "--"]) == PipeOptions(("a", "-q", "--"))


def test_pipe_and_run_take_options_after_operands_too():
    assert read(["pipe", "a -b", "c", "-t5"]) == PipeOptions(("a -b", "c"), timeout=5.0)
    assert read(["run", "a", "-k", "b", "-qj4"]) == RunOptions(
        ("a", "b"), keep_going=True, quiet=True, jobs=Jobs(0, 4)
    )


def test_letters_are_combined_and_the_last_may_take_a_text():
    assert read(["run", "-qks", "a=1", "-vj", "-1"]) == RunOptions(
        quiet=True,
        keep_going=True,
        settings={"a": "1"},
        verbose=True,
        jobs=Jobs(100, -1),
    )


def test_a_text_may_look_like_an_option():
    assert read(["exec", "--stdin", "--", "ls"]) == ExecOptions(("ls",), stdin="--")
    assert read(["exec", "--stdin=-", "ls"]) == ExecOptions(("ls",), stdin="-")


def test_a_dash_and_an_empty_word_are_operands():
    assert read(["exec", "-", "-q"]) == ExecOptions(("-", "-q"))
    assert read(["run", "", "-", "-q"]) == RunOptions(("", "-"), quiet=True)


def test_check_takes_one_file_or_none():
    assert read(["check"]) == CheckOptions()
    assert read(["check", "-q", "a"]) == CheckOptions("a", quiet=True)


def test_undecodable_bytes_pass():
    assert read(["exec", "\udcff", "é"]) == ExecOptions(("\udcff", "é"))
    assert read(["run", "-s\udcff=\udcfe"]) == RunOptions(settings={"\udcff": "\udcfe"})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "check a b",
        "check --jobs 2",
        "chek",
        "exe ls",
        "--version",
        "-- exec ls",
        "exec",
        "exec --",
        "exec -q",
        "pipe -q",
        "exec -h",
        "exec --help",
        "run a --help",
        "exec --quie ls",
        "exec --unknown ls",
        "exec -x ls",
        "exec -qx ls",
        "exec -q- ls",
        "exec --quiet=1 ls",
        "exec -q=1 ls",
        "exec -t",
        "exec -qt",
        "exec --timeout",
        "exec -t= ls",
        "exec --timeout= ls",
        "exec --timeout= 5 ls",
        "exec --stdin= a ls",
        "exec -t=5 ls",
        "exec -t 5x ls",
        "exec -t -- ls",
        "exec -k ls",
        "exec --stdin= ls",
        "exec ---quiet ls",
        "exec -quiet ls",
        "run -j0",
        "run -s a",
        "run --stdin x",
    ],
)
def test_what_is_not_certain_is_left_to_typer(line):
    assert read(line.split()) is None


def test_a_blank_command_of_a_pipe_is_left_to_typer():
    assert read(["pipe", "true", " "]) is None


def test_nothing_heavy_is_loaded():
    text = (
        "import sys; before = {*sys.modules}\n"
        "from penstock.cli.fast import parse_fast\n"
        "assert parse_fast(['run', '-t5', '-j+1', '-sa=b', 'x'])\n"
        "print(*{*sys.modules} - before)"
    )
    out = subprocess.check_output([sys.executable, "-c", text], text=True)
    assert set(out.split()) & HEAVY == set()

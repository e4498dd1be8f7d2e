"""What Typer, built from the table, says: help, and what is wrong with a line."""

from __future__ import annotations

import subprocess
import sys

import pytest

from penstock.cli.app import parse
from penstock.cli.lines.check import CheckOptions
from penstock.cli.options import Answer
from penstock.cli.table import subcommands

SUBCOMMANDS = subcommands()


def refusal(*argv: str) -> str:
    """What is said on standard error; the status is that of wrong usage."""
    answer = parse(argv)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.out) == (2, "")
    return answer.err


def help_of(*argv: str) -> str:
    answer = parse(argv)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.err) == (0, "")
    return answer.out


@pytest.mark.parametrize("subcommand", SUBCOMMANDS, ids=lambda s: s.name)
def test_help_starts_with_usage_and_example_and_tells_every_option(subcommand):
    text = help_of(subcommand.name, "--help")
    first, _, second = text.splitlines()[:3]
    assert first == f"Usage: penstock {subcommand.name} {subcommand.usage}"
    assert second.strip() == subcommand.example
    for option in subcommand.options:
        assert ", ".join(option.names) in text


def test_help_of_the_program_starts_with_an_example_and_tells_the_exit_status():
    text = help_of("--help")
    assert text.splitlines()[2].strip() == "penstock exec -t 5 -- sleep 60"
    assert "125      penstock itself failed" in text
    for subcommand in SUBCOMMANDS:
        assert f"\n  {subcommand.name} " in text


@pytest.mark.parametrize("argv", [["-h"], ["exec", "-h"], ["run", "-q", "-h"]])
def test_help_has_a_short_name(argv):
    assert help_of(*argv) == help_of(*argv[:-1], "--help")


def test_nothing_is_coloured():
    assert "\x1b" not in help_of("exec", "--help") + refusal("exec", "--nonsense")


def test_without_arguments_the_help_is_said_as_an_error():
    assert refusal().startswith("Usage: penstock [OPTIONS] COMMAND")


def test_the_version_is_an_option_among_others():
    assert help_of("--version") == "penstock 0.1.0\n"


def test_a_wrong_value_is_told_with_option_value_and_what_was_expected():
    said = refusal("exec", "-t", "5x", "ls")
    assert "Usage: penstock exec" in said
    assert "'-t' / '--timeout': `5x`: there is no unit `x`; the units are ms" in said


def test_a_setting_without_equals_is_told_its_form():
    assert "'-s' / '--set': `a` sets nothing: write `NAME=VALUE`" in refusal(
        "run", "-s", "a"
    )


@pytest.mark.parametrize("name", ["run", "pipe", "exec"])
def test_an_unknown_option_is_told_the_nearest_ones(name):
    said = refusal(name, "--timeuot", "5", "ls")
    assert "No such option" in said
    assert "--timeuot" in said
    assert "--timeout" in said


def test_an_unknown_subcommand_is_told_the_nearest_one():
    assert "No such command 'exce'. Did you mean 'exec'?" in refusal("exce", "ls")


def test_an_option_is_not_abbreviated():
    assert "No such option" in refusal("exec", "--time", "5", "ls")


def test_a_missing_value_is_told_with_the_option():
    assert "'-g' requires an argument" in refusal("pipe", "true", "-g")


def test_a_missing_command_is_told():
    assert "Missing argument 'CMD [ARG]...'" in refusal("exec", "-q", "--")
    assert "Missing argument 'COMMAND...'" in refusal("pipe")


def test_a_blank_command_of_a_pipe_is_told():
    assert "'COMMAND...': expected a command" in refusal("pipe", "true", " ")


def test_undecodable_bytes_in_an_error_are_no_second_error():
    assert "--set" in refusal("run", "-s", "\udcff")
    assert "No such option" in refusal("exec", "--\udcff")


@pytest.mark.parametrize(
    ("argv", "given"),
    [
        ((), CheckOptions()),
        (("a.yaml",), CheckOptions("a.yaml")),
        (("-q", "x"), CheckOptions("x", quiet=True)),
        (
            ("\udcff", "-sa=1", "--set", "b=\udcff", "--json"),
            CheckOptions("\udcff", {"a": "1", "b": "\udcff"}, json=True),
        ),
    ],
)
def test_check_is_read(argv, given):
    asked = parse(["check", *argv])
    assert not isinstance(asked, Answer)
    assert asked[1] == given


def test_check_takes_one_file():
    assert "unexpected extra argument" in refusal("check", "a", "b")
    assert "'FILE': expected the name of a file" in refusal("check", "")


def test_help_does_not_load_rich():
    text = (
        "import sys; from penstock.cli.app import parse; parse(['--help'])\n"
        "print(sorted({'rich', 'pygments'} & sys.modules.keys()))"
    )
    out = subprocess.check_output([sys.executable, "-c", text], text=True)
    assert out == "[]\n"

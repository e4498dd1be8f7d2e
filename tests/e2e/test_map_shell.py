"""Which shell reads the commands of ``penstock map``."""

from __future__ import annotations

import pytest


def test_the_shell_that_is_asked_for_reads_the_command(penstock_cli):
    line = ("map", "--shell", "bash", 'echo "${BASH_VERSION:+bash}" <(:) {} | wc -w')
    assert penstock_cli(*line, ":::", "a") == (0, b"3\n", b"")


def test_it_may_have_options(penstock_cli):
    line = ("map", "--shell", "bash -o pipefail", "exit {} | cat", ":::")
    assert penstock_cli(*line, "3").status == 1
    assert penstock_cli(*line, "0").status == 0


def test_it_reads_what_is_mere_words_and_what_is_given_as_a_value(penstock_cli):
    line = ("map", "-k", "--shell", "bash", "type", ":::", "shopt")
    assert penstock_cli(*line) == (0, b"shopt is a shell builtin\n", b"")
    line = ("map", "-k", "--shell", "bash", ":::", "shopt -oq posix; echo $?", " ")
    assert penstock_cli(*line) == (0, b"1\n", b"")


@pytest.mark.parametrize("text", ["printf '<%s>'", "printf '<%s>' '{}'", 'x="{}"; p'])
def test_no_value_gets_out_of_its_quotes(penstock_cli, text):
    text = text.replace("; p", "; printf '<%s>' \"$x\"")
    values = ["a b", "'", '"', "$HOME", "`id`", "\\", "!x", "*", "a\nb", "\udcff"]
    ours = penstock_cli("map", "-k", text, ":::", *values)
    assert penstock_cli("map", "-k", "--shell", "bash", text, ":::", *values) == ours


@pytest.mark.parametrize(
    ("shell", "why"),
    [
        ("fish", "`fish` is none of"),
        ("python3", "is none of"),
        ("/nosuch/bash", "no program `/nosuch/bash`"),
        ("bash; x", "is no shell"),
        ("", "is no shell"),
    ],
)
def test_what_is_no_shell_is_refused(penstock_cli, shell, why):
    done = penstock_cli("map", "--shell", shell, "echo", ":::", "a")
    assert (done.status, done.out) == (2, b"")
    assert why in done.err.decode()

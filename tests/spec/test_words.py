from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock.spec.words import command_from_text, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sort -rn", ("sort", "-rn")),
        ("  sort\t-rn \n", ("sort", "-rn")),
        ("cut -d' ' -f1", ("cut", "-d ", "-f1")),
        ("awk '{print $1}'", ("awk", "{print $1}")),
        ('grep "it\'s"', ("grep", "it's")),
        ("printf_ ''", ("printf_", "")),
        ("a'b'\"c\"d", ("abcd",)),
        ("grep a=b --level=3", ("grep", "a=b", "--level=3")),
        ("true", ("true",)),
        ("/bin/echo 'a\nb'", ("/bin/echo", "a\nb")),
    ],
)
def test_plain_words_run_straight(text, words):
    assert split_words(text) == words


@pytest.mark.parametrize("syntax", list("\\$`;&|<>()*?[]{}~#!\n\r\0\x7f"))
def test_shell_syntax_needs_a_shell(syntax):
    assert split_words(f"cat a{syntax}b") is None


@pytest.mark.parametrize("active", list("\\$`"))
def test_what_is_active_in_double_quotes_needs_a_shell(active):
    assert split_words(f'cat "a{active}b"') is None


FOR_A_SHELL = """A=1 if time ! { cd echo printf test kill pwd ulimit set exec . : foo:
    '' 'echo' """


@pytest.mark.parametrize("first", FOR_A_SHELL.split())
def test_what_only_a_shell_knows_needs_a_shell(first):
    assert split_words(f"{first} x") is None


@pytest.mark.parametrize("text", ["", "  ", "\n", "cat 'a", 'cat "a', "cat 'a\0b'"])
def test_what_is_no_command_is_left_to_the_shell(text):
    assert split_words(text) is None


def test_a_text_with_syntax_becomes_a_shell_command():
    command = command_from_text("a | b", cwd="/", ok=(0, 1), env=(("A", "1"),))
    assert command.argv == ("/bin/sh", "-c", "a | b")
    assert command.typed == "a | b"
    assert (command.env, command.cwd, command.ok) == ((("A", "1"),), "/", (0, 1))


NASTY = st.text(alphabet="ab \t\n'\"=%-:,.+^@/é\\$`;|*?[]{}~#!", max_size=20)
TAME = st.text(alphabet="ab \t'\"=%-:,.+^@/é\xa0", max_size=30)


@given(NASTY | TAME)
@example("a 'b\nc' \"d'\" '' e''f")
@example("a \xa0b\u2003c")
def test_words_are_those_that_sh_finds(text):
    words = split_words(text)
    if words is None:
        return
    script = "printf '%s\\0' " + text
    out = subprocess.check_output(["/bin/sh", "-c", script])
    assert out.decode().split("\0")[:-1] == list(words)


def test_the_module_is_light():
    script = "import sys, penstock.spec.words; print(*sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", script], text=True)
    assert {"shlex", "dataclasses", "yaml"}.isdisjoint(out.split())

"""The words after ``penstock-sh``, as make puts them together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.make.shell_line import read_shell_line


def test_the_flags_of_sh_are_handed_on_without_the_c():
    line = read_shell_line(["-t", "5m", "-euc", "text", "name", "-x"])
    assert (line.flags, line.recipe) == (("-eu",), "text")
    assert line.rest == ("name", "-x")
    assert line.timeout == 300


@pytest.mark.parametrize("words", [["-c", "-e"], ["-ce"], ["-e", "-c"], ["-ec"]])
def test_c_may_stand_anywhere_among_the_flags(words):
    line = read_shell_line([*words, "text"])
    assert (line.flags, line.recipe, line.rest) == (("-e",), "text", ())


def test_an_option_by_name_takes_the_next_word():
    line = read_shell_line(["-euo", "pipefail", "-c", "text"])
    assert line.flags == ("-euo", "pipefail")


@pytest.mark.parametrize(
    "words", [["-t5"], ["-t", "5"], ["--timeout", "5s"], ["--timeout=5000ms"]]
)
def test_spellings_of_an_option(words):
    assert read_shell_line([*words, "-c", "text"]).timeout == 5


def test_the_other_options():
    words = ["-g", "1", "--linger=2", "--shell", "bash", "--at", "x", "-c", "text"]
    line = read_shell_line(words)
    assert (line.grace, line.linger, line.shell, line.at) == (1, 2, "bash", "x")


def test_a_text_that_looks_like_an_option_is_the_recipe():
    assert read_shell_line(["-c", "--", "-t"]).recipe == "-t"


def test_without_c_all_goes_to_the_shell():
    line = read_shell_line(["-e", "script", "-t", "5"])
    assert (line.recipe, line.flags) == (None, ("-e",))
    assert line.rest == ("script", "-t", "5")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-c"], "-c needs a value"),
        (["-t"], "-t needs a value"),
        (["-t", "x", "-c", "y"], "-t: `x` is not a time"),
        (["--nosuch", "-c", "y"], "--nosuch: there is no such option"),
    ],
)
def test_what_is_wrong_is_told(words, message):
    with pytest.raises(ValueError, match=message):
        read_shell_line(words)


@given(st.lists(st.sampled_from(["-t", "5", "-c", "-e", "--", "a", "-o", "", "-"])))
def test_any_line_is_read_or_refused(words):
    try:
        line = read_shell_line(words)
    except ValueError:
        return
    assert line.recipe is None or line.recipe in words

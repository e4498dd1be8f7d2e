from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.spec.replace import (
    Blank,
    CommandTemplate,
    Filling,
    UnquotableError,
    read_blanks,
)


def template(text: str, **names: int) -> CommandTemplate:
    return CommandTemplate(read_blanks(text, names))


def argv(text: str, *records: str) -> tuple[str, ...]:
    filling = Filling(tuple((record,) for record in records), 7, 2)
    return template(text).fill(filling).argv


@pytest.mark.parametrize(
    ("written", "value", "expected"),
    [
        ("{}", "a/b.c", "a/b.c"),
        ("{.}", "a/b.c", "a/b"),
        ("{.}", "a.b/c", "a.b/c"),
        ("{.}", ".profile", ""),
        ("{/}", "a/b.c", "b.c"),
        ("{//}", "a/b.c", "a"),
        ("{//}", "b.c", "."),
        ("{//}", "/b", "/"),
        ("{//}", "a/b/", "a"),
        ("{/.}", "a/b.c", "b"),
        ("{1}", "a", "a"),
        ("{-1/}", "a/b", "b"),
        ("{2}", "a", ""),
        ("{#}", "a", "7"),
        ("{%}", "a", "2"),
    ],
)
def test_what_a_replacement_string_stands_for(written, value, expected):
    assert argv(f"cat {written}", value) == ("cat", expected)


@pytest.mark.parametrize("text", ["{print $1}", "{x}", "{0}", "{", "{1", "}", "{ }"])
def test_other_braces_are_text(text):
    assert read_blanks(text) == (text,)


def test_a_column_may_have_a_name():
    assert read_blanks("{x/}", {"x": 2}) == (Blank("{x/}", position=2, edit="/"),)


def test_a_word_is_repeated_for_each_record():
    assert argv("cat x{}y", "a", "b c") == ("cat", "xay", "xb cy")
    assert argv("cat x{}y | wc", "a", "b c")[2] == "cat xay x'b c'y | wc"
    long = "x" * 100
    assert argv(f"cat {long}{{}} | wc", "1", "2")[2] == f"cat {long}1 {long}2 | wc"


def test_each_value_of_a_record_is_a_word():
    filling = Filling((("a", "b c"), ("d", "e", "")), 1)
    words = ("xa", "b cy", "xd", "e", "y")
    assert template("cp x{}y").fill(filling).argv == ("cp", *words)
    text = template("printf '[%s]' x{}y; :").fill(filling).argv[2]
    assert subprocess.check_output(["sh", "-c", text]) == b"[xa][b cy][xd][e][y]"


def test_in_quotes_records_stand_side_by_side():
    assert argv("cat '{}'", "a", "b")[2] == "cat 'a b'"


def test_where_nothing_can_be_quoted_only_plain_values_are_put():
    assert argv("echo $((1 + {}))", "2")[2] == "echo $((1 + 2))"
    with pytest.raises(UnquotableError, match="`a b` cannot be put in"):
        argv("echo `basename {}`", "a b")


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20))
def test_a_shell_reads_the_value_as_it_is(value):
    text = template("printf '%s' x{}").fill(Filling(((value,),), 1)).argv[2]
    done = subprocess.run(["/bin/sh", "-c", text], capture_output=True, check=True)
    assert done.stdout.decode("utf-8", "surrogateescape") == "x" + value

from __future__ import annotations

import pytest

from penstock.errors import DefinitionError
from penstock.spec.mistakes import Mistakes, Spot, did_you_mean, shown, split_lines


def test_mistakes_come_in_the_order_of_the_file():
    mistakes = Mistakes("f", "one\ntwo\n")
    assert not mistakes
    mistakes.settle()
    mistakes.add(Spot(2, 2), "second")
    mistakes.add(Spot(1, 3), "first")
    mistakes.add(None, "nowhere")
    assert mistakes
    with pytest.raises(DefinitionError) as error:
        mistakes.settle()
    assert error.value.mistakes == (
        "f: nowhere",
        "f:1:3: first\n    one\n      ^",
        "f:2:2: second\n    two\n     ^",
    )


def test_a_long_line_is_shown_in_part_with_the_caret_in_place():
    mistakes = Mistakes("f", "a" * 500 + "!" + "b" * 500)
    mistakes.add(Spot(1, 501), "here")
    with pytest.raises(DefinitionError) as error:
        mistakes.settle()
    _, line, caret = error.value.mistakes[0].split("\n")
    assert len(line) < 120
    assert line[caret.index("^")] == "!"


def test_a_terminal_is_not_sent_what_the_file_holds():
    mistakes = Mistakes("f", "\ta\u202e\x85b")
    mistakes.add(Spot(1, 2), "here")
    with pytest.raises(DefinitionError) as error:
        mistakes.settle()
    assert error.value.mistakes == ("f:1:2: here\n     a?\n     ^",)


def test_a_place_behind_the_end_shows_no_line():
    mistakes = Mistakes("f", "a\n")
    mistakes.add(Spot(9, 1), "here")
    with pytest.raises(DefinitionError, match=r"^f:9:1: here$"):
        mistakes.settle()


def test_lines_end_where_yaml_ends_them():
    assert split_lines("a\r\nb\rc\x85d\u2028e\u2029f\n") == [*"abcdef", ""]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("tiemout", "; did you mean `timeout`?"), ("xyz", ""), ("t" * 61, "")],
)
def test_the_nearest_name_is_suggested(name, hint):
    assert did_you_mean(name, ["timeout", "grace", "t" * 62]) == hint


def test_suggestions_stop_before_they_take_long():
    mistakes = Mistakes("f", "")
    known = [f"name{number}" for number in range(60_000)]
    assert mistakes.suggestion("naem1", known)
    assert not mistakes.suggestion("naem1", known)


def test_a_text_is_shown_short_and_on_one_line():
    assert shown("a\nb\x1b") == "`a b?`"
    assert shown("a" * 50, most=5) == "`aaaaa...`"

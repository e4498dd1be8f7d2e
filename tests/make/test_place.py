"""Where a recipe stands in a Makefile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.make.place import find_recipe, makefiles_of

MAKEFILE = """\
CC = gcc
all: a b
a: a.c
\t@$(CC) -o $@ $< && echo 'made $@'
b:
\tsleep 100
\t-cp a b \\
\t  && rm a
c:
\tcost $$HOME
d:
\t$(call twice,$(CC))
"""


@pytest.mark.parametrize(
    ("recipe", "line"),
    [
        ("sleep 100", 6),
        ("gcc -o a a.c && echo 'made a'", 4),
        ("cp a b \\\n  && rm a", 7),
        ("cost $HOME", 10),
    ],
)
def test_a_recipe_is_found_by_its_text(recipe, line):
    makefile = MAKEFILE.replace("\t$(call twice,$(CC))\n", "")
    assert find_recipe(makefile, recipe) == line


def test_what_two_lines_may_have_become_has_no_place():
    assert find_recipe(MAKEFILE, "gcc -o a a.c && echo 'made a'") is None
    assert find_recipe("a:\n\tx\nb:\n\tx\n", "x") is None


def test_what_follows_a_rule_on_its_line_has_a_place():
    makefile = "X := a:b;c\n# a: ; sleep 1\na: x ; @-sleep 1 | \\\n  cat\nb:\n\tx\n"
    assert find_recipe(makefile, "sleep 1 | \\\n  cat") == 3
    assert find_recipe(makefile, "sleep 1") is None
    assert find_recipe(makefile, "c") is None


def test_a_line_that_is_a_variable_alone_is_no_place():
    assert find_recipe("a:\n\t@$(RUN)\n", "sleep 100") is None
    assert find_recipe("a:\n\t@$(RUN) 100\n", "sleep 100") == 2


def test_what_stands_there_as_it_is_goes_before_what_may_become_it():
    assert find_recipe(MAKEFILE, "sleep 100") == 6


@given(st.text(alphabet="a$(){}@\\\n\t -:;"), st.text(alphabet="a$()\\\n -"))
def test_any_text_is_searched(makefile, recipe):
    line = find_recipe(makefile, recipe)
    if line is not None:
        text = makefile.split("\n")[line - 1]
        assert text.startswith("\t") or ";" in text


def test_the_makefiles_that_make_was_told_of():
    argv = ["make", "-j4", "-f", "a.mk", "-fb.mk", "--makefile=c.mk", "all"]
    assert makefiles_of(argv) == ("a.mk", "b.mk", "c.mk")
    assert makefiles_of(["make", "-f"]) == ("",)

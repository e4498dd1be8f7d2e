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


def test_what_stands_there_as_it_is_goes_before_what_may_become_it():
    assert find_recipe(MAKEFILE, "sleep 100") == 6


@given(st.text(alphabet="a$(){}@\\\n\t -"), st.text(alphabet="a$()\\\n -"))
def test_any_text_is_searched(makefile, recipe):
    line = find_recipe(makefile, recipe)
    assert line is None or makefile.split("\n")[line - 1].startswith("\t")


def test_the_makefiles_that_make_was_told_of():
    argv = ["make", "-j4", "-f", "a.mk", "-fb.mk", "--makefile=c.mk", "all"]
    assert makefiles_of(argv) == ("a.mk", "b.mk", "c.mk")
    assert makefiles_of(["make", "-f"]) == ("",)

"""Names for the results of jobs: each value its own place, and none out of reach."""

from __future__ import annotations

import os
import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.map_places import LONGEST_NAME, Template, Tree, component
from penstock.errors import PenstockError
from penstock.spec.replace import Filling, read_blanks

VALUES = st.text(st.sampled_from("a.\\_/\te~é\0\udc80"), max_size=400)


def template(text: str, *values: str, number: int = 1) -> tuple[str, str, str]:
    filling = Filling([values], number, 2)
    results = Template(read_blanks(text)).of(filling)
    return results[1:]


def tree(*records: tuple[str, ...], header: tuple[str, ...] = ()) -> str:
    return Tree("d", header).of(Filling(records, 1)).place


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *[("a b", "a b"), ("a/b", r"a\_b"), ("a\\b", r"a\\b"), ("\t", r"\t")],
        *[("\0", r"\0"), ("a\nb", "a\nb"), ("\udcff", "\udcff"), ("...", "...")],
        *[(".", r"\."), ("..", r"\.\."), ("", r"\e"), ("/", r"\_")],
    ],
)
def test_a_value_is_one_component(value, name):
    assert component(value) == name


@given(VALUES, VALUES)
def test_each_value_has_its_own_component_and_that_fits(one, other):
    names = [component(value) for value in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    for name in names:
        assert 0 < len(os.fsencode(name)) <= LONGEST_NAME
        assert "/" not in name
        assert "\0" not in name
        assert name not in (".", "..")


def test_what_is_cut_is_still_text():
    for extra in range(4):
        name = component("a" * extra + "€" * 200)
        assert name.encode().decode().startswith("a" * extra + "€")


@pytest.mark.parametrize("first", ["", "a", "€"])
def test_what_is_no_text_is_cut_too(first):
    name = os.fsencode(component(first + "\udc80" * 300))
    assert name.startswith(first.encode() + b"\x80" * 200)
    assert len(name) == LONGEST_NAME


@pytest.mark.parametrize(
    ("records", "header", "place"),
    [
        ([("a",)], (), "d/1/a/"),
        ([("a", "b")], (), "d/1/a/2/b/"),
        ([("a",), ("b",)], (), "d/1/a/1/b/"),
        ([("a", "b")], ("y", "x"), "d/x/b/y/a/"),
        ([("a", "b", "c")], ("10b", "9"), "d/3/c/9/b/10b/a/"),
        ([tuple("abcdefghijk")], (), "d/" + "".join(
            f"{n}/{value}/" for n, value in enumerate("abcdefghijk", 1)
        )),
        ([("a",)], ("../x",), "d/..\\_x/a/"),
        ([("a", "b", "c")], ("10", "009", "x"), "d/x/c/009/b/10/a/"),
    ],
)  # fmt: skip
def test_columns_stand_in_the_order_of_their_names(records, header, place):
    assert tree(*records, header=header) == place


def test_a_name_may_begin_with_thousands_of_digits():
    header = ("1" + "0" * 5000, "9" * 5000, "7")
    columns = tree(("a", "b", "c"), header=header).split("/")
    assert [columns[1], columns[2], columns[4], columns[6]] == ["7", "c", "b", "a"]


@pytest.mark.parametrize(
    ("text", "value", "out"),
    [
        *[("o/{}", "a", "o/a"), ("o/{}", "a/b", "o/a/b"), ("o/{/}", "a/b", "o/b")],
        *[("{}.out", "../x", "../x.out"), ("{}", "/x", "/x"), ("o_{}", "..", "o_..")],
        *[("o/{}", "../o/x", "o/../o/x"), ("{#}-{%}", "a", "1-2"), ("/{}", "a", "/a")],
    ],
)
def test_a_name_that_is_filled_in_is_a_file(text, value, out):
    assert template(text, value) == (out, f"{out}.err", f"{out}.seq")


@pytest.mark.parametrize(
    ("text", "value", "out"),
    [
        *[("o/{}", "a.err", "o/a.err\\"), ("o/{}", ".seq", "o/.seq\\")],
        *[("{}", "a\\", "a\\\\"), ("{}.err", "a", "a.err")],
        *[("{}.err", "a.err", "a.err.err\\"), ("{}.out", "a.err", "a.err.out")],
    ],
)
def test_stdout_is_never_the_file_of_another_job(text, value, out):
    name = text.replace("{}", value)
    assert template(text, value) == (out, f"{name}.err", f"{name}.seq")


ENDS = st.lists(st.sampled_from([".err", ".seq", "a", "\\", "r"]), max_size=4)


@given(ENDS.map("".join), ENDS.map("".join), ENDS.map("".join))
def test_each_value_at_an_end_has_its_own_files(end, one, other):
    name = "o{}" + end
    files = [*template(name, one), *template(name, other)]
    assert len(set(files)) == (3 if one == other else 6)


@pytest.mark.parametrize(
    ("text", "value", "place"),
    [("o/{}/", "a", "o/a/"), ("o/{}", "", "o/"), ("o/{}", "a/", "o/a/")],
)
def test_a_name_that_ends_in_a_slash_is_a_directory(text, value, place):
    files = tuple(place + name for name in ("stdout", "stderr", "seq"))
    assert template(text, value) == files


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("o/{}", ".."), ("o/{}", "../x"), ("o/{}", "a/../../x"), ("o/{}", ".")],
        *[("o_{}", "/../../x"), ("o/{}/", ".."), ("o/{}", "../ox"), ("./{}", "../x")],
    ],
)
def test_no_value_leads_out_of_the_directory_that_is_named(text, value):
    with pytest.raises(PenstockError, match=r"(?s)job 1: --results.*hint: name it by"):
        template(text, value)


@pytest.mark.parametrize("value", ["", "a\0b", "x" * 253, "x/" * 2000 + "x"])
def test_what_can_be_no_file_is_refused_before_the_job_is_run(value):
    with pytest.raises(PenstockError, match=r"(?s)job 1: --results.*hint: name it by"):
        template("{}", value)


def test_too_many_values_are_refused():
    with pytest.raises(PenstockError, match="too long"):
        tree(*[("value",)] * 1000)


@given(st.lists(st.lists(VALUES, min_size=1, max_size=3), min_size=1, max_size=3))
def test_nothing_in_a_tree_leads_out_of_it(records):
    path = Tree("d").of(Filling(records, 1)).out
    assert posixpath.normpath(path) == path
    assert path.startswith("d/1/")

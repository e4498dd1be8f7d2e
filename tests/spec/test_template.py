from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.spec.template import Slot, fill, parse_template, slots_of


def names(text):
    return [(slot.name, slot.raw) for slot in slots_of(parse_template(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{a}}", [("a", False)]),
        ("x{{ a-1 }}y{{raw b}}", [("a-1", False), ("b", True)]),
        ("{print {{col}}}", [("col", False)]),
        ("{{{x}}}", [("x", False)]),
        ("${{{x}}}", [("x", False)]),
        ("{{raw}}", [("raw", False)]),
        ("{{log file}}", [("log file", False)]),
        ("{{json .Name}} {{range .a}}", []),
    ],
)
def test_a_name_in_two_braces_is_a_slot(text, found):
    assert names(text) == found


NO_SLOTS = "{a} {{ {{}} {{a} {{a {{.ID}} {{1}} {{a}b}} {{-a}} {{$1}} {{a.b}} {{a/b}}"


@pytest.mark.parametrize("text", NO_SLOTS.split())
def test_anything_else_is_text(text):
    assert names(text) == []
    assert fill(parse_template(text), {}) == text


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{file}}", "logs/a.tar.gz"),
        ("{{file.}}", "logs/a.tar"),
        ("{{file/}}", "a.tar.gz"),
        ("{{file//}}", "logs"),
        ("{{file/.}}", "a.tar"),
        ("{{ raw file/. }}.xz", "a.tar.xz"),
    ],
)
def test_a_part_of_a_path_can_be_meant(text, filled):
    assert fill(parse_template(text), {"file": "logs/a.tar.gz"}) == filled


def test_the_name_of_a_fifo_has_no_parts():
    assert names("{{fifo.a.}} {{fd.a}}") == [("fifo.a.", False), ("fd.a", False)]


def test_a_name_has_an_end():
    assert names("{{" + "a" * 300 + "}}") == []


def test_values_are_not_filled_in_again():
    values = {"a": "{{b}}", "b": "no"}
    assert fill(parse_template("<{{a}}>"), values) == "<{{b}}>"


@given(st.text(alphabet="{}ab raw-1./", max_size=40))
def test_the_pieces_are_the_text(text):
    pieces = parse_template(text)
    assert "".join(p.text if isinstance(p, Slot) else p for p in pieces) == text

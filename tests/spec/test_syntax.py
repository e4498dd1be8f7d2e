from __future__ import annotations

import pytest
import yaml

from penstock.errors import DefinitionError
from penstock.spec.mistakes import Mistakes, Spot
from penstock.spec.syntax import MOST_LEVELS, parse_tree
from penstock.spec.tree import Mapping, Sequence

LOADERS = [False, True] if yaml.__with_libyaml__ else [True]


@pytest.fixture(params=LOADERS, ids=lambda pure: "pure" if pure else "libyaml")
def read(request):
    def parse(text):
        mistakes = Mistakes("f", text)
        tree = parse_tree(text, mistakes, _pure=request.param)
        mistakes.settle()
        return tree

    return parse


def plain(node):
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if isinstance(node, Mapping):
        return {key.text: plain(value) for key, value in node.entries}
    return node.text


def mistakes_in(read, text):
    with pytest.raises(DefinitionError) as error:
        read(text)
    return error.value.mistakes


def test_scalars_are_text_whatever_yaml_would_make_of_them(read):
    text = "{a: no, b: on, c: 1:30, d: 0644, e: 1e3, f: null, g: ~, h: 2001-01-01}"
    values = ["no", "on", "1:30", "0644", "1e3", "null", "~", "2001-01-01"]
    assert plain(read(text)) == dict(zip("abcdefgh", values, strict=True))


def test_a_node_knows_where_it_stands(read):
    tree = read("a: é\n# c\nb:\n  - 'x'\n")
    (a, e), (b, items) = tree.entries
    assert (a.spot, e.spot, b.spot) == (Spot(1, 1), Spot(1, 4), Spot(3, 1))
    assert items.items[0].spot == Spot(4, 5)
    assert (e.plain, items.items[0].plain) == (True, False)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_counts_as_one(read, line_end):
    tree = read(f"a: b{line_end}c: d{line_end}")
    assert tree.entries[1][0].spot == Spot(2, 1)


def test_a_quoted_null_is_a_text(read):
    (_, quoted), (_, empty), (_, word) = read("a: ''\nb:\nc: null\n").entries
    assert (quoted.is_null, empty.is_null, word.is_null) == (False, True, True)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("a: *x", "1:4", "would be an alias"),
        ("a: &x b", "1:4", "would be an anchor"),
        ("a: &x {}", "1:4", "would be an anchor"),
        ("a: !!int 3", "1:4", "would begin a tag"),
        ("a: ! grep x", "1:4", "would begin a tag"),
        ("a: ! [x]", "1:4", "would begin a tag"),
        ("<<: {a: 1}", "1:1", "merge keys"),
        ("a: 1\nb: 2\na: 3", "3:1", "`a` stands here twice, first on line 1"),
        ("a: 1\n---\nb: 2", "2:1", "a second document"),
        ("[a]", "1:1", "expected the keys `vars`, `defaults` and `jobs`; found a list"),
        ("hello", "1:1", "and `jobs`; found `hello`"),
        ("", "1:1", "the file defines nothing"),
        ("# only\n\n", "1:1", "    run: echo hello"),
        ("? [a]\n: b", "1:3", "a key must be a name"),
        ("a: {{b}}", "1:4", 'in quotes, or YAML takes it for a map: "{{b}}..."'),
        ("a: {{b}}.gz", "1:4", "must be in quotes"),
        ("a: [{{b}}]", "1:5", "must be in quotes"),
        ("a: {run: x {{b}}}", "1:12", "`{{` needs quotes inside of {...}"),
        ("a:\n\tb: c", "2:1", "spaces only"),
        ("a: b: c", "1:5", "`: ` cannot stand inside a text"),
        ("a: @b", "1:4", "a text cannot begin with `@`"),
        ("a: 'b\nc: d", "1:4", "this quote is never closed"),
        ("a: 'x' y", "1:8", "not valid YAML"),
        ("a: b\x01", "1:5", "U+0001 cannot stand in YAML"),
        ("a: b\n\ufeffc", "2:1", "U+FEFF"),
        ("a: \ud800", "1:4", "U+D800"),
        ("%YAML 9.9\n---\na: b", "1:1", "not valid YAML"),
    ],
)
def test_a_mistake_of_form_is_placed_and_explained(read, text, where, what):
    (mistake,) = mistakes_in(read, text)
    assert mistake.startswith(f"f:{where}: ")
    assert what in mistake


def test_an_impossible_escape_is_a_mistake(read):
    assert len(mistakes_in(read, 'a: "\\UFFFFFFFF"')) == 1


@pytest.mark.parametrize("text", ["[" * 10_000, "- " * 10_000, "a: " + "{a: " * 10_000])
def test_deep_nesting_is_a_mistake_and_not_a_crash(read, text):
    (mistake,) = mistakes_in(read, text)
    assert f"nested more than {MOST_LEVELS} levels" in mistake


def test_deep_indentation_is_a_mistake_and_not_a_crash(read):
    text = "".join(" " * level + "a:\n" for level in range(1_000))
    (mistake,) = mistakes_in(read, text)
    assert mistake.startswith(f"f:{MOST_LEVELS + 1}:{MOST_LEVELS + 1}: ")


def test_the_deepest_allowed_is_allowed(read):
    depth = MOST_LEVELS - 1
    assert read("a: " + "[" * depth + "]" * depth) is not None


def test_aliases_cannot_explode(read):
    text = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n"
        for i in range(20)
    )
    assert len(mistakes_in(read, text)) == 1 + 20 * 3


def test_mistakes_of_form_do_not_hide_each_other(read):
    found = mistakes_in(read, "a: *x\nb: 1\nb: 2\nc: !t u\nd: 'e")
    assert [mistake.split(": ")[0] for mistake in found] == [
        "f:1:4",
        "f:3:1",
        "f:4:4",
        "f:5:4",
    ]

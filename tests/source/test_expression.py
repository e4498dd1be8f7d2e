"""Regular expressions, as Perl reads them."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.source.expression import columns, compile_expression, with_sets

LETTERS = "".join(map(chr, range(128)))
CLASSES = (
    "alnum alpha blank cntrl digit graph lower print punct space upper word xdigit"
)


def split(pattern: str, text: str) -> tuple[str, ...]:
    return columns(compile_expression(with_sets(pattern)), text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("[[:digit:]]", "a1b2c", ("a", "b", "c")),
        ("[^[:alpha:]_]+", "a_b--c", ("a_b", "c")),
        ("[[:upper:][:digit:]]", "aXb1c", ("a", "b", "c")),
        ("[]x]", "a]bxc", ("a", "b", "c")),
        ("[^]x]", "]ax", ("]", "x")),
        ("[[]", "a[b", ("a", "b")),
        ("[a&&b]", "1&2", ("1", "2")),
        (r"\[[:digit:]]", "[:]", ("", "")),
        (" *", "ab", ("a", "b", "")),
        ("(?=b)", "bab", ("ba", "b")),
        ("(,)*", "a", ("a", "", "")),
        ("([0-9])", "a1b", ("a", "1", "b")),
        ("[0-9]?", "a1bc", ("a", "b", "c", "")),
        ("x", "xa", ("", "a")),
        (",", "", ("",)),
    ],
)
def test_what_stands_between_borders(pattern, text, expected):
    assert split(pattern, text) == expected


@pytest.mark.parametrize("pattern", ["(", "[[:nonsense:]]", "[", "[a--b]", "*"])
def test_what_is_none_is_refused(pattern):
    with pytest.raises(re.error):
        compile_expression(with_sets(pattern))


@given(st.text("[]^:&-\\ax1|", max_size=12))
def test_any_text_is_read_or_refused(text):
    try:
        compile_expression(with_sets(text))
    except re.error:
        return


@pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl")
@pytest.mark.parametrize("name", CLASSES.split())
def test_a_class_has_the_letters_that_perl_says(name):
    script = f'print join " ", grep {{ chr($_) =~ /[[:{name}:]]/ }} 0..127'
    told = subprocess.run(["perl", "-e", script], capture_output=True, check=True)
    found = compile_expression(with_sets(f"[[:{name}:]]")).findall(LETTERS)
    assert [ord(letter) for letter in found] == [*map(int, told.stdout.split())]

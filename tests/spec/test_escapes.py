from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.spec.escapes import unescape


@pytest.mark.parametrize(
    ("text", "data"),
    [
        *[("", b""), ("END", b"END"), ("é\udcff", b"\xc3\xa9\xff")],
        *[(r"\n", b"\n"), (r"\t", b"\t"), (r"\r", b"\r"), (r"\0", b"\0")],
        *[(r"\n\n", b"\n\n"), (r"a\n", b"a\n"), (r"\0a", b"\0a"), (r"a\tb", b"a\tb")],
        *[(r"\x0a", b"\n"), (r"\x0a0a", b"\n0a"), (r"\xFf\x80", b"\xff\x80")],
        *[("\\", b"\\"), (r"\\", b"\\"), (r"\\n", b"\\n"), (r"\\\n", b"\\\n")],
    ],
)
def test_an_escape_is_a_byte_wherever_it_stands(text, data):
    assert unescape(text) == data


@pytest.mark.parametrize(
    ("text", "escape"),
    [
        *[(r"\q", r"\q"), (r"a\u00e9", r"\u"), ("a\\", "\\"), (r"\\" + "\\", "\\")],
        *[(r"\x", r"\x"), (r"\x4", r"\x4"), (r"\xg1", r"\xg1"), (r"\x 1", r"\x 1")],
        *[(r"\x٤٤", r"\x٤٤"), (r"\012", r"\012"), (r"\07", r"\07"), (r"a\ b", "\\ ")],
    ],
)
def test_what_is_no_escape_is_refused_with_those_that_are(text, escape):
    said = re.escape(f"`{escape}` is no escape that is understood: write one of \\n, ")
    with pytest.raises(ValueError, match=said):
        unescape(text)


@given(st.binary())
def test_every_text_can_be_written(data):
    assert unescape("".join(f"\\x{byte:02x}" for byte in data)) == data
    plain = os.fsdecode(data).replace("\\", r"\\")
    assert unescape(plain) == data

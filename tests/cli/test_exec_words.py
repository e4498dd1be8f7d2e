from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from penstock.cli.exec import join


@given(st.lists(st.text(st.characters(max_codepoint=0x180)), min_size=1))
def test_a_command_is_shown_as_the_standard_library_would(words):
    assert join(tuple(words)) == shlex.join(words)


def test_every_character_is_quoted_as_the_standard_library_would():
    every = [chr(code) for code in range(256)]
    assert join(tuple(every)) == shlex.join(every)

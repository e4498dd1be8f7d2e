"""MAKEFLAGS, as make writes it and as nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.make.makeflags import read_makeflags, read_pipe, with_jobserver

READ = {
    "": (None, None),
    "k": (None, None),
    " -j4 --jobserver-auth=3,4": ("3,4", 4),
    "kw -j --jobserver-auth=fifo:/tmp/GMfifo7": ("fifo:/tmp/GMfifo7", None),
    " --jobserver-fds=3,4 -j": ("3,4", None),
    " -j2 --jobserver-auth=3,4 -j8 --jobserver-auth=5,6": ("5,6", 8),
    " -j2 -- CFLAGS=-j9 X=--jobserver-auth=1,2": (None, 2),
    "ks -j1 -l3 -- A=-j9": (None, 1),
    " -jx --jobserver-auth=": ("", None),
}


@pytest.mark.parametrize("text", READ)
def test_what_make_says(text):
    flags = read_makeflags(text)
    assert (flags.auth, flags.jobs) == READ[text]


@given(st.text() | st.lists(st.sampled_from(["-j", "4", " ", "--", "="])).map("".join))
def test_any_text_is_read(text):
    read_makeflags(text)
    read_pipe(text)
    assert read_makeflags(with_jobserver(text, "3,4", 5)).auth == "3,4"
    assert read_makeflags(with_jobserver(text, "3,4", 5)).jobs == 5
    assert read_makeflags(with_jobserver(text, None, 5)).auth is None


def test_a_pair_of_descriptors_or_not():
    assert read_pipe("3,4") == (3, 4)
    assert read_pipe("-2,-2") == (-2, -2)
    assert read_pipe("3") is None
    assert read_pipe("a,b") is None


def test_variables_stay_where_they_are():
    text = with_jobserver("ks -j2 -- A=b  c", "fifo:f", 3)
    assert text == "ks -j3 --jobserver-auth=fifo:f -- A=b  c"

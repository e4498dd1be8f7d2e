"""What is a pipeline and nothing else, and what is left to the shell."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.make.recipe import split_pipeline

PIPELINES = {
    "a | b": ["a", "b"],
    "a|b|c": ["a", "b", "c"],
    "grep 'x|y' f | wc -l": ["grep 'x|y' f", "wc -l"],
    'grep "x|y" f | wc': ['grep "x|y" f', "wc"],
    "grep x\\|y f | wc": ["grep x\\|y f", "wc"],
    "a 2>&1 | b >out 2>&1": ["a 2>&1", "b >out 2>&1"],
    "a <in | b": ["a <in", "b"],
    "a \\\n  | b": ["a \\\n", "b"],
    "a | \\\n  b": ["a", "\\\n  b"],
    "a $(b | c) | d": ["a $(b | c)", "d"],
    'a "$(b | c)" | d': ['a "$(b | c)"', "d"],
    "a ${x} $y | b": ["a ${x} $y", "b"],
    "a \\>| b": ["a \\>", "b"],
    "a#b | c": ["a#b", "c"],
    "x=1 a | b": ["x=1 a", "b"],
}
WHOLE = [
    "a",
    "",
    "a || b",
    "a | b || c",
    "a | b && c",
    "a | b; c",
    "a | b &",
    "a |& b",
    "a >| b",
    "! a | b",
    "time a | b",
    "if a | b",
    "a | while read x; do b; done",
    "{ a | b",
    "(a | b)",
    "a | (b)",
    "a | b # c",
    "a\nb | c",
    "a | b <<E",
    "a `b | c` | d",
    "a ${x#|} | b",
    "a $$ | b",
    'a "$$" | b',
    "a $(b $$) | c",
    "a\\>& b | c",
    "a $((1|2)) | b",
    "a $'|' | b",
    "a 'b | c",
    'a "b | c',
    "a |",
    "| a",
    "a | | b",
    "a |\\\n| b",
    "a\\\n| b",
    "a $(case x in x) b;; esac) | c",
    "a $\\\n(b | c)",
]


@pytest.mark.parametrize("text", PIPELINES)
def test_a_pipeline_is_cut_between_its_commands(text):
    assert [stage.strip() for stage in split_pipeline(text)] == [
        stage.strip() for stage in PIPELINES[text]
    ]


@pytest.mark.parametrize("text", WHOLE)
def test_what_may_be_more_than_a_pipeline_stays_whole(text):
    assert split_pipeline(text) == (text,)


@given(st.text())
def test_the_cuts_lose_nothing(text):
    assert "|".join(split_pipeline(text)) == text


PIECES = ["a", "b 'x|y'", '"', "'", "|", " | ", "&", "\\", "$(", ")", ";", "#", "!"]


@pytest.mark.slow
@given(st.lists(st.sampled_from(PIECES), max_size=7).map("".join))
def test_each_stage_is_right_for_sh_wherever_the_whole_is(text):
    stages = split_pipeline(text)
    if _is_right(text):
        assert all(map(_is_right, stages))
    else:
        assert not all(map(_is_right, stages))


def _is_right(text: str) -> bool:
    done = subprocess.run(["sh", "-nc", text], capture_output=True, check=False)
    return done.returncode == 0

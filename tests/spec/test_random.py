"""Whatever the text, `load` gives a pipeline or says what is wrong; nothing else."""

from __future__ import annotations

from collections import deque
from itertools import islice
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import DefinitionError
from penstock.model.job import Pipeline
from penstock.spec.load import load
from penstock.spec.schema import names_in

HERE = Path(__file__).parent
SEEDS = sorted([*HERE.glob("broken/*.yaml"), *HERE.parents[1].glob("pipelines/*.yaml")])
FRAGMENTS = [
    ": ",
    "- ",
    "\n",
    "\n  ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "|",
    "#",
    "&a ",
    "*a",
]
FRAGMENTS += [
    "!x ",
    "<<",
    "{{x}}",
    "{{",
    "}}",
    "$(",
    ")",
    "\\",
    "\t",
    "---\n",
    "?",
    ",",
    "\0",
]
FRAGMENTS += [
    "jobs",
    "run",
    "pipe",
    "argv",
    "needs",
    "vars",
    "10s",
    "\ud800",
    "\x85",
    "é",
]
FRAGMENTS += [f"{name}: " for name in names_in("job") + names_in("file")]
FRAGMENTS += ['"\\ud800"', '"\\0"', '"\\UFFFFFFFF"', "null", "~", "timeout", "stdout"]
CHANGES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 8), st.sampled_from(["", *FRAGMENTS])),
    max_size=4,
)


def check(data):
    try:
        pipeline = load(data, file="f", settings={"x": "1"})
        for family in pipeline.families:
            deque(islice(family.members(), 5), 0)
    except DefinitionError as error:
        mistakes = error.mistakes
    else:
        assert isinstance(pipeline, Pipeline)
        return
    assert mistakes
    assert all(mistake.startswith("f:") for mistake in mistakes)


@pytest.fixture(
    autouse=True, params=[False, True], ids=["libyaml", "pure"], scope="module"
)
def loader(request):
    if not yaml.__with_libyaml__ and not request.param:
        pytest.skip("this PyYAML has no libyaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", not request.param)
        yield


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_random_data(data):
    check(data)


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25))
def test_random_yaml(fragments):
    check("".join(fragments))


@given(
    st.sampled_from(SEEDS),
    CHANGES,
)
def test_a_definition_with_random_changes(path, changes):
    check(changed(path, changes))


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=10_000)
@given(st.sampled_from(SEEDS), CHANGES)
def test_ten_thousand_definitions_with_random_changes(path, changes):
    check(changed(path, changes))


def changed(path, changes):
    text = path.read_text(errors="replace")
    for where, removed, added in changes:
        at = round(where * len(text))
        text = text[:at] + added + text[at + removed :]
    return text

"""The JSON Schema says of a file what `load` says of it, as far as a schema can."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from penstock.errors import DefinitionError
from penstock.spec.json_schema import json_schema
from penstock.spec.load import load
from penstock.spec.mistakes import Mistakes
from penstock.spec.schema import FIELDS
from penstock.spec.syntax import parse_tree
from penstock.spec.tree import Mapping, Scalar, Sequence

HERE = Path(__file__).parent
PIPELINES = sorted(HERE.parents[1].glob("pipelines/*.yaml"))
BROKEN = sorted(HERE.glob("broken/*.yaml"))
VALIDATOR = Draft202012Validator(json_schema())

REFERENCES = "what refers to what"
BEYOND_A_SCHEMA = {
    "circle": REFERENCES,
    "files": REFERENCES,
    "for-members": REFERENCES,
    "hook-names": REFERENCES,
    "inputs-are-outputs": REFERENCES,
    "members": REFERENCES,
    "raw": REFERENCES,
    "resources": REFERENCES,
    "include-circle": "what is on the disk",
    "same-name": "what is on the disk",
    "places": "the syntax of the shell",
}
"""Files that are right for whoever reads no more than the schema, and why."""


def value_of(node):
    """What an editor makes of YAML: the core schema of YAML 1.2 (section 10.3)."""
    if isinstance(node, Mapping):
        return {key.text: value_of(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [value_of(item) for item in node.items]
    assert isinstance(node, Scalar)
    return scalar_of(node) if node.plain else node.text


def scalar_of(node):
    if node.is_null:
        return None
    if node.text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return node.text.lower() == "true"
    if re.fullmatch(r"[-+]?[0-9]+", node.text):
        return int(node.text)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", node.text):
        return float(node.text)
    return node.text


def document(text):
    """The value of a file; None where that is no YAML, or not the YAML we take."""
    mistakes = Mistakes("f", text)
    top = parse_tree(text, mistakes)
    return None if mistakes or top is None else value_of(top)


def accepts(text):
    return VALIDATOR.is_valid(document(text))


def is_right(text):
    try:
        load(text, file="f")
    except DefinitionError:
        return False
    return True


def test_it_is_a_schema():
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_the_pipelines_are_right(path):
    assert [e.message for e in VALIDATOR.iter_errors(document(path.read_text()))] == []


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_the_broken_definitions_are_not(path):
    text = path.read_bytes().decode(errors="replace")
    value = document(text)
    if value is not None and "\ufffd" not in text:
        assert VALIDATOR.is_valid(value) == (path.stem in BEYOND_A_SCHEMA)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_field_has_its_words_in_the_schema(field):
    schema: Any = json_schema()
    for place in field.where:
        keys = schema if place == "file" else schema["$defs"][place]
        assert keys["properties"][field.name]["description"] == field.doc


VALUES = {
    "timeout": ["5s", "1h30m", ".5m", "1.5s", "5", "'5'", "0s", "", "5 s", "1s1h", "x"],
    "grace": ["0s", "500ms", "5", "-1s"],
    "memory": ["64KiB", "1.5GB", "7B", "64", "0B", "64K", "64kib", "1 MiB"],
    "signal": [
        "TERM",
        "SIGINT",
        "sigusr1",
        "2",
        "RTMIN+3",
        "TERN",
        "0",
        "65",
        "RTMIN+31",
    ],
    "nice": ["5", "-20", "20", "x", "1.5"],
    "retries": [
        "3",
        "0",
        "-1",
        "{times: 2, on: exit}",
        "{backoff: 1s}",
        "{times: 1, x: 1}",
    ],
    "slots": ["1", "'2'", "0", "x"],
    "service": ["true", "{ready: x, within: 5s}", "1", "false"],
    "leftovers": ["kill", "allow", "keep", "[kill]"],
    "ok": ["0", "[0, 1]", "256", "[]", "x"],
    "when": ["test -e x", "", "[x]"],
    "inputs": ["a", "[a, b]", "[]", "''"],
    "env": ["{A: 1}", "{}", "{A: [1]}", "{A=B: 1}", "x"],
    "for": ["{a: [1]}", "{a: {glob: x}}", "{}", "{a: 1}", "{a: [1, 1]}", "{a: []}"],
    "needs": ["[]", "{a: b}"],
    "stdout": ["o", "1", "''", "[a]"],
    "cwd": ["d", ""],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key in VALUES for value in VALUES[key]]
)
def test_a_value_is_right_for_both_or_for_none(key, value):
    text = f"jobs: {{a: {{run: x, {key}: {value}}}}}"
    assert accepts(text) == is_right(text)


@pytest.mark.parametrize(
    "job",
    [
        "{run: x}",
        "{argv: [x, '']}",
        "{argv: ['']}",
        "{argv: []}",
        "{python: 'a.b:c'}",
        "{python: a}",
        "{pipe: [x, {argv: [y]}, {python: 'a:b'}]}",
        "{pipe: [x, {}]}",
        "{pipe: [x, {run: x, argv: [y]}]}",
        "{pipe: [x, [y]]}",
        "{pipe: [x], stderr: e}",
        "{run: x, pipe: [y]}",
        "{}",
        "{run: ' '}",
        "{rum: x}",
    ],
)
def test_a_job_is_right_for_both_or_for_none(job):
    text = f"jobs: {{a: {job}}}"
    assert accepts(text) == is_right(text)


@pytest.mark.parametrize(
    "top",
    [
        "setup: x",
        "setup: {run: x}",
        "setup: {needs: a, run: x}",
        "notify: {on_success: x, always: {argv: [y]}}",
        "notify: x",
        "resources: {gpu: 1}",
        "resources: {}",
        "resources: {gpu: 0}",
        "vars: {a: 1, b: }",
        "vars: {1a: 1}",
        "defaults: ",
        "defaults: {needs: a}",
        "include: []",
    ],
)
def test_the_top_is_right_for_both_or_for_none(top):
    text = f"{top}\njobs: {{j: {{run: x}}}}"
    if "b: }" in top:
        assert accepts(text)  # it may be given with --set
    else:
        assert accepts(text) == is_right(text)

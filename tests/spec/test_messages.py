"""Golden messages: what `broken/NAME.yaml` makes a user read is in `broken/NAME.txt`.

To accept new ones: PENSTOCK_ACCEPT=1 pytest tests/spec/test_messages.py, and read them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from penstock.errors import DefinitionError
from penstock.spec.disk import NoDisk
from penstock.spec.load import load

BROKEN = sorted(Path(__file__).with_name("broken").glob("*.yaml"))
PLACED = re.compile(r"[\w-]+\.(yaml|part):[1-9][0-9]*:[1-9][0-9]*: ")


class Beside(NoDisk):
    """The files that lie beside the broken ones."""

    def read(self, path):
        return BROKEN[0].with_name(path).read_bytes()


def explain(data, file):
    with pytest.raises(DefinitionError) as error:
        load(data, file=file, disk=Beside())
    return error.value.mistakes


def test_there_are_broken_definitions():
    assert len(BROKEN) >= 40


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_definition_is_explained(path):
    mistakes = explain(path.read_bytes(), path.name)
    assert all(PLACED.match(mistake) for mistake in mistakes)
    found = "\n".join(mistakes) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("PENSTOCK_ACCEPT"):
        golden.write_text(found)
    assert found == golden.read_text()


FIVE_MEGABYTES = 5_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("x" * FIVE_MEGABYTES, "f:1:1: expected the keys"),
        ("jobs: {a: {run: %s}}" % ("x" * FIVE_MEGABYTES), "f:1:17: longer than 128"),
        ("[" * FIVE_MEGABYTES, "f:1:41: nested more than 40 levels deep"),
        ("jobs:\n" + "  a: {run: x}\n" * (FIVE_MEGABYTES // 14), "f:3:3: `a` stands"),
        (
            "jobs: {a: {run: '%s" % ("{{x" * (FIVE_MEGABYTES // 3)),
            "f:1:17: not valid YAML: this quote",
        ),
        ("a: 1\n" * (FIVE_MEGABYTES // 5), "f:1:1: `a` is not a key"),
    ],
    ids=["text", "command", "brackets", "jobs", "quote", "keys"],
)
def test_five_megabytes_are_explained_too(text, begins):
    mistakes = explain(text, "f")
    assert mistakes[0].startswith(begins)
    assert all(len(line) < 500 for line in mistakes[0].splitlines())

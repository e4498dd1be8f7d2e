"""Golden messages: what `broken/NAME.yaml` makes a user read is in `broken/NAME.txt`.

To accept new ones: PENSTOCK_ACCEPT=1 pytest tests/spec/test_messages.py, and read them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.errors import DefinitionError
from penstock.spec.load import load

BROKEN = sorted(Path(__file__).with_name("broken").glob("*.yaml"))


def test_there_are_broken_definitions():
    assert len(BROKEN) >= 15


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_definition_is_explained(path):
    with pytest.raises(DefinitionError) as error:
        load(path.read_bytes(), file=path.name)
    found = "\n".join(error.value.mistakes) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("PENSTOCK_ACCEPT"):
        golden.write_text(found)
    assert found == golden.read_text()

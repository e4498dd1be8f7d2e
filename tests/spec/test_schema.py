from __future__ import annotations

from pathlib import Path

import pytest

from penstock.spec.load import load
from penstock.spec.schema import FIELDS, field_named, names_in

DOCS = (Path(__file__).parents[2] / "docs" / "definition.md").read_text()


def test_every_field_has_its_own_name():
    assert len({field.name for field in FIELDS}) == len(FIELDS)
    assert all(field_named(field.name) is field for field in FIELDS)


def test_planned_keys_are_not_offered():
    assert names_in("file") == ("vars", "defaults", "jobs")
    assert names_in("defaults") == ("timeout", "grace", "env", "cwd", "ok")


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_reference_names_every_key(field):
    assert f"`{field.name}`" in DOCS or f" {field.name} " in DOCS.replace("`", " ")


def test_the_example_of_the_reference_is_a_definition():
    example = DOCS.partition("```yaml\n")[2].partition("```")[0]
    assert [job.name for job in load(example, file="x").jobs] == ["clients", "report"]

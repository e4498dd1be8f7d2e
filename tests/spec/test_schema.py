from __future__ import annotations

import os
from pathlib import Path

from penstock.spec.load import load
from penstock.spec.schema import FIELDS, KINDS, field_named, names_in

DOCS = Path(__file__).parents[2] / "docs" / "definition.md"


def test_every_field_has_its_own_name():
    assert len({field.name for field in FIELDS}) == len(FIELDS)
    assert all(field_named(field.name) is field for field in FIELDS)


def test_the_keys_of_a_place_are_in_the_order_of_the_table():
    assert names_in("retries") == ("times", "backoff", "on")
    assert names_in("defaults")[:3] == ("retries", "leftovers", "timeout")


PLACES = {
    "file": "top",
    "stage": "command",
    "named": "stage",
    "source": "values of `for`",
}


def keys_table():
    rows = ["| key | in | value | meaning |", "|---|---|---|---|"]
    for field in FIELDS:
        where = ", ".join(
            PLACES.get(place, place) for place in field.where if place != "hook"
        )
        choices = ", ".join(f"`{word}`" for word in field.choices)
        value = f"{KINDS[field.kind]} {choices}".strip()
        rows.append(f"| `{field.name}` | {where} | {value} | {field.doc} |")
    return "\n".join(rows) + "\n"


def test_the_table_of_keys_in_the_reference_is_made_of_the_schema():
    """To accept a new one: PENSTOCK_ACCEPT=1."""
    before, begin, rest = DOCS.read_text().partition("<!-- keys -->\n")
    table, end, after = rest.partition("<!-- end of keys -->\n")
    if os.environ.get("PENSTOCK_ACCEPT"):
        DOCS.write_text(before + begin + keys_table() + end + after)
    assert table == keys_table()


def test_the_example_of_the_reference_is_a_definition():
    example = DOCS.read_text().partition("```yaml\n")[2].partition("```")[0]
    assert [job.name for job in load(example, file="x").jobs] == ["clients", "report"]

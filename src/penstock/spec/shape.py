"""Shape: checks the tree of a definition against the table of fields.

What is wrong is reported once and becomes `Broken`: every other value in the tree that
comes back is of its field's kind, and nobody after this checks it again.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.spec.mistakes import Mistakes, shown
from penstock.spec.schema import TITLES, Field, Kind, Where, field_named, names_in
from penstock.spec.tree import Broken, Mapping, Node, Scalar, Sequence
from penstock.spec.values import (
    check_codes,
    check_command,
    check_duration,
    check_env,
    check_filled,
    check_names,
    check_texts,
    check_variables,
    unexpected,
)

# Job names become names of files, and something is appended to them there.
LONGEST_NAME = 200

_Check = Callable[[Node, Field, Mistakes], Node]


def check_fields(node: Node, where: Where, mistakes: Mistakes) -> Node:
    """`node` as the mapping that may stand there; `Broken` for what is wrong in it."""
    if not isinstance(node, Mapping):
        return unexpected(node, f"expected keys: {_list(names_in(where))}", mistakes)
    entries: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        field = _field(key, where, mistakes)
        if field:
            entries.append((key, _CHECKS[field.kind](value, field, mistakes)))
        else:
            entries.append((key, Broken(key.spot)))
    return Mapping(tuple(entries), node.spot)


def _field(key: Scalar, where: Where, mistakes: Mistakes) -> Field | None:
    """The field that `key` names there; None, and a mistake, if it names none."""
    field = field_named(key.text)
    known = names_in(where)
    if field is None:
        what = f"{shown(key.text)} is not a key that may stand {TITLES[where]}"
        hint = mistakes.suggestion(key.text, known)
        mistakes.add(key.spot, what + (hint or f"; expected {_list(known)}"))
    elif field.kind == "later":
        mistakes.add(key.spot, f"`{key.text}` ({field.doc}) is not supported yet")
    elif where not in field.where:
        places = " or ".join(TITLES[place] for place in field.where)
        what = f"`{key.text}` cannot stand {TITLES[where]}: it belongs {places}"
        mistakes.add(key.spot, what)
    else:
        return field
    return None


def _defaults(node: Node, _field: Field, mistakes: Mistakes) -> Node:
    if isinstance(node, Scalar) and node.is_null:
        return Mapping((), node.spot)
    return check_fields(node, "defaults", mistakes)


def _jobs(node: Node, _field: Field, mistakes: Mistakes) -> Node:
    if not isinstance(node, Mapping) or not node.entries:
        expected = "`jobs` must name at least one job, with its keys below the name"
        return unexpected(node, expected, mistakes)
    entries: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        wrong = _wrong_with_job_name(key.text)
        if wrong:
            mistakes.add(key.spot, f"{shown(key.text)} cannot name a job: {wrong}")
        entries.append((key, _job(value, key, mistakes)))
    return Mapping(tuple(entries), node.spot)


def _job(node: Node, key: Scalar, mistakes: Mistakes) -> Node:
    if isinstance(node, Scalar) and node.is_null:
        what = f"job {shown(key.text)} does nothing: give it `run`, `argv` or `pipe`"
        mistakes.add(key.spot, what)
        return Broken(key.spot)
    if isinstance(node, Mapping):
        return check_fields(node, "job", mistakes)
    form = "`run: ...`" if isinstance(node, Scalar) else "`pipe:` and the list"
    return unexpected(node, f"a job is written as keys, here {form}", mistakes)


def _wrong_with_job_name(name: str) -> str | None:
    """Why `name`, which becomes the name of files, cannot name a job."""
    if not name:
        return "it is empty"
    if name.startswith("-"):
        return "it begins with `-`"
    if name in (".", "..") or "/" in name:
        return "it could not be the name of a file"
    if not name.isprintable():
        return "it holds a character that cannot be printed"
    if len(name.encode("utf-8", "replace")) > LONGEST_NAME:
        return f"it is longer than {LONGEST_NAME} bytes"
    return None


def _stages(node: Node, field: Field, mistakes: Mistakes) -> Node:
    if not isinstance(node, Sequence) or not node.items:
        expected = f"`{field.name}` must be a list of commands, at least one"
        return unexpected(node, expected, mistakes)
    items = tuple(_stage(item, field, mistakes) for item in node.items)
    return Sequence(items, node.spot)


def _stage(node: Node, field: Field, mistakes: Mistakes) -> Node:
    if isinstance(node, Mapping):
        return check_fields(node, "stage", mistakes)
    if isinstance(node, Sequence):
        expected = "a command is a text, or keys such as {argv: [sort, -u]}"
        return unexpected(node, expected, mistakes)
    return check_command(node, field, mistakes)


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


_CHECKS: dict[Kind, _Check] = {
    "command": check_command,
    "text": check_filled,
    "texts": check_texts,
    "duration": check_duration,
    "codes": check_codes,
    "env": check_env,
    "names": check_names,
    "variables": check_variables,
    "defaults": _defaults,
    "jobs": _jobs,
    "stages": _stages,
}

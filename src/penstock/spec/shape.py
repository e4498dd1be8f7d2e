"""Shape: checks the tree of a definition against the table of fields.

What is wrong is reported once and becomes `Broken`: every other value in the tree that
comes back is of its field's kind, and nobody after this checks it again.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.spec.mistakes import Mistakes, shown
from penstock.spec.numbers import (
    check_choice,
    check_choices,
    check_count,
    check_counts,
    check_function,
    check_niceness,
    check_signal,
    check_size,
)
from penstock.spec.schema import (
    TITLES,
    Field,
    Kind,
    Where,
    field_named,
    names_in,
)
from penstock.spec.tree import Broken, Mapping, Node, Scalar, Sequence
from penstock.spec.values import (
    check_codes,
    check_command,
    check_duration,
    check_env,
    check_files,
    check_filled,
    check_names,
    check_text,
    check_texts,
    check_variables,
    is_variable_name,
    report_name,
    unexpected,
)

# Job names become names of files, and something is appended to them there.
LONGEST_NAME = 200

# What the command line, or another tool, calls it.
_SYNONYMS = {"leaks": "leftovers", "depends_on": "needs", "environment": "env"}

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
        hint = mistakes.suggestion(_SYNONYMS.get(key.text, key.text), known)
        mistakes.add(key.spot, what + (hint or f"; expected {_list(known)}"))
    elif where not in field.where:
        shown_places = [
            p for p in field.where if p != "hook" or "job" not in field.where
        ]
        places = " or ".join(TITLES[place] for place in shown_places)
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
    expected = "`jobs` must name at least one job, with its keys below the name"
    if not isinstance(node, Mapping):
        return unexpected(node, expected, mistakes)
    if not node.entries:
        mistakes.add(node.spot, f"{expected}; it is empty")
        return Broken(node.spot)
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


def _hook(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """A command as a text, or the keys of a job."""
    if isinstance(node, Mapping):
        return check_fields(node, "hook", mistakes)
    return check_command(node, field, mistakes)


def _notify(node: Node, _field: Field, mistakes: Mistakes) -> Node:
    return check_fields(node, "notify", mistakes)


def _retries(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """How many, or the keys that say more."""
    if not isinstance(node, Mapping):
        return check_count(node, field, mistakes)
    checked = check_fields(node, "retries", mistakes)
    if all(key.text != "times" for key, _ in node.entries):
        mistakes.add(node.spot, "`retries` says no number of `times`")
    return checked


def _service(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """`true`, or the keys that say more."""
    if isinstance(node, Scalar) and node.text == "true":
        return Mapping((), node.spot)
    if isinstance(node, Mapping):
        return check_fields(node, "service", mistakes)
    expected = f"`{field.name}` must be `true`, or keys such as {{ready: ...}}"
    return unexpected(node, expected, mistakes)


def _for(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """Names of variables, each with a source of values."""
    if not isinstance(node, Mapping) or not node.entries:
        expected = f"`{field.name}` must map names to lists, such as {{n: [1, 2]}}"
        return unexpected(node, expected, mistakes)
    entries: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        if not is_variable_name(key.text):
            report_name(key, "a variable", mistakes)
        entries.append((key, _source(value, key, field, mistakes)))
    return Mapping(tuple(entries), node.spot)


def _source(node: Node, key: Scalar, field: Field, mistakes: Mistakes) -> Node:
    """A list of values, or one key that says where they come from."""
    if isinstance(node, Mapping):
        if len(node.entries) == 1:
            return check_fields(node, "source", mistakes)
        what = f"{shown(key.text)} takes its values from one of `glob` and `lines`"
        mistakes.add(node.spot, what)
        return Broken(node.spot)
    if not isinstance(node, Sequence) or not node.items:
        expected = (
            f"{shown(key.text)} must have a list of values, at least one, "
            "or {glob: ...} or {lines: ...}"
        )
        return unexpected(node, expected, mistakes)
    items = tuple(check_text(item, field, mistakes) for item in node.items)
    _report_twins(items, mistakes)
    return Sequence(items, node.spot)


def _report_twins(items: tuple[Node, ...], mistakes: Mistakes) -> None:
    """Report values that stand in the list twice: their jobs would have one name."""
    seen: set[str] = set()
    for item in items:
        if isinstance(item, Scalar):
            if item.text in seen:
                mistakes.add(item.spot, f"{shown(item.text)} stands here twice")
            seen.add(item.text)


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


def _graph(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """Names of stages, each with a command."""
    if not isinstance(node, Mapping) or not node.entries:
        expected = f"`{field.name}` must map names to commands, at least one"
        return unexpected(node, expected, mistakes)
    entries: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        if not is_variable_name(key.text):
            report_name(key, "a stage", mistakes)
        if isinstance(value, Mapping):
            entries.append((key, check_fields(value, "named", mistakes)))
        else:
            entries.append((key, _stage(value, field, mistakes)))
    return Mapping(tuple(entries), node.spot)


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
    "size": check_size,
    "signal": check_signal,
    "niceness": check_niceness,
    "count": check_count,
    "counts": check_counts,
    "choice": check_choice,
    "choices": check_choices,
    "function": check_function,
    "files": check_files,
    "defaults": _defaults,
    "jobs": _jobs,
    "stages": _stages,
    "graph": _graph,
    "for": _for,
    "retries": _retries,
    "service": _service,
    "hook": _hook,
    "notify": _notify,
}

"""Values: whether a value of a definition is what its field takes.

Each check reports what is wrong, once, and gives `Broken` in its place.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.spec.duration import parse_duration
from penstock.spec.mistakes import Mistakes, shown
from penstock.spec.schema import Field
from penstock.spec.tree import Broken, Mapping, Node, Scalar, Sequence, kind_of

HIGHEST_CODE = 255
_LIMITS = ("timeout", "idle", "within", "stall")


def check_text(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """A text, perhaps an empty one."""
    if isinstance(node, Scalar) and not is_passable(node.text):
        what = f"`{field.name}` holds a character that no command can take"
        mistakes.add(node.spot, what)
        return Broken(node.spot)
    if isinstance(node, Scalar) and not node.is_null:
        return node
    return unexpected(node, f"expected a text for `{field.name}`", mistakes)


def check_command(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """A text that is not blank."""
    if isinstance(node, Sequence):
        expected = f"`{field.name}` must be a text; a list is for `argv` or `pipe`"
        return unexpected(node, expected, mistakes)
    checked = check_text(node, field, mistakes)
    if isinstance(checked, Scalar) and not checked.text.strip():
        return unexpected(node, f"`{field.name}` holds no command", mistakes)
    return checked


def check_filled(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """A text that is not empty."""
    checked = check_text(node, field, mistakes)
    if isinstance(checked, Scalar) and not checked.text:
        return unexpected(node, f"`{field.name}` must not be empty", mistakes)
    return checked


def check_texts(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """A list of texts, the first of which names a program."""
    if not isinstance(node, Sequence) or not node.items:
        expected = f"`{field.name}` must be a list, such as [sort, -u]"
        return unexpected(node, expected, mistakes)
    items = tuple(check_text(item, field, mistakes) for item in node.items)
    if isinstance(items[0], Scalar) and not items[0].text:
        return unexpected(items[0], f"`{field.name}` names no program", mistakes)
    return Sequence(items, node.spot)


def check_duration(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """A time with its unit; a timeout must be longer than 0."""
    is_limit = field.name in _LIMITS
    of_none = "leaves no time; for no limit, leave it out" if is_limit else None
    return check_measure(node, field, mistakes, parse_duration, of_none)


def check_measure(
    node: Node,
    field: Field,
    mistakes: Mistakes,
    parse: Callable[[str], float],
    of_none: str | None,
) -> Node:
    """A number with its unit.

    Args:
        node: to check.
        field: that it is of.
        mistakes: are added to.
        parse: what the text says; it raises ValueError where that is nothing.
        of_none: what is wrong with 0 of it; None if nothing is.
    """
    checked = check_text(node, field, mistakes)
    if not isinstance(checked, Scalar):
        return checked
    try:
        amount = parse(checked.text)
    except ValueError as error:
        mistakes.add(checked.spot, f"`{field.name}`: {error}")
        return Broken(checked.spot)
    if of_none is not None and not amount:
        mistakes.add(checked.spot, f"`{field.name}` of 0 {of_none}")
        return Broken(checked.spot)
    return checked


def check_codes(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """Exit codes: one, or a list of them."""
    items = node.items if isinstance(node, Sequence) else (node,)
    if not items:
        return unexpected(node, f"`{field.name}` must hold an exit code", mistakes)
    return Sequence(tuple(_code(item, field, mistakes) for item in items), node.spot)


def _code(node: Node, field: Field, mistakes: Mistakes) -> Node:
    if isinstance(node, Scalar) and is_code(node.text):
        return node
    expected = f"`{field.name}` takes exit codes, 0 to {HIGHEST_CODE}"
    return unexpected(node, expected, mistakes)


def is_code(text: str) -> bool:
    """Whether `text` is a whole number from 0 to 255, written the usual way."""
    few = len(text) <= len(str(HIGHEST_CODE)) and text.isascii() and text.isdecimal()
    return few and int(text) <= HIGHEST_CODE and str(int(text)) == text


def check_env(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """Names of environment variables, each with a text."""
    if isinstance(node, Scalar) and node.is_null:
        return Mapping((), node.spot)
    if not isinstance(node, Mapping):
        expected = f"`{field.name}` must map names to texts, such as {{LC_ALL: C}}"
        return unexpected(node, expected, mistakes)
    entries: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        if not key.text or "=" in key.text or not is_passable(key.text):
            what = f"{shown(key.text)} cannot be the name of an environment variable"
            mistakes.add(key.spot, what)
        elif isinstance(value, Scalar) and value.is_null:
            what = f'{shown(key.text)} has no value; an empty text is written ""'
            mistakes.add(key.spot, what)
        else:
            entries.append((key, check_text(value, field, mistakes)))
    return Mapping(tuple(entries), node.spot)


def check_names(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """One name, or a list of them."""
    items = node.items if isinstance(node, Sequence) else (node,)
    return Sequence(
        tuple(check_text(item, field, mistakes) for item in items), node.spot
    )


def check_files(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """One path, or a list of at least one."""
    items = node.items if isinstance(node, Sequence) else (node,)
    if not items:
        return unexpected(node, f"`{field.name}` must name a file", mistakes)
    return Sequence(
        tuple(check_filled(item, field, mistakes) for item in items), node.spot
    )


def check_variables(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """Names of variables, each with a text or with nothing."""
    if isinstance(node, Scalar) and node.is_null:
        return Mapping((), node.spot)
    if not isinstance(node, Mapping):
        expected = f"`{field.name}` must map names to texts, such as `top: 10`"
        return unexpected(node, expected, mistakes)
    entries: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        if is_variable_name(key.text):
            null = isinstance(value, Scalar) and value.is_null
            entries.append((key, value if null else check_text(value, field, mistakes)))
        else:
            report_name(key, "a variable", mistakes)
    return Mapping(tuple(entries), node.spot)


def report_name(key: Scalar, of_what: str, mistakes: Mistakes) -> None:
    """Report that `key` is not a name such as a variable may have."""
    what = f"{shown(key.text)} cannot be the name of {of_what}: "
    mistakes.add(key.spot, what + "letters, digits, _ and -, a letter first")


def is_variable_name(text: str) -> bool:
    """Whether `text` is a letter or `_`, then letters, digits, `_` and `-`."""
    return text.isascii() and text.replace("-", "_").isidentifier() and text[0] != "-"


def unexpected(node: Node, expected: str, mistakes: Mistakes, hint: str = "") -> Broken:
    """Reports what was found where something else was expected."""
    if not isinstance(node, Broken):
        mistakes.add(node.spot, f"{expected}; found {kind_of(node)}{hint}")
    return Broken(node.spot)


def is_passable(text: str) -> bool:
    """Whether a program can be given `text`: no NUL, and bytes for every character."""
    try:
        return b"\0" not in text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False

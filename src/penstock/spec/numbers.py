"""Numbers: whether counts, sizes, signals and choices of a definition are ones.

As in `values`: what is wrong is reported once, and `Broken` stands in its place.
"""

from __future__ import annotations

from penstock.model.signals import signal_number
from penstock.spec.mistakes import Mistakes, shown
from penstock.spec.schema import Field
from penstock.spec.size import parse_size
from penstock.spec.tree import Mapping, Node, Scalar, Sequence
from penstock.spec.values import check_measure, unexpected

_MOST_DIGITS = 9
_NICEST = 19
# A count of none makes sense only where something is counted that may be missing.
_MAY_BE_ZERO = ("times", "retries")


def check_count(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """A whole number; of most things at least 1."""
    least = 0 if field.name in _MAY_BE_ZERO else 1
    if isinstance(node, Scalar) and is_number(node.text) and int(node.text) >= least:
        return node
    expected = f"`{field.name}` must be a whole number, {least} or more"
    return unexpected(node, expected, mistakes)


def check_counts(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """Names, each with a whole number, at least 1."""
    if not isinstance(node, Mapping) or not node.entries:
        expected = f"`{field.name}` must map names to numbers, such as {{gpu: 1}}"
        return unexpected(node, expected, mistakes)
    entries: list[tuple[Scalar, Node]] = []
    for key, value in node.entries:
        if key.text and key.text.isprintable():
            entries.append((key, check_count(value, field, mistakes)))
        else:
            mistakes.add(key.spot, f"{shown(key.text)} cannot name a thing to count")
    return Mapping(tuple(entries), node.spot)


def is_number(text: str) -> bool:
    """Whether `text` is a whole number that is not negative, written the usual way."""
    few = len(text) <= _MOST_DIGITS and text.isascii() and text.isdecimal()
    return few and str(int(text)) == text


def check_size(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """A size with its unit, more than 0."""
    of_none = "leaves nothing; for no limit, leave it out"
    return check_measure(node, field, mistakes, parse_size, of_none)


def check_signal(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """The name or the number of a signal."""
    if isinstance(node, Scalar) and signal_number(node.text) is not None:
        return node
    expected = f"`{field.name}` must be a signal, such as INT, SIGUSR1 or 2"
    return unexpected(node, expected, mistakes)


def check_niceness(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """What nice(2) may be given."""
    if isinstance(node, Scalar):
        digits = node.text.removeprefix("-")
        if is_number(digits) and -_NICEST - 1 <= int(node.text) <= _NICEST:
            return node
    expected = f"`{field.name}` must be a whole number, -20 to 19"
    return unexpected(node, expected, mistakes)


def check_choice(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """One of the words of the field."""
    if isinstance(node, Scalar) and node.text in field.choices:
        return node
    words = ", ".join(f"`{word}`" for word in field.choices)
    hint = ""
    if isinstance(node, Scalar):
        hint = mistakes.suggestion(node.text, field.choices)
    expected = f"`{field.name}` must be one of {words}"
    return unexpected(node, expected, mistakes, hint)


def check_choices(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """One of the words of the field, or a list of them."""
    items = node.items if isinstance(node, Sequence) else (node,)
    if not items:
        return unexpected(node, f"`{field.name}` must name a cause", mistakes)
    checked = tuple(check_choice(item, field, mistakes) for item in items)
    return Sequence(checked, node.spot)


def check_function(node: Node, field: Field, mistakes: Mistakes) -> Node:
    """`package.module:function`."""
    if isinstance(node, Scalar):
        module, _, function = node.text.partition(":")
        names = (*module.split("."), *function.split("."))
        if all(name.isidentifier() for name in names):
            return node
    expected = f"`{field.name}` must be a function, written as package.module:function"
    return unexpected(node, expected, mistakes)

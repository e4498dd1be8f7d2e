"""Tree: YAML text as scalars, sequences and mappings that know where they stand.

Only structure comes from YAML. What a scalar means is for the field to say, so `no`,
`on`, `1:30` and `0644` are text here. Aliases, anchors, tags and merge keys are
refused: without them a file cannot explode, and says what it looks like it says.

The tree is built from events, not by `yaml.compose`, which recurses: on 10,000 open
brackets the pure loader ends in RecursionError, and on more the C one in the C stack.
"""

from __future__ import annotations

from penstock.spec.mistakes import Spot, shown
from penstock.typed import NamedTuple


class Scalar(NamedTuple):
    """A piece of text.

    Attributes:
        text: its value, with YAML's quoting undone.
        plain: it stands without quotes.
        spot: where it begins.
        start, end: its extent in the source, for finding what is inside.
    """

    text: str
    plain: bool
    spot: Spot
    start: int = 0
    end: int = 0

    @property
    def is_null(self) -> bool:
        """Nothing was written, or one of the words of YAML 1.2 for nothing."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


class Sequence(NamedTuple):
    """A list."""

    items: tuple[Node, ...]
    spot: Spot


class Mapping(NamedTuple):
    """Keys and values, in the order of the file; no key occurs twice."""

    entries: tuple[tuple[Scalar, Node], ...]
    spot: Spot


class Broken(NamedTuple):
    """Stands for what a mistake was reported on: nobody complains of it again."""

    spot: Spot


Node = Scalar | Sequence | Mapping | Broken


def entries_of(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    """The entries of a mapping; none of anything else."""
    return node.entries if isinstance(node, Mapping) else ()


def kind_of(node: Node) -> str:
    """What `node` is, in words for a message."""
    if isinstance(node, Sequence):
        return "a list" if node.items else "an empty list"
    if isinstance(node, Mapping | Broken):
        return "a mapping"
    if node.is_null:
        return "nothing"
    return shown(node.text) if node.text.strip() else "an empty text"

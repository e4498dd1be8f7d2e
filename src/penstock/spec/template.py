"""Template: text with `{{name}}` in it, and the plain way to fill it in.

Only a pair of braces round a name counts. Single braces, and `{{` round anything that
is not letters, digits, `_`, `-` and blanks, are left alone: awk's `{print {{column}}}`
and docker's `{{.ID}}` mean what they say. Names with a dot are those of FIFOs only:
`{{fifo.NAME}}` and `{{fd.NAME}}`. A name may be followed by an edit: `{{file/.}}`.
"""

from __future__ import annotations

from collections.abc import Mapping

from penstock.spec.edits import EDITS, SUFFIXES
from penstock.typed import NamedTuple

_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_INNER = _NAME | frozenset("0123456789-./ \t\n")
_PATHS = ("fifo.", "fd.")
# Looking further for the end of a name would make many `{` quadratic.
_LONGEST = 200


class Slot(NamedTuple):
    """A place to fill in.

    Attributes:
        name: of the variable.
        raw: it is filled in without quoting.
        text: as it is written, braces and all.
        edit: key of `EDITS`.
    """

    name: str
    raw: bool
    text: str
    edit: str = ""

    def value(self, values: Mapping[str, str]) -> str:
        """What to fill in."""
        return EDITS[self.edit](values[self.name])


Template = tuple[str | Slot, ...]


def parse_template(text: str) -> Template:
    """`text` cut into what is literal and what is to be filled in.

    >>> parse_template("head -n {{top}}")
    ('head -n ', Slot(name='top', raw=False, text='{{top}}', edit=''))
    """
    pieces: list[str | Slot] = []
    literal = 0
    at = text.find("{{")
    while at >= 0:
        slot = _slot_at(text, at)
        if slot is None:
            at = text.find("{{", at + 1)
            continue
        if at > literal:
            pieces.append(text[literal:at])
        pieces.append(slot)
        literal = at + len(slot.text)
        at = text.find("{{", literal)
    if literal < len(text):
        pieces.append(text[literal:])
    return tuple(pieces)


def slots_of(template: Template) -> tuple[Slot, ...]:
    """What is to be filled in."""
    return tuple(piece for piece in template if isinstance(piece, Slot))


def fill(template: Template, values: Mapping[str, str]) -> str:
    """The text with every value put in as it is."""
    return "".join(p if isinstance(p, str) else p.value(values) for p in template)


def _slot_at(text: str, start: int) -> Slot | None:
    """The slot that begins at `start`, if that is one."""
    inner = text[start + 2 : start + _LONGEST].partition("}}")[0]
    end = start + 2 + len(inner)
    words = inner.split()
    # Templates of other programs name fields so: {{json .Name}}.
    if not words or not all(word[0] in _NAME for word in words):
        return None
    if not _INNER.issuperset(inner):
        return None
    if text[end : end + 2] != "}}":
        return None
    raw = len(words) > 1 and words[0] == "raw"
    name, edit = _edited(" ".join(words[raw:]))
    if not name or "/" in name or ("." in name and not name.startswith(_PATHS)):
        return None
    return Slot(name, raw, text[start : end + 2], edit)


def _edited(name: str) -> tuple[str, str]:
    """The name of a variable, and what of its value is meant."""
    if name.startswith(_PATHS):
        return name, ""
    edit = next(suffix for suffix in SUFFIXES if name.endswith(suffix))
    return name.removesuffix(edit), edit

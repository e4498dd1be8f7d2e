"""Edits: parts of a path, named as GNU parallel does: `.`, `/`, `//` and `/.`."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping


def _without_extension(value: str) -> str:
    head, dot, tail = value.rpartition(".")
    return head if dot and "/" not in tail else value


def _base(value: str) -> str:
    return value.rpartition("/")[2]


def _directory(value: str) -> str:
    return posixpath.dirname(value.rstrip("/") or value) or "."


EDITS: Mapping[str, Callable[[str], str]] = {
    "": str,
    ".": _without_extension,
    "/": _base,
    "//": _directory,
    "/.": lambda value: _without_extension(_base(value)),
}
"""What each suffix makes of a value: none; without its extension; base name;
directory; base name without extension."""

SUFFIXES = ("/.", "//", "/", ".", "")
"""The keys of `EDITS`, so that the first one that a name ends with is its own."""

"""Regular expressions of users: Python's, but for what stands in a set as in Perl."""

from __future__ import annotations

import re
import warnings

from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import AnyStr

_CLASSES = {  # of ASCII, as in Perl for bytes
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t-\r",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}
_OUTSIDE = re.compile(r"\\.|\[\^?\]?|.", re.DOTALL)
_INSIDE = re.compile(r"\\.|\[:(\w+):\]|.", re.DOTALL)
_PLAIN = "[&|~"  # in a set, Python may make more of these one day


def compile_expression(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What finds a regular expression, in which sets are `with_sets`.

    Raises:
        re.error: it is none, or Python might read it otherwise one day.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(text, flags)
        except Warning as doubt:
            raise re.error(str(doubt)) from None


def with_sets(text: str) -> str:
    r"""`text` with its sets as Python knows them.

    >>> with_sets("[[:digit:]_[]"), with_sets("[^]&]")
    ('[0-9_\\[]', '[^]\\&]')

    Raises:
        re.error: there is no such class.
    """
    found, at, inside = [], 0, False
    while at < len(text):
        token = (_INSIDE if inside else _OUTSIDE).match(text, at)
        if token is None:
            break
        at = token.end()
        found.append(_in_set(token) if inside else token[0])
        inside = token[0] != "]" if inside else token[0].startswith("[")
    return "".join(found)


def _in_set(token: re.Match[str]) -> str:
    """What stands in a set, as Python knows it."""
    if token[1] is None:
        return "\\" + token[0] if token[0] in _PLAIN else token[0]
    if token[1] not in _CLASSES:
        raise re.error(f"there is no class [:{token[1]}:]")
    return _CLASSES[token[1]]


def columns(border: re.Pattern[str], value: str) -> tuple[str, ...]:
    """What stands between the borders in `value`, and in the groups of each.

    As by split of Perl: a border of no width is none where a column begins.
    """
    found: list[str] = []
    begin = 0
    for each in border.finditer(value):
        if each.end() == begin == each.start():
            continue
        found += (value[begin : each.start()], *each.groups(""))
        begin = each.end()
    return (*found, value[begin:])

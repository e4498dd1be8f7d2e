r"""Escapes: what `\n` and its kin mean in a text that stands between records.

Part of the hot path, so it imports nothing that takes time.
"""

from __future__ import annotations

import os

_BYTES = {"n": b"\n", "t": b"\t", "r": b"\r", "0": b"\0", "\\": b"\\"}
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_UNDERSTOOD = r"write one of \n, \t, \r, \0, \xHH of two digits, or \\ for a backslash"


def unescape(text: str) -> bytes:
    r"""The bytes that `text` means; a sole backslash is itself, as in GNU parallel.

    >>> unescape(r"a\n"), unescape(r"\x0a0a"), unescape("\\")
    (b'a\n', b'\n0a', b'\\')

    Raises:
        ValueError: with a message for the user, for an escape that is not understood.
    """
    if text == "\\":
        return b"\\"
    found, rest = b"", text
    while rest:
        plain, backslash, rest = rest.partition("\\")
        found += os.fsencode(plain)
        if backslash:
            name = rest[: 3 if rest.startswith("x") else 1]
            rest = rest[len(name) :]
            found += _byte(name, rest)
    return found


def _byte(name: str, rest: str) -> bytes:
    r"""What a backslash and `name` mean where `rest` follows.

    `\012` is a newline for xargs, and would be a NUL and `12` here: it is refused.
    """
    digits = name[1:]
    if len(digits) == 2 and _HEXADECIMAL.issuperset(digits):  # noqa: PLR2004 (a byte)
        return bytes.fromhex(digits)
    more = rest[:2] if name == "0" and rest[:1].isdecimal() else ""
    if name not in _BYTES or more:
        from penstock.spec.mistakes import shown  # noqa: PLC0415 (only for a mistake)

        escape = shown(f"\\{name}{more}")
        raise ValueError(f"{escape} is no escape that is understood: {_UNDERSTOOD}")
    return _BYTES[name]

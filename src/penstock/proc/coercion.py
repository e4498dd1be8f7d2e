"""Taking back what Python has put into the environment when it started."""

from __future__ import annotations

import os

_COERCED = ("C.UTF-8", "C.utf8", "UTF-8")  # what PEP 538 has it try


def undo_coercion() -> None:
    """Give commands the LC_CTYPE that we were given, or none.

    In the C locale Python sets it to one of UTF-8, for itself and for all that it
    starts. A `grep` among these would call a log in Latin-1 a binary file.
    """
    told = os.environ.get("LC_CTYPE")
    if told not in _COERCED:
        return
    try:
        with open("/proc/self/environ", "rb") as file:  # as it was at exec: proc(5)
            given = file.read().split(b"\0")
    except OSError:
        return
    name = b"LC_CTYPE="
    before = [each.removeprefix(name) for each in given if each.startswith(name)]
    if not before:
        del os.environ["LC_CTYPE"]
    elif before[0] != os.fsencode(told):
        os.environb[b"LC_CTYPE"] = before[0]

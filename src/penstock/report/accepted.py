"""Exit statuses that a job accepts, said in words of sh. Pure text."""

from __future__ import annotations


def accepting(text: str, ok: tuple[int, ...]) -> str:
    """`text` as a command of sh that succeeds if its status is one of `ok`.

    Any other status is its own, but 0, which becomes 1. It is right under `set -e`, at
    any place of a pipe, and with redirections after it.
    """
    if ok == (0,):
        return text
    codes = "|".join(map(str, ok))
    cases = f"case $s in {codes}) exit 0;; 0) exit 1;; esac"
    return f"(s=0; {text} || s=$?; {cases}; exit $s)"

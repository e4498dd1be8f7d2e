"""Exit statuses that a job accepts, said in words of sh. Pure text."""

from __future__ import annotations


def accepting(text: str, ok: tuple[int, ...]) -> str:
    """A command of sh, so that it succeeds if its status is one of `ok`.

    Any other status is its own, but 0, which becomes 1. It is one command, as it was:
    it is right under `set -e`, and `penstock-sh` knows it as a stage of a pipeline.

    Args:
        text: its words; no more than that.
        ok: what it may exit with.
    """
    if ok == (0,):
        return text
    cases = f"{'|'.join(map(str, ok))}) exit 0;;"
    if 0 not in ok:
        cases += " 0) exit 1;;"
    return f"sh -c 's=0; \"$@\" || s=$?; case $s in {cases} esac; exit $s' sh {text}"

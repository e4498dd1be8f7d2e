"""``penstock reap``: end what dead runs have left."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence

from penstock.cli.lines.reap import ReapOptions
from penstock.cli.printing import tell
from penstock.clock import MonotonicClock
from penstock.errors import PenstockError
from penstock.model.limits import GRACE
from penstock.proc.leftovers import Leftover, end_leftovers, find_leftovers
from penstock.proc.name import is_own_proc
from penstock.report.plain import readable, visible


def main(given: ReapOptions) -> int:
    """End it; 0, or 1 if something could not be ended.

    Raises:
        PenstockError: /proc does not show the processes that we could signal.
    """
    if not is_own_proc():
        raise PenstockError("/proc does not show the processes of this PID namespace")
    grace = GRACE if given.grace is None else given.grace
    left = find_leftovers() if given.dry_run else end_leftovers(grace, MonotonicClock())
    survived = [each for each in left if each.fate == "survived"]
    if given.json:
        sys.stdout.writelines(f"{_json(each)}\n" for each in left)
    elif not given.quiet:
        sys.stdout.writelines(f"{line}\n" for line in _lines(left))
    for each in survived:
        tell(f"penstock: could not be ended: {_what(each)}\n")
    return 1 if survived else 0


def _lines(left: Sequence[Leftover]) -> Iterator[str]:
    """A line for each run that is dead, and below it one for each thing it left."""
    if not left:
        yield "nothing is left of any dead run"
    run = None
    for each in sorted(left, key=lambda each: each.run):
        if each.run != run:
            run = each.run
            yield f"run {run}"
        yield f"  {each.fate:<8}  {_what(each)}"


def _what(each: Leftover) -> str:
    if each.process is not None:
        return f"{each.process.pid} {visible(each.process.command)}"
    return visible(each.path or "")


def _json(each: Leftover) -> str:
    return json.dumps(
        {
            "run": each.run,
            "fate": each.fate,
            "pid": each.process.pid if each.process else None,
            "command": readable(each.process.command) if each.process else None,
            "path": readable(each.path) if each.path else None,
        }
    )

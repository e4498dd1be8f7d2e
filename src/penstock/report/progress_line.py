"""How far a run is, as a line: for people, and as JSON. Pure."""

from __future__ import annotations

import json

from penstock.report.encode import timestamp
from penstock.report.progress import View


def plain_line(view: View, _: float) -> str:
    """For people, without anything that moves a cursor."""
    return "penstock: " + "  ".join(view.headline)


def json_line(view: View, at: float) -> str:
    """A JSON object, as the events of ``--json`` are.

    `total` is null while more jobs may come; `known` is how many there are at least.
    """
    known = view.known if view.total is None else view.total
    return json.dumps(
        {
            "event": "Progress",
            "at": timestamp(at),
            "done": view.done,
            "failed": view.failed,
            "running": len(view.running),
            "known": known,
            "total": view.total,
            "elapsed": round(view.elapsed, 3),
            "left": None if view.left is None else round(view.left, 3),
        }
    )

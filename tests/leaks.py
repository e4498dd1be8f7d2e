"""What a test may leave behind: nothing. A snapshot before, the difference after."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.commands import alive, children

OURS = ("penstock", ".penstock")
"""How the names of penstock's own files begin."""


class Snapshot(NamedTuple):
    """All that a test could change in its process and forget: kind -> name -> value."""

    kinds: Mapping[str, Mapping[str, str]]

    @classmethod
    def take(cls, marker: str | None = None) -> Snapshot:
        """Look now; `marker` also finds processes that are nobody's children."""
        strangers = alive(marker) if marker else []
        variables = dict(os.environ)
        variables.pop("PYTEST_CURRENT_TEST", None)
        return cls(
            {
                "child": {str(p.pid): str(p) for p in children(os.getpid())},
                "process": {str(p.pid): str(p) for p in strangers},
                "descriptor": _descriptors(),
                "thread": {str(t.ident): t.name for t in threading.enumerate()},
                "signal": _handlers(),
                "file": _files(),
                "variable": variables,
                "state": _state(),
            }
        )

    def changes(self, after: Snapshot) -> list[str]:
        """One line for each thing that is new, gone or different in `after`."""
        return [
            line
            for kind, before in self.kinds.items()
            for line in _compare(kind, before, after.kinds[kind])
        ]


def _compare(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    lines = [f"{kind} left: {k}: {v}" for k, v in new.items() if k not in old]
    if kind in {"child", "process", "thread", "file"}:  # these may end and change
        return lines
    lines += [f"{kind} gone: {k}: {v}" for k, v in old.items() if k not in new]
    lines += [
        f"{kind} changed: {k}: {v} -> {new[k]}"
        for k, v in old.items()
        if k in new and new[k] != v
    ]
    return lines


def _descriptors() -> dict[str, str]:
    open_now = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            open_now[name] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:  # the descriptor of the listing itself
            continue
    return open_now


def _handlers() -> dict[str, str]:
    handlers = {n.name: _describe(signal.getsignal(n)) for n in signal.Signals}
    handlers["mask"] = str(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    return handlers


def _describe(handler: object) -> str:
    if getattr(handler, "__module__", "") == "pytest_timeout":  # comes and goes
        return str(signal.SIG_DFL)
    return str(handler)


def _files() -> dict[str, str]:
    here = {name for name in os.listdir() if name.startswith(OURS)}
    temporary = Path(tempfile.gettempdir())
    return {
        **dict.fromkeys(here, "in the working directory"),
        **{str(temporary / name): "temporary" for name in os.listdir(temporary)},
    }


def _state() -> dict[str, str]:
    status = Path("/proc/self/status").read_text().splitlines()
    umask = next((line for line in status if line.startswith("Umask")), "Umask:\t?")
    return {"working directory": os.getcwd(), "umask": umask.partition("\t")[2]}

"""The cells of penstock itself: every victim, ended in every way."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.matrix.cell import Cell
from tests.matrix.victims import LEAVE, VICTIMS, victim

PENSTOCK = str(Path(sys.executable).with_name("penstock"))
GRACE = 0.3  # seconds
TIMEOUT = 1.5

KILLS = ("U", "N", "W", "UN", "UW", "NW")
ALL_AT_ONCE = "KILL U+N+W, isolated"

_CANCEL = """\
defaults: {{grace: {grace}s}}
jobs:
  victim:
    argv: {victim}
  fails:
    run: until test -s '{{ready}}'; do sleep 0.02; done; exit 1
"""


def endings() -> tuple[str, ...]:
    """The columns of the matrix."""
    kills = tuple(f"KILL {'+'.join(layers)}" for layers in KILLS)
    return ("timeout", "cancel", "TERM", "HUP", "INT", "INT twice", *kills, ALL_AT_ONCE)


def cells(name: str, *, nobody: bool = False) -> Iterator[Cell]:
    """Victim `name`, ended in every way."""
    command = tuple(victim(name))
    # What the first process left behind lives until it is ended, or has lingered.
    timeout, linger = ("60", "0.1") if name in LEAVE else (str(TIMEOUT), "30")
    timed = ("-t", timeout, "-g", str(GRACE), "--linger", linger)
    yield Cell("timeout", _exec(*timed, *command), nobody=nobody)
    text = _CANCEL.format(grace=GRACE, victim=_flow(command))
    run = (PENSTOCK, "run", "-j2", "--linger", "30", "./cancel.yaml")
    yield Cell("cancel", run, files=(("cancel.yaml", text),), nobody=nobody)
    held = _exec("-g", str(GRACE), "--linger", "30", *command)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        yield Cell(number.name.removeprefix("SIG"), held, number, nobody=nobody)
    impatient = _exec("-g", "20", "--linger", "30", *command)
    yield Cell("INT twice", impatient, signal.SIGINT, "UU", nobody=nobody)
    for layers in KILLS:
        title = f"KILL {'+'.join(layers)}"
        yield Cell(title, held, signal.SIGKILL, layers, nobody=nobody)
    if not nobody or VICTIMS[name]()[0] == "/bin/sh":
        # In a user namespace nobody may not reach an interpreter in /root any more.
        isolated = _exec("--isolate", "pidns", "--linger", "30", *command)
        yield Cell(ALL_AT_ONCE, isolated, signal.SIGKILL, "UNW", nobody=nobody)


def _exec(*words: str) -> tuple[str, ...]:
    return (PENSTOCK, "exec", *words)


def _flow(argv: tuple[str, ...]) -> str:
    """`argv` as a list of YAML, on one line."""
    import json  # noqa: PLC0415 (every JSON text is YAML)

    return json.dumps(list(argv))


STATUSES = {
    "timeout": (124,),
    "cancel": (1,),
    "TERM": (-15,),
    "INT": (-2,),
    "INT twice": (-2,),
    "HUP": (-1,),
    "KILL U": (-9,),
    "KILL N": (125,),
    "KILL W": (125,),
    "KILL U+N": (-9,),
    "KILL U+W": (-9,),
    "KILL N+W": (125,),
    ALL_AT_ONCE: (-9,),
}
"""What the tool's own status must be; for `LEAVE`, 0 in place of 124."""


def expected(name: str, ending: str) -> tuple[int, ...]:
    """The statuses that penstock may end with."""
    if name in LEAVE and ending == "timeout":
        return (0,)
    return STATUSES[ending]

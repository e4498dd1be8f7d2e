"""What each tool leaves alive: the kill matrix of penstock, and of its peers beside it.

Victims and cages are those of the tests (`tests/matrix`). A cell counts the processes
that are alive some seconds after the tool is gone.
"""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.installed import ROOT, Installed
from bench.measure import Result, RunError
from tests.matrix.cell import NEVER_READY, Cell, Fate, can_cage, run_cells
from tests.matrix.victims import VICTIMS, victim

REPORT = ROOT / "docs" / "kill-matrix.md"
_HANGS = 8.0  # seconds
_TIMEOUT, _GRACE = 0.5, 0.3


class Peer(NamedTuple):
    """A tool, and how it is told to run a command.

    Attributes:
        title: of its column.
        argv: the words that stand before the victim's; "{}" is the victim as a text.
        files: what it reads, by name; then they tell it to run the script `victim`.
        timed: it has a deadline: the one in `argv`.
    """

    title: str
    argv: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = ()
    timed: bool = False


# -I: a "{}" of the victim is no place for an argument.
_PARALLEL = (*["parallel", "-n0", "-I", "@@", "--timeout", "1"], "{}", ":::", "x")
_NINJA = "rule run\n  command = sh ./victim\nbuild all: run\n"
_PEERS = (
    Peer("timeout", ("timeout", str(_TIMEOUT)), timed=True),
    Peer("timeout -k", ("timeout", "-k", str(_GRACE), str(_TIMEOUT)), timed=True),
    Peer("parallel", _PARALLEL, timed=True),
    Peer("xargs", ("xargs", "-a", "input", "-n1", "-P2"), (("input", "x\n"),)),
    Peer("make", ("make", "-j2"), (("Makefile", "all:\n\t@sh ./victim\n"),)),
    Peer("ninja", ("ninja",), (("build.ninja", _NINJA),)),
    Peer("just", ("just",), (("justfile", "all:\n    @sh ./victim\n"),)),
)
_SIGNALS = (
    ("TERM", signal.SIGTERM, "U"),
    ("Ctrl-C", signal.SIGINT, "G"),
    ("KILL", signal.SIGKILL, "U"),
)


def bench_kill_matrix(here: Installed, rounds: int | None) -> Result:
    """Every victim under every tool; writes ``docs/kill-matrix.md``."""
    del rounds
    if not can_cage():
        raise RunError("PID namespaces need unshare(1) and root")
    ours = Peer(
        "penstock",
        (
            here.penstock,
            "exec",
            "-t",
            str(_TIMEOUT),
            "-g",
            str(_GRACE),
            "--linger",
            "0.3",
        ),
        timed=True,
    )
    path = here.environment["PATH"]
    there = [ours, *(p for p in _PEERS if shutil.which(p.argv[0], path=path))]
    missing = [peer.title for peer in _PEERS if peer not in there]
    columns = [(peer, ending) for peer in there for ending in _endings(peer)]
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as directory:
        places = [Path(directory) / str(number) for number in range(len(VICTIMS))]
        rows = {
            name: _row(name, columns, place)
            for name, place in zip(VICTIMS, places, strict=True)
        }
    REPORT.write_text(_report(rows, columns, missing))
    clean = [
        fate.clean or 0.0
        for row in rows.values()
        for (peer, _), fate in zip(columns, row, strict=True)
        if peer is ours
    ]
    return Result(
        "kill-matrix",
        "penstock: from the last signal to the last process (grace 0.3 s included)",
        {"penstock": clean},
        notes=[*_totals(rows, columns), f"wrote {REPORT.relative_to(ROOT)}"],
    )


def _endings(peer: Peer) -> Iterator[str]:
    if peer.timed:
        yield "timeout"
    yield from (title for title, _, _ in _SIGNALS)


def _row(name: str, columns: Sequence[tuple[Peer, str]], place: Path) -> list[Fate]:
    place.mkdir(parents=True)
    return [*run_cells((_cell(name, *column) for column in columns), place)]


def _cell(name: str, peer: Peer, ending: str) -> Cell:
    words = victim(name)
    text = shlex.join(words)
    argv = tuple(text if word == "{}" else word for word in peer.argv)
    if "{}" not in peer.argv and (not peer.files or peer.title == "xargs"):
        argv += tuple(words)
    files = (*peer.files, ("victim", f"exec {text}\n"))
    number, layers = next(
        ((number, layers) for title, number, layers in _SIGNALS if title == ending),
        (0, "U"),
    )
    if number and peer.timed:
        argv = _patient(argv)
    return Cell(ending, argv, number, layers, files, patience=_HANGS, ready=_HANGS)


def _patient(argv: tuple[str, ...]) -> tuple[str, ...]:
    """The same line with a deadline that is far away."""
    return tuple("60" if word in {str(_TIMEOUT), "1"} else word for word in argv)


def _told(fate: Fate) -> str:
    """A cell of the table."""
    if fate.err.endswith(NEVER_READY):
        raise RunError(f"{fate.name}: {NEVER_READY}")
    if fate.status is None:
        return "hangs"
    return str(len(fate.survivors)) if fate.survivors else "·"


def _totals(
    rows: Mapping[str, Sequence[Fate]], columns: Sequence[tuple[Peer, str]]
) -> list[str]:
    """For each tool, in how many of its cells something was left."""
    told = []
    for peer in dict.fromkeys(peer for peer, _ in columns):
        fates = [
            fate
            for row in rows.values()
            for (each, _), fate in zip(columns, row, strict=True)
            if each is peer
        ]
        left = sum(_told(fate) != "·" for fate in fates)
        told.append(
            f"{peer.title}: {left} of {len(fates)} cells leave something or hang"
        )
    return told


def _report(
    rows: Mapping[str, Sequence[Fate]],
    columns: Sequence[tuple[Peer, str]],
    missing: Sequence[str],
) -> str:
    peers = [*dict.fromkeys(peer for peer, _ in columns)]
    lines = [
        "# The kill matrix",
        "",
        "Written by `scripts/bench kill-matrix`; do not edit. Each victim was run by",
        "each tool in a PID namespace of its own, and ended: by its own deadline, by",
        "TERM to the tool, by INT to its process group (Ctrl-C), by KILL of it.",
        "A cell says how many processes were alive three seconds after the tool",
        f"was gone: `·` is none; `hangs` is a tool still there after {_HANGS:g} s.",
        "",
        "What the tools are: " + "; ".join(map(_version, peers)) + ".",
    ]
    if missing:
        lines.append(f"Not installed, so not measured: {', '.join(missing)}.")
    for peer in peers:
        endings = [ending for each, ending in columns if each is peer]
        lines += ["", f"## {peer.title}", "", f"| victim | {' | '.join(endings)} |"]
        lines.append("|---" * (len(endings) + 1) + "|")
        for name, row in rows.items():
            cells = [
                _told(fate)
                for (each, _), fate in zip(columns, row, strict=True)
                if each is peer
            ]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "## In all", "", *(f"* {total}" for total in _totals(rows, columns))]
    return "\n".join(lines) + "\n"


def _version(peer: Peer) -> str:
    asked = subprocess.run(
        [peer.argv[0], "--version"], capture_output=True, text=True, check=False
    )
    first = (asked.stdout or asked.stderr).partition("\n")[0]
    return f"{peer.title} ({first})"

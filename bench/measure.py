"""Taking turns with a stopwatch, and what comes of it."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Goal(NamedTuple):
    """What one peer's time should be, as a multiple of another's."""

    ours: str
    theirs: str
    at_most: float


class Result(NamedTuple):
    """The outcome of one bench.

    Attributes:
        name: of the bench.
        about: what is measured, in a line.
        seconds: of each peer, one for each round.
        goal: None where there is none.
        notes: what else is worth knowing, e.g. which peer is missing.
        modules: what Python loaded, by what was run; most benches have none.
    """

    name: str
    about: str
    seconds: Mapping[str, Sequence[float]]
    goal: Goal | None = None
    notes: Sequence[str] = ()
    modules: Mapping[str, Sequence[str]] = {}

    @property
    def ratio(self) -> float | None:
        """Our median as a multiple of theirs; None if either was not measured."""
        if self.goal is None or not {*self.goal[:2]} <= self.seconds.keys():
            return None
        return self.median(self.goal.ours) / self.median(self.goal.theirs)

    def median(self, peer: str) -> float:
        """The median of one peer's rounds, in seconds."""
        return statistics.median(self.seconds[peer])


class RunError(Exception):
    """A peer did not do what it was measured for."""


def take_turns(
    peers: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    """Call every peer once to warm up, then `rounds` times in turn, forth and back."""
    for run in peers.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    order = list(peers.items())
    for _ in range(rounds):
        for name, run in order:
            seconds[name].append(run())
        order.reverse()
    return seconds


def timed(
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    expected: bytes | None = None,
) -> Callable[[], float]:
    """What runs `argv` to its end and tells the wall time; a failure is an error.

    Args:
        argv: found by PATH.
        environment: all of it.
        expected: what it must print; None lets it print to /dev/null.
    """
    out = subprocess.DEVNULL if expected is None else subprocess.PIPE

    def run() -> float:
        start = time.perf_counter()
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
        ) as process:
            printed, complaint = process.communicate()
        seconds = time.perf_counter() - start
        if process.returncode or (expected is not None and printed.strip() != expected):
            last = os.fsdecode(complaint[-400:]).strip()
            raise RunError(f"{argv[0]}: status {process.returncode}: {last}")
        return seconds

    return run


def format_table(result: Result) -> str:
    """The result as text: a row for each peer, the fastest first, then the goal."""
    theirs = result.goal.theirs if result.goal else ""
    base = result.median(theirs) if theirs in result.seconds else None
    lines = [f"{result.name}: {result.about}"]
    for peer in sorted(result.seconds, key=result.median):
        rounds = result.seconds[peer]
        median = result.median(peer)
        ratio = f"{median / base:8.2f}x" if base else " " * 9
        lines.append(
            f"  {peer:<28}{median * 1e3:10.2f} ms {ratio}"
            f"   {min(rounds) * 1e3:.2f} to {max(rounds) * 1e3:.2f}, n={len(rounds)}"
        )
    if result.goal and result.ratio is not None:
        ours, _, limit = result.goal
        verdict = "met" if result.ratio <= limit else "MISSED"
        lines.append(
            f"  goal {verdict}: {ours} takes {result.ratio:.2f} of the time of "
            f"{theirs}, at most {limit:.2f}"
        )
    return "\n".join(lines + [f"  note: {note}" for note in result.notes])

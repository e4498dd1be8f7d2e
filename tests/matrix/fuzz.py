"""Random kills at random instants: ``python -m tests.matrix.fuzz -n 500``.

Each trial follows from the seed and its number alone, so that one can be repeated:
``--seed SEED --only NUMBER``.
"""

from __future__ import annotations

import argparse
import random
import secrets
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.matrix.cell import Cell, Fate, run_cells
from tests.matrix.ours import GRACE, PENSTOCK
from tests.matrix.victims import VICTIMS, victim

STARTING = 0.15  # seconds, within which penstock has started its command
RUNNING = 0.1
MOST_TOLD = 8  # survivors

LATE = ("U", "N", "W", "UN", "UW", "NW", "UU")
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)


def trial(seed: int, number: int) -> Cell:
    """The cell of that number."""
    chance = random.Random(f"{seed}:{number}")
    name = chance.choice(sorted(VICTIMS))
    layers = chance.choice(LATE)
    early = chance.random() < 0.4
    sent = chance.choice(STOPPING) if layers in {"U", "UU"} else signal.SIGKILL
    if layers == "U" and chance.random() < 0.5:
        sent = signal.SIGKILL
    options = ["-g", str(GRACE), "--linger", "30"]
    if chance.random() < 0.2:
        options += ["-t", f"{chance.uniform(0.1, 0.3):.3f}"]
    return Cell(
        f"{number}: {name}, {sent.name} to {layers}{' while it starts' * early}",
        (PENSTOCK, "exec", *options, *victim(name)),
        sent,
        layers,
        delay=chance.uniform(0, STARTING if early else RUNNING),
        early=early,
    )


def what_is_wrong(fate: Fate) -> str | None:
    """In a line; None if nothing is."""
    if fate.survivors:
        return f"survived: {'; '.join(fate.survivors[:MOST_TOLD])}"
    if fate.status is None:
        return f"penstock hangs: {fate.err}"
    if "Traceback" in fate.err and not _is_pythons_own(fate.err):
        return fate.err
    return None


def _is_pythons_own(err: str) -> bool:
    """A SIGINT before our first statement: CPython prints a traceback of its own."""
    return (
        "KeyboardInterrupt" in err and "penstock" not in err.partition("Traceback")[2]
    )


def _number(fate: Fate) -> str:
    return fate.name.partition(":")[0]


def trials(seed: int, numbers: range, directory: Path) -> Iterator[Fate]:
    """Run them, one after the other."""
    return run_cells((trial(seed, number) for number in numbers), directory)


def main() -> int:
    """Run as many as were asked for; 1 if anything was wrong with one."""
    parser = argparse.ArgumentParser(prog="scripts/stress", description=__doc__)
    parser.add_argument("-n", "--trials", type=int, default=500)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--only", type=int, help="the number of one trial")
    given = parser.parse_args()
    numbers = range(given.trials)
    if given.only is not None:
        numbers = range(given.only, given.only + 1)
    print(f"stress: {len(numbers)} kills, seed {given.seed}", flush=True)
    faults, statuses, slowest = 0, Counter[str](), (0.0, "none")
    with tempfile.TemporaryDirectory(prefix="penstock-stress-") as directory:
        for fate in trials(given.seed, numbers, Path(directory)):
            wrong = what_is_wrong(fate)
            statuses[str(fate.status)] += 1
            slowest = max(slowest, (fate.clean or 0.0, fate.name))
            if wrong:
                faults += 1
                print(f"stress: WRONG: {fate.name}: {wrong}", flush=True)
                print(f"stress: again: --seed {given.seed} --only {_number(fate)}")
    print(f"stress: {faults} wrong of {len(numbers)}; statuses {dict(statuses)}")
    print(
        f"stress: all gone after {slowest[0]:.2f} s at most, with grace: {slowest[1]}"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Two gibibytes through a pipeline of three commands, as bash runs it and as we do."""

from __future__ import annotations

from bench.installed import Installed
from bench.measure import Goal, Result, take_turns, timed

STAGES = ("head -c 2G /dev/zero", "cat", "wc -c")
EXPECTED = str(2 << 30).encode()


def bench_pipe(here: Installed, rounds: int | None) -> Result:
    """``penstock pipe`` beside bash."""
    commands = {
        "bash": ["bash", "-c", " | ".join(STAGES)],
        "penstock pipe": [here.penstock, "pipe", *STAGES],
    }
    peers = {
        name: timed(argv, here.environment, expected=EXPECTED)
        for name, argv in commands.items()
    }
    return Result(
        "pipe",
        " | ".join(STAGES),
        take_turns(peers, rounds or 5),
        Goal("penstock pipe", "bash", 0.75),
    )

"""Two gibibytes through graphs and chains, as bash runs them and as we do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.installed import Installed
from bench.measure import Goal, Result, take_turns, timed

SOURCE = "head -c 2G /dev/zero"
SIZE = str(2 << 30)
READERS = (1, 2, 4, 8)
STAGES = (2, 3, 4, 5, 6)


def bench_fan(here: Installed, rounds: int | None) -> Result:
    """Three readers of one stream: penstock's fan-out beside bash's tee."""
    with _definitions({3}) as files:
        peers = {
            "bash": timed(["bash", "-c", _tee(3)], here.environment),
            "penstock run": timed(_run(here, files[3]), here.environment),
        }
        return Result(
            "fan",
            f"{SOURCE} to 3 readers (wc -c)",
            take_turns(peers, rounds or 5),
            Goal("penstock run", "bash", 0.5),
        )


def bench_readers(here: Installed, rounds: int | None) -> Result:
    """1, 2, 4 and 8 readers: how the time grows."""
    with _definitions(set(READERS)) as files:
        peers = {}
        for number in READERS:
            mine = _run(here, files[number])
            peers[f"bash, {number}"] = timed(
                ["bash", "-c", _tee(number)], here.environment
            )
            peers[f"penstock, {number}"] = timed(mine, here.environment)
        seconds = take_turns(peers, rounds or 5)
    result = Result(
        "readers",
        f"{SOURCE} to 1, 2, 4 and 8 readers (wc -c)",
        seconds,
        Goal("penstock, 8", "bash, 8", 0.5),
    )
    most = max(map(result.median, seconds))
    plot = [
        f"{name:<12} {'#' * max(1, round(40 * result.median(name) / most))}"
        for name in seconds
    ]
    return result._replace(notes=plot)


def bench_chains(here: Installed, rounds: int | None) -> Result:
    """Chains of 2 to 6 commands that each read and write all of it."""
    peers = {}
    for number in STAGES:
        commands = [SOURCE, *["tail -c +1"] * (number - 2), "wc -c"]
        for name, argv in (
            ("bash", ["bash", "-c", " | ".join(commands)]),
            ("penstock", [here.penstock, "pipe", *commands]),
        ):
            run = timed(argv, here.environment, expected=SIZE.encode())
            peers[f"{name}, {number}"] = run
    return Result(
        "chains",
        f"{SOURCE} | ... | wc -c, of 2 to 6 commands",
        take_turns(peers, rounds or 5),
        Goal("penstock, 6", "bash, 6", 1.0),
    )


def _tee(readers: int) -> str:
    """What a shell has for it; tee's own stdout is the last reader's."""
    more = " ".join(">(wc -c >/dev/null)" for _ in range(readers - 1))
    return f"{SOURCE} | tee {more} | wc -c >/dev/null"


def _run(here: Installed, file: Path) -> list[str]:
    """In the directory of the file, where it keeps its records."""
    line = f"cd {file.parent} && exec {here.penstock} run -q {file.name}"
    return ["sh", "-c", line]


@contextmanager
def _definitions(readers: set[int]) -> Iterator[dict[int, Path]]:
    """A definition file for each number of readers."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as folder:
        files = {number: Path(folder, f"{number}.yaml") for number in readers}
        for number, file in files.items():
            lines = "".join(
                f"      r{reader}: {{run: wc -c, from: source, stdout: {os.devnull}}}\n"
                for reader in range(number)
            )
            file.write_text(
                f"jobs:\n  fan:\n    stages:\n      source: {SOURCE}\n{lines}"
            )
        yield files

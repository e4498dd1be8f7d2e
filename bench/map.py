"""Ten thousand short jobs, two at a time: `penstock map` beside those before it.

Each has one argument, as what is mapped has: with one, coreutils' `true` loads its
locale, which takes it a fifth of its time. With output there is a tenth of the jobs, as
GNU parallel takes long.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.installed import Installed
from bench.measure import Goal, Result, take_turns, timed

N_JOBS = 10_000
N_SLOTS = 2
_COMMAND = "/bin/true"
_ARGUMENT = "1"  # where there are no numbers
_TENTH = 10
_HERE = Path(__file__).parent

Peer = Callable[[], float]


def bench_map(here: Installed, rounds: int | None) -> Result:
    """Jobs that do nothing."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        peers = _ours_and_xargs(here, place)
        peers |= _parallel(here, place, _COMMAND)
        peers |= _others(here, place)
        seconds = take_turns(peers, rounds or 5)
    result = Result(
        "map",
        f"{N_JOBS} x {_COMMAND}, {N_SLOTS} at a time, with start-up",
        seconds,
        Goal("penstock map", "xargs -n1 -P2", 1.0),
    )
    rates = [f"{name} {N_JOBS / result.median(name):.0f}" for name in seconds]
    notes = [f"jobs per second: {', '.join(rates)}"]
    if "GNU parallel" in seconds:
        times = result.median("GNU parallel") / result.median("penstock map")
        notes.append(f"{times:.1f} times as fast as GNU parallel, goal: 6")
    return result._replace(notes=notes)


def bench_map_output(here: Installed, rounds: int | None) -> Result:
    """Jobs that print a kibibyte each, grouped, and in order."""
    text = "head -c 1024 /dev/zero"
    line = [here.penstock, "map", f"-j{N_SLOTS}"]
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        values = _values(place, N_JOBS // _TENTH)
        peers = {
            "penstock map": _reading(values, [*line, f"{text} #"], here),
            "penstock map -k": _reading(values, [*line, "-k", f"{text} #"], here),
        }
        if shutil.which("parallel"):
            own = ["parallel", f"-j{N_SLOTS}"]
            peers["GNU parallel"] = _reading(values, [*own, f"{text} #"], here)
            peers["GNU parallel -k"] = _reading(values, [*own, "-k", f"{text} #"], here)
        seconds = take_turns(peers, rounds or 5)
    return Result(
        "map-output",
        f"{N_JOBS // _TENTH} x {text}, {N_SLOTS} at a time, with start-up",
        seconds,
        Goal("penstock map", "GNU parallel", 1 / 6),
    )


def _ours_and_xargs(here: Installed, place: Path) -> dict[str, Peer]:
    values = _values(place, N_JOBS)
    ours = [here.penstock, "map", f"-j{N_SLOTS}", _COMMAND]
    xargs = ["xargs", "-n1", f"-P{N_SLOTS}", _COMMAND]
    return {
        "penstock map": _reading(values, ours, here),
        "xargs -n1 -P2": _reading(values, xargs, here),
    }


def _parallel(here: Installed, place: Path, command: str) -> dict[str, Peer]:
    peers: dict[str, Peer] = {}
    if shutil.which("parallel"):
        argv = ["parallel", f"-j{N_SLOTS}", command]
        peers["GNU parallel"] = _reading(_values(place, N_JOBS), argv, here)
    if shutil.which("parallel.moreutils"):
        values = [str(number) for number in range(N_JOBS)]
        argv = ["parallel.moreutils", f"-j{N_SLOTS}", command, "--", *values]
        peers["moreutils parallel"] = timed(argv, here.environment)
    return peers


def _others(here: Installed, place: Path) -> dict[str, Peer]:
    numbers = range(N_JOBS)
    peers: dict[str, Peer] = {}
    makefile, ninja = place / "Makefile", place / "build.ninja"
    names = " ".join(f"t{number}" for number in numbers)
    line = f"{_COMMAND} {_ARGUMENT}"
    makefile.write_text(f"all: {names}\n{names}:\n\t@{line}\n.PHONY: {names}\n")
    builds = "\n".join(f"build t{number}: r" for number in numbers)
    ninja.write_text(f"rule r\n command = {line}\n{builds}\n")
    candidates = {
        "make -j2": ["make", "-s", f"-j{N_SLOTS}", "-f", str(makefile)],
        "ninja -j2": ["ninja", "--quiet", f"-j{N_SLOTS}", "-f", str(ninja)],
        "C posix_spawn": _floor(place),
    }
    for name, argv in candidates.items():
        if argv and shutil.which(argv[0]):
            peers[name] = timed(argv, here.environment)
    script = [here.python, str(_HERE / "map_executor.py")]
    argv = [*script, str(N_JOBS), str(N_SLOTS), _COMMAND, _ARGUMENT]
    peers["ProcessPoolExecutor"] = timed(argv, here.environment)
    return peers


def _floor(place: Path) -> list[str]:
    """The compiled C program, with its arguments; none without a compiler."""
    if shutil.which("gcc") is None:
        return []
    program = place / "floor"
    source = _HERE / "map_floor.c"
    subprocess.run(["gcc", "-O2", "-o", str(program), str(source)], check=True)
    return [str(program), str(N_JOBS), str(N_SLOTS), _COMMAND, _ARGUMENT]


def _values(place: Path, number: int) -> Path:
    path = place / f"values-{number}"
    path.write_text("".join(f"{i}\n" for i in range(number)))
    return path


def _reading(values: Path, argv: list[str], here: Installed) -> Peer:
    """What runs `argv` with a file as its standard input."""
    environment: Mapping[str, str] = here.environment
    return timed(["sh", "-c", 'exec "$@" < "$0"', str(values), *argv], environment)

"""What it costs to start: the whole program, and the import of the library."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

from bench.installed import Installed
from bench.measure import Goal, Result, take_turns, timed


def bench_exec(here: Installed, rounds: int | None) -> Result:
    """``penstock exec -- true`` beside what people use now."""
    commands = {
        "penstock exec": [here.penstock, "exec", "--", "true"],
        "timeout": ["timeout", "5", "true"],
        "sh -c": ["sh", "-c", "true"],
        "python -c pass": [here.python, "-c", "pass"],
    }
    notes = []
    if has_gnu_parallel(here):
        commands["parallel"] = ["parallel", "true", ":::", "1"]
    else:
        notes.append("GNU parallel is not installed: not compared with it")
    peers = {name: timed(argv, here.environment) for name, argv in commands.items()}
    return Result(
        "exec",
        "start, run `true`, report its status",
        take_turns(peers, rounds or 25),
        Goal("penstock exec", "parallel", 1.0),
        notes,
    )


def bench_import(here: Installed, rounds: int | None) -> Result:
    """``import penstock`` beside an interpreter that imports nothing."""
    peers: dict[str, Callable[[], float]] = {
        "python -c pass": timed([here.python, "-c", "pass"], here.environment),
        "import penstock": timed(
            [here.python, "-c", "import penstock"], here.environment
        ),
    }
    bare = _modules_of([here.python, "-c", "pass"], here)
    modules = {
        "import penstock": _modules_of([here.python, "-c", "import penstock"], here),
        "penstock exec -- true": _modules_of(
            [here.penstock, "exec", "--", "true"], here
        ),
    }
    more = {
        run: [m for m in loaded if m not in bare] for run, loaded in modules.items()
    }
    return Result(
        "import",
        "the library, loaded by a fresh interpreter",
        take_turns(peers, rounds or 25),
        notes=[
            f"{run} loads {len(names)} modules more: {' '.join(names)}"
            for run, names in more.items()
        ],
        modules=more,
    )


def has_gnu_parallel(here: Installed) -> bool:
    """GNU parallel is there; moreutils has another program of that name."""
    path = shutil.which("parallel", path=here.environment["PATH"])
    if path is None:
        return False
    asked = subprocess.run(
        [path, "--version"], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    return asked.stdout.startswith(b"GNU parallel")


def _modules_of(argv: list[str], here: Installed) -> list[str]:
    """Every module that `argv` imports, in order of name (``-X importtime``)."""
    told = subprocess.run(
        argv,
        env=here.environment | {"PYTHONPROFILEIMPORTTIME": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [
        line for line in told.stderr.splitlines() if line.startswith("import time:")
    ]
    return sorted({line.rsplit("|", 1)[1].strip() for line in lines[1:]})

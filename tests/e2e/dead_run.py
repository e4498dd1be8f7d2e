"""Make a dead run, call `penstock reap`, and tell what is left; to be run in a cage.

    python -m tests.e2e.dead_run PENSTOCK LAYERS READY REAP-ARGS -- COMMAND...

LAYERS: "UNW" kills the user's process, the nursery and the workers at once; "U" only
the first, while the others are stopped. READY: how many lines the command announces.
DEAD_RUN_OPTIONS, in the
environment, are for the run. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial

from penstock.proc.descendants import children_of
from tests.commands import MARKER, is_running, look_up, ready_pid, wait_until


def main() -> None:
    argv = sys.argv[1 : sys.argv.index("--")]
    command = sys.argv[len(argv) + 2 :]
    penstock, layers, ready, *arguments = argv
    os.environ[MARKER] = "caged"
    stranger = subprocess.Popen(["sleep", "999"])
    live = start(penstock, ["/bin/sh", "-c", "echo ready $$; exec sleep 999"])
    living = ready_pid(live.stdout)
    run = start(penstock, command)
    for _ in range(int(ready)):
        ready_pid(run.stdout)
    kill(run.pid, layers)
    run.wait()
    done = subprocess.run(
        [penstock, "reap", "--json", *arguments], capture_output=True, check=False
    )
    told = {
        "status": done.returncode,
        "error": done.stderr.decode(),
        "told": [json.loads(line) for line in done.stdout.splitlines()],
        "stranger": is_running(stranger.pid),
        "live": is_running(live.pid) and is_running(living),
        "pid": run.pid,
    }
    live.terminate()
    live.wait()
    stranger.kill()
    stranger.wait()
    told["left"] = [str(found) for found in everybody()]
    sys.stdout.write(json.dumps(told))


def start(penstock: str, command: list[str]) -> subprocess.Popen[bytes]:
    options = os.environ.get("DEAD_RUN_OPTIONS", "").split()
    argv = [penstock, "exec", "-g", "60", *options, "--", *command]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=True)


def kill(user: int, layers: str) -> None:
    """Kill those layers while none of them can act."""
    (nursery,) = children_of(user)
    workers = children_of(nursery)
    for pid in (nursery, *workers):
        os.kill(pid, signal.SIGSTOP)
        wait_until(partial(is_stopped, pid))
    os.kill(user, signal.SIGKILL)
    if "N" in layers:
        for pid in (nursery, *workers):
            with suppress(ProcessLookupError):  # one dies with the other
                os.kill(pid, signal.SIGKILL)


def is_stopped(pid: int) -> bool:
    found = look_up(pid)
    return found is not None and found.state == "T"


def everybody() -> list[object]:
    """All that is alive in the cage but ourselves, dead ones that wait left out."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    found = [look_up(pid) for pid in pids if pid != os.getpid() and is_running(pid)]
    return [each for each in found if each]


main()

"""The inside of a cage: process 1 of a PID namespace, which counts what is left.

Reads a `Cell` as JSON on standard input, prints a `Fate`. Every orphan comes to process
1, so that what else is alive in here when the tool is gone has survived it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.matrix.cell import NEVER_READY, NOBODY, Cell, Fate

PATIENCE = 60.0  # seconds
ALLOWANCE = 10.0  # seconds in which what is left may end: one, on a machine at rest
MOMENT = 0.1  # seconds
TITLES = {"N": "ps-nursery", "W": "ps-worker"}


def main(place: Path) -> Fate:
    """Run the cell that standard input tells of, in `place`."""
    told = json.load(sys.stdin)
    cell = Cell._make(told)
    ready = place / "ready"
    err = place / "err"
    err.touch()
    err.chmod(0o666)
    tool = _start(cell, place, ready, err)
    started = time.monotonic()
    # Whose own deadline is over before the victim is ready is judged all the same.
    if not (
        cell.early or _await(lambda: _is_told(ready) or _is_dead(tool), cell.ready)
    ):
        return _end(cell, None, started, started, err, NEVER_READY)
    if cell.signal:
        _pause(cell.delay)
        _signal(cell, tool)
        started = time.monotonic()
    status = _reap(tool, cell.patience)
    return _end(cell, status, started, time.monotonic(), err)


def _start(cell: Cell, place: Path, ready: Path, err: Path) -> int:
    """Start the tool; its process id."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    os.chdir(place)
    for number, path, flags in (
        (0, "/dev/null", os.O_RDONLY),
        (1, place / "out", os.O_WRONLY | os.O_CREAT),
        (2, err, os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(path, flags, 0o666), number)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "CI"))}
    environment = {
        **kept,
        "READY": str(ready),
        "HOME": str(place),
        "TMPDIR": str(place),
    }
    argv = [*_as_nobody(), *cell.argv] if cell.nobody else [*cell.argv]
    try:
        os.execvpe(argv[0], argv, environment)
    finally:
        os._exit(127)


def _as_nobody() -> list[str]:
    """What runs a command without privileges, but to reach an interpreter in /root."""
    reach = "-all,+dac_read_search"
    ids = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return ["setpriv", *ids, f"--inh-caps={reach}", f"--ambient-caps={reach}", "--"]


def _signal(cell: Cell, tool: int) -> None:
    """Send the cell's signal to all of its layers, as soon as they are there."""
    # A tool whose own deadline has passed meanwhile is gone, with all of its layers.
    _await(lambda: len(_targets(cell, tool)) >= len(cell.layers) or _is_dead(tool))
    for pid in _targets(cell, tool):
        with suppress(ProcessLookupError):
            os.kill(pid, cell.signal)
        if cell.layers == "UU":
            _pause(MOMENT)  # or the second would be one with the first
    if cell.early and cell.layers == "W":
        _pause(MOMENT)  # it may have had no job yet: then another has it now
        os.kill(tool, signal.SIGTERM)


def _is_dead(pid: int) -> bool:
    return _state(pid) in "ZX"


def _targets(cell: Cell, tool: int) -> list[int]:
    targets = []
    for layer in cell.layers:
        if layer in TITLES:
            targets += [pid for pid in _others() if _is_of(layer, pid)]
        else:
            targets.append(-tool if layer == "G" else tool)
    return targets


def _is_of(layer: str, pid: int) -> bool:
    """Whether it is of that layer; a worker just forked is still called as its parent.

    With such a one, all who guard the commands would be killed at once.
    """
    if _comm(pid) != TITLES[layer]:
        return False
    return layer != "N" or _comm(_parent(pid)) != TITLES["N"]


def _end(
    cell: Cell,
    status: int | None,
    since: float,
    ended: float,
    err: Path,
    note: str = "",
) -> Fate:
    """Count what is left, now and a second later; then end it."""
    at_return = _told(_left())
    _await(lambda: not _left(), ALLOWANCE)
    survivors = _told(_left())
    clean_since = since if cell.signal else ended
    clean = None if survivors else time.monotonic() - clean_since
    said = err.read_bytes()[-2000:].decode(errors="replace") + note
    return Fate(cell.name, status, at_return, survivors, ended - since, clean, said)


def _is_told(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def _reap(tool: int, patience: float) -> int | None:
    """Wait for the tool; its exit status, or None if it takes too long."""
    pidfd = os.pidfd_open(tool)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    if not poll.poll(patience * 1000):
        return None
    return os.waitstatus_to_exitcode(os.waitpid(tool, 0)[1])


def _others() -> list[int]:
    """Everything alive in this namespace but ourselves; the dead are not counted."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if pid != os.getpid() and not _is_dead(pid)]


def _left() -> list[int]:
    """As `_others`, for when the tool is gone: whoever died was left to us."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    return _others()


def _told(pids: list[int]) -> tuple[str, ...]:
    return tuple(f"{pid} {_comm(pid)}: {_command(pid)}" for pid in pids)


def _state(pid: int) -> str:
    """The letter that ps(1) shows; X if it is gone."""
    return _stat(pid)[0]


def _parent(pid: int) -> int:
    """Whose child it is; 0 if it is gone."""
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """What follows the name in /proc/PID/stat (proc_pid_stat(5))."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return ["X", "0"]


def _comm(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().rstrip()
    return ""


def _command(pid: int) -> str:
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        return " ".join(words.decode(errors="replace").split())[-50:]
    return ""


def _await(condition: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Ask again and again; False if it was never true."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        _pause(0.002)
    return True


def _pause(seconds: float) -> None:
    select.select([], [], [], seconds)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Or Python's handler, in the fork that is to be the tool, may swallow it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    print(json.dumps(main(Path(sys.argv[1]))))  # noqa: T201 (its answer)

"""Commands that misbehave in one known way each, and the means to watch them.

Every helper command is an argv list; it prints ``ready <pid>`` on its stdout as soon as
it is in the state that its name promises, so that no test has to guess how long that
takes: read that line (`ready_pid`), then act.

    process = subprocess.Popen(ignore_term(), stdout=subprocess.PIPE)
    pid = ready_pid(process.stdout)

Whatever a test starts carries that test's own marker in its environment (see the
``marker`` fixture), so `alive(marker)` finds it wherever it has hidden.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

MARKER = "PENSTOCK_TEST"
"""The environment variable in which a test's marker travels."""

PATIENCE = 30.0
"""Seconds that any wait may take on a loaded machine, if not told otherwise."""

_PAUSE = threading.Event()  # that nobody sets: the one place where tests let time pass

T = TypeVar("T")


# --- waiting ------------------------------------------------------------------------


def wait_until(condition: Callable[[], T], timeout: float = PATIENCE) -> T:
    """Ask `condition` until it says something true, and return that.

    Args:
        condition: cheap, and asked many times.
        timeout: in seconds.

    Raises:
        TimeoutError: it was still false when the time was over.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() >= deadline:
            name = getattr(condition, "__qualname__", condition)
            raise TimeoutError(f"not within {timeout} s: {name}, last {value!r}")
        _PAUSE.wait(0.005)
    return value


def ready_pid(stream: IO[bytes] | None) -> int:
    """The pid that a helper command announces; blocks until it is ready."""
    assert stream is not None, "start the command with stdout=PIPE"
    return pid_in(stream.readline())


def pid_in(line: bytes) -> int:
    """The pid in what a helper command announces."""
    word, _, pid = line.partition(b" ")
    assert word == b"ready", f"expected 'ready <pid>', got {line!r}"
    return int(pid)


# --- what is alive ------------------------------------------------------------------


class Found(NamedTuple):
    """A process that was found in /proc."""

    pid: int
    state: str
    command: str

    def __str__(self) -> str:
        return f"{self.pid} [{self.state}] {self.command}"


def look_up(pid: int) -> Found | None:
    """Process `pid` as /proc shows it; None if there is none. A zombie is one."""
    stat, argv = _read(pid, "stat"), _read(pid, "cmdline")
    if not stat:
        return None
    comm, _, rest = stat.partition(b"(")[2].rpartition(b")")
    text = argv.rstrip(b"\0").replace(b"\0", b" ") or b"(" + comm + b")"
    return Found(pid, rest.split()[0].decode(), text.decode(errors="replace")[:200])


def is_running(pid: int) -> bool:
    """There is a process `pid`, and it is no zombie."""
    found = look_up(pid)
    return found is not None and found.state not in "ZX"


def alive(marker: str) -> list[Found]:
    """Every process, other than this one, that has `marker` in its argv or environment.

    A zombie has neither any more: it is not alive. A child of fork(2) that has not
    called execve(2) shows the environment that its ancestor was started with.
    """
    wanted = os.fsencode(marker)
    own = os.getpid()
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [
        found
        for pid in pids
        if pid != own and _is_marked(pid, wanted) and (found := look_up(pid))
    ]


def _is_marked(pid: int, wanted: bytes) -> bool:
    bare = 0  # looks at which it had arguments and no environment
    for _ in range(1000):
        environment, argv = _read(pid, "environ"), _read(pid, "cmdline")
        if wanted in environment or wanted in argv:
            return True
        bare += bool(argv)
        if environment or bare == _LOOKS or not _may_be_in_exec(pid):
            return False
        _PAUSE.wait(0.001)
    return False


def _may_be_in_exec(pid: int) -> bool:
    """While execve(2) replaces a program, it shows neither arguments nor environment.

    Nor does a zombie, what is about to be one, or a thread of the kernel, ever; and
    what is older than the tests is not theirs.
    """
    fields = _fields(pid)
    return (
        bool(fields)
        and fields[0] not in b"ZX"
        and not int(fields[6]) & (_EXITS | _OF_THE_KERNEL)
        and int(fields[19]) >= _STARTED_AT
    )


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:  # it is gone, or not ours to look at
        return b""


def _fields(pid: int) -> list[bytes]:
    """What follows the name in /proc/PID/stat, from the state on (proc(5))."""
    return _read(pid, "stat").rpartition(b")")[2].split()


_LOOKS = 20  # one of which may be before an execve(2) is over, and the next in another
_EXITS, _OF_THE_KERNEL = 0x4, 0x200000  # PF_EXITING, PF_KTHREAD in linux/sched.h
_STARTED_AT = int(_fields(os.getpid())[19])  # in ticks since the machine started


def children(pid: int) -> list[Found]:
    """Every descendant of `pid` that has not been adopted by another; zombies too."""
    found: list[Found] = []
    for thread in threads_of(pid):
        for child in map(int, _read(pid, f"task/{thread}/children").split()):
            process = look_up(child)
            found += [process] if process else []
            found += children(child)
    return found


def threads_of(pid: int) -> list[str]:
    """The numbers of its threads; none if it is gone, also while this looks."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def memory_of(pid: int, what: str) -> int:
    """Bytes of a field of smaps_rollup (proc_pid_smaps(5)); 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    found = (line.split()[1] for line in lines if line.startswith(f"{what}:"))
    return int(next(found, "0")) << 10


def kill_all(marker: str) -> None:
    """KILL whatever carries `marker`, until nothing does.

    Nothing, twice in a row: what forks and exits meanwhile may be missed once.
    """

    def nothing_left() -> bool:
        left = alive(marker) or alive(marker)
        for process in left:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not left

    wait_until(nothing_left)


# --- helper commands ----------------------------------------------------------------


BEGUN = "{} & until grep -q ^sleep /proc/$!/comm; do :; done"
"""For a shell: in the background, a sleep(1) that has its own name by now."""


def sh(text: str) -> list[str]:
    """`text` run by /bin/sh."""
    return ["/bin/sh", "-c", text]


def python(text: str) -> list[str]:
    """`text` run by this interpreter, without site-packages, with `os` and `ready`."""
    prelude = (
        "import os, signal, sys\n"
        "def ready(pid=None):\n"
        "    os.write(1, b'ready %d\\n' % (pid or os.getpid()))\n"
        "def rest():\n"
        "    while True: signal.pause()\n"
    )
    return [sys.executable, "-IS", "-c", prelude + text]


def exit_with(code: int) -> list[str]:
    """Exits with `code`."""
    return sh(f"echo ready $$; exit {code}")


def kill_self(number: int) -> list[str]:
    """Dies of signal `number`, without leaving a core file."""
    return python(
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
        f"if {number} not in (9, 19): signal.signal({number}, signal.SIG_DFL)\n"
        f"ready(); os.kill(os.getpid(), {number}); rest()"
    )


def print_ready() -> list[str]:
    """Is well behaved: waits for as long as it is let."""
    return sh("echo ready $$; exec sleep 1000")


def ignore_term() -> list[str]:
    """Takes no notice of TERM, INT, HUP and QUIT, nor do its children."""
    return sh("trap '' TERM INT HUP QUIT; echo ready $$; while :; do sleep 1000; done")


def stop_self() -> list[str]:
    """Stops itself (SIGSTOP) right after it is ready: only CONT or KILL will do."""
    return sh("echo ready $$; kill -STOP $$; exec sleep 1000")


def stop_self_and_ignore_hup() -> list[str]:
    """The same, and HUP does nothing: the kernel sends that to a group it orphans."""
    return sh("trap '' HUP; echo ready $$; kill -STOP $$; exec sleep 1000")


def fork_and_exit() -> list[str]:
    """Exits 0 at once, leaving a child in its process group, which holds stdout open.

    Announces the child's pid.
    """
    return sh("sleep 1000 & echo ready $!")


def fork_and_wait() -> list[str]:
    """A shell with one child in the background and one in front."""
    return sh("sleep 1000 & echo ready $$; sleep 1000; :")


def double_fork() -> list[str]:
    """A daemon by the book: new session, two forks; the first process waits.

    Announces the daemon's pid; the daemon closes stdout, so end-of-file comes from
    the others. It is of nobody's family until someone adopts it.
    """
    return python(
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        ready(); os.close(1); rest()\n"
        "    os._exit(0)\n"
        "os.wait(); rest()"
    )


def daemon_and_exit() -> list[str]:
    """Leaves a daemon behind, as `double_fork` does, and exits 0."""
    return python(
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        ready(); os.close(1); rest()\n"
        "    os._exit(0)\n"
        "os.wait()"
    )


def new_session() -> list[str]:
    """Has a child that has left its group and its session; announces the child."""
    return python(
        "if os.fork() == 0:\n    os.setsid(); ready(); rest()\nrest()",
    )


def hold_pipe() -> list[str]:
    """Exits 0, but a child in another session keeps its stdout and stderr open."""
    return python(
        "if os.fork() == 0:\n    os.setsid(); ready(); rest()\nos._exit(0)",
    )


def close_output() -> list[str]:
    """Closes its stdout and stderr, and runs on."""
    return sh("echo ready $$; exec >&- 2>&-; exec sleep 1000")


def hide_from_marker() -> list[str]:
    """Has a daemon with an empty environment; its argv carries the marker instead."""
    return python(
        f"name = os.environ.get({MARKER!r}, 'unmarked')\n"
        "code = 'import os, signal\\n' \\\n"
        "    'os.write(1, b\"ready %d\\\\n\" % os.getpid()); os.close(1)\\n' \\\n"
        "    'while True: signal.pause()'\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        argv = [sys.executable, '-IS', '-c', code, name]\n"
        "        os.execve(sys.executable, argv, {})\n"
        "    os._exit(0)\n"
        "os.wait(); rest()"
    )


def flood(n_bytes: int, *, number: int = 1) -> list[str]:
    """Writes `n_bytes` zero bytes to descriptor `number`; announces nothing."""
    return sh(f"exec head -c {n_bytes} /dev/zero >&{number}")


def slow_reader(n_bytes: int) -> list[str]:
    """Reads `n_bytes` in small pieces, then closes stdin and exits 0."""
    return python(
        f"ready(); left = {n_bytes}\n"
        "while left > 0:\n"
        "    left -= len(os.read(0, min(left, 4096))) or left\n"
    )


def print_environment() -> list[str]:
    """Prints what it was given: signal mask and dispositions, descriptors, argv, cwd.

    One line each: ``name value``.
    """
    return python(
        "status = dict(l.rstrip().split(':\\t', 1) for l in open('/proc/self/status')\n"
        "              if l.startswith(('SigBlk', 'SigIgn', 'SigCgt', 'Umask')))\n"
        "for name, value in status.items(): print(name, value.strip())\n"
        "for name in sorted(os.listdir('/proc/self/fd'), key=int):\n"
        "    try: print('fd', name, os.readlink('/proc/self/fd/' + name))\n"
        "    except FileNotFoundError: pass\n"
        "print('cwd', os.getcwd()); print('pgid', os.getpgrp())\n"
        "print('sid', os.getsid(0)); print('pid', os.getpid())\n"
    )

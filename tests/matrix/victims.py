"""Victims: commands that are hard to end, each in one known way.

Each writes ``ready`` into the file $READY once it is what its name says, and keeps the
standard output that it was given open on descriptor 9, as an ordinary child would.
None of them can grow without bound: forks are paid for with tokens, or counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.commands import (
    daemon_and_exit,
    fork_and_exit,
    hide_from_marker,
    hold_pipe,
    ignore_term,
    new_session,
    print_ready,
    python,
    sh,
    stop_self,
)


def deaf_grandchild() -> list[str]:
    """Dies of TERM by itself; its child in the same group does not."""
    deaf = "trap '' TERM INT HUP QUIT; echo ready; while :; do sleep 1000; done"
    return sh(f'sh -c "{deaf}" & sleep 1000; :')


def double_fork_daemon() -> list[str]:
    """Stays, having a daemon that closed its output, in a session of its own."""
    return python(
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0: ready(); rest()\n"
        "    os._exit(0)\n"
        "os.wait(); rest()"
    )


def fork_chain() -> list[str]:
    """Each process makes its successor, in a new session, and exits; 20,000 at most."""
    return python(
        "import time\n"
        "ready()\n"
        "for generation in range(20000):\n"
        "    if os.fork(): os._exit(0)\n"
        "    os.setsid(); time.sleep(0.0005)\n"
    )


def fork_bomb() -> list[str]:
    """Processes that ignore TERM and replace each child that dies; 400 forks in all."""
    return python(
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "tokens, spare = os.pipe(); os.write(spare, b'.' * 400)\n"
        "os.close(spare); os.set_blocking(tokens, False)\n"
        "children = 0\n"
        "ready()\n"
        "while True:\n"
        "    while children < 3 and os.read(tokens, 1):\n"
        "        children += 1\n"
        "        if os.fork() == 0: os.setsid(); children = 0\n"
        "    try: os.wait(); children -= 1\n"
        "    except ChildProcessError: rest()\n"
    )


VICTIMS: Mapping[str, Callable[[], list[str]]] = {
    "plain child": print_ready,
    "background child, leader gone": fork_and_exit,
    "setsid": new_session,
    "double-fork daemon": double_fork_daemon,
    "daemon, leader gone": daemon_and_exit,
    "env -i escapee": hide_from_marker,
    "TERM-immune": ignore_term,
    "TERM-immune grandchild": deaf_grandchild,
    "stopped process": stop_self,
    "pipe holder": hold_pipe,
    "fork chain": fork_chain,
    "bounded fork bomb": fork_bomb,
}

LEAVE = frozenset(
    {
        "background child, leader gone",
        "daemon, leader gone",
        "pipe holder",
        "fork chain",
    }
)
"""Their first process exits 0 at once: no deadline of its own ever passes."""


def victim(name: str) -> list[str]:
    """The command of that name, which tells $READY when it is ready."""
    told = 'exec 9>&1 >>"$READY"; exec "$@"'
    return ["/bin/sh", "-c", told, "sh", *VICTIMS[name]()]

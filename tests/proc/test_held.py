from __future__ import annotations

import os
import socket
import subprocess
import sys

from penstock.proc.held import Held

CHILD = "import subprocess; subprocess.run(['cat'], check=True)"
PARENT = """
import subprocess, sys
worker = subprocess.Popen([sys.executable, '-c', sys.argv[1]], close_fds=False)
print('ready', flush=True)
worker.wait()
"""


def test_what_is_below_a_worker_is_found_by_its_socket():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = os.fstat(theirs.fileno()).st_ino
        theirs.set_inheritable(True)
        with subprocess.Popen(
            [sys.executable, "-c", PARENT, CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
        ) as nursery:
            assert nursery.stdout is not None
            nursery.stdout.readline()
            held = Held(nursery.pid)
            sizes = held.look({"a": peer, "b": 1})
            while not sizes.get("a"):  # the worker has not started its command yet
                sizes = held.look({"a": peer, "b": 1})
            assert nursery.stdin is not None
            nursery.stdin.close()
    assert 0 < sizes["a"] < 1 << 30
    assert "b" not in sizes

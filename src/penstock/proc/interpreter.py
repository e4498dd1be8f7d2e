"""Starting a fresh Python for a process of penstock's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from penstock.errors import PenstockError

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); import importlib; "
    "importlib.import_module(sys.argv[2]).main(*map(int, sys.argv[3:]))"
)


def start_interpreter(module: str, descriptors: tuple[int, ...]) -> int:
    """Run ``main(*descriptors)`` of `module` in a new interpreter.

    Without site and user settings (-I -S): what it needs is penstock and the standard
    library, and what a site adds costs up to 20 ms.

    Args:
        module: of this package.
        descriptors: handed to the new process under the same numbers.

    Returns:
        Its PID; the caller reaps it.

    Raises:
        PenstockError: this program has no Python interpreter to start.
    """
    if not sys.executable:
        raise PenstockError("sys.executable is empty: there is no Python to start")
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", *_bytecode_flag(), "-c", _START, root, module]
        + [str(descriptor) for descriptor in descriptors],
        stdin=subprocess.DEVNULL,
        pass_fds=descriptors,
        start_new_session=True,
    )
    process.returncode = 0  # tells Popen that it has nothing to wait for
    return process.pid


def _bytecode_flag() -> tuple[str, ...]:
    return ("-B",) if sys.dont_write_bytecode else ()

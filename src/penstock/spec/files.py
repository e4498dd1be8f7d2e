"""Files: the paths that commands read and write, and the names of the parts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from penstock.model.stream import Output
from penstock.spec.mistakes import Mistakes, Spot, shown
from penstock.spec.options import Entry, Fields
from penstock.spec.program import scalars_of
from penstock.spec.variables import Scope, fill_text
from penstock.typed import NamedTuple

# NAME_MAX is 255 on every file system in use (limits.h); a run adds its own name.
LONGEST_NAME_BYTES = 255 - 55

NAMED = ("inputs", "outputs")
"""The keys by which a job says what its commands read and write of their own."""

_READ = ("stdin", "inputs")


class FileUse(NamedTuple):
    """A job reads or writes a file.

    Attributes:
        job: its name.
        key: how: `stdin`, `stdout`, `append`, `stderr`, `inputs` or `outputs`.
        path: as it was given.
        spot: where that stands.
        mistakes: of the file in which it stands.
    """

    job: str
    key: str
    path: str
    spot: Spot
    mistakes: Mistakes

    @property
    def place(self) -> str:
        """The path in the one way of writing it."""
        return posixpath.normpath(self.path)

    @property
    def is_device(self) -> bool:
        """Several may use it at once: /dev/null, a terminal."""
        return self.place.startswith("/dev/")


def file_use(entry: Entry | None, job: str, scope: Scope) -> FileUse | None:
    """How a job uses the file that `entry` names; None if it names none, or wrongly."""
    path = fill_text(entry.value, scope) if entry else None
    if entry is None or path is None:
        return None
    if not path or path.endswith("/") or posixpath.basename(path) in (".", ".."):
        what = f"`{entry.key.text}` must name a file; {shown(path)} does not"
        scope.mistakes.add(entry.value.spot, what)
        return None
    return FileUse(job, entry.key.text, path, entry.value.spot, scope.mistakes)


def named_files(fields: Fields, key: str, job: str, scope: Scope) -> Iterator[FileUse]:
    """What a job says by `key` that it uses; a pattern stands for itself."""
    for node in scalars_of(fields.get(key)):
        path = fill_text(node, scope)
        if path is not None:
            yield FileUse(job, key, path, node.spot, scope.mistakes)


def output(path: str, job: str) -> Output:
    """The output at `path`, and the name beside it that it has until `job` succeeds.

    >>> output("out/clients.txt", "clients").partial
    'out/.clients.txt.clients.part'
    """
    directory, name = posixpath.split(path)
    partial = f".{name}.{job}.part"
    encoded = partial.encode("utf-8", "surrogateescape")
    if len(encoded) > LONGEST_NAME_BYTES:
        # What is cut off still tells two outputs apart.
        import zlib  # noqa: PLC0415 (hardly ever needed)

        tail = f".{zlib.crc32(encoded):08x}.part"
        most = LONGEST_NAME_BYTES - len(tail)
        partial = encoded[:most].decode("utf-8", "ignore") + tail
    return Output(path, posixpath.join(directory, partial))


def check_files(uses: list[FileUse]) -> None:
    """Report files that two would write, or that one job reads and writes."""
    written: dict[str, FileUse] = {}
    for use in uses:
        if use.is_device or use.key in _READ:
            continue
        first = written.setdefault(use.place, use)
        # What a stream of the job writes may be told once more as its output.
        twin = first.job == use.job and "outputs" in (first.key, use.key)
        if first is not use and not (twin and first.key != use.key):
            where = use.mistakes.place_of(first.mistakes, first.spot)
            use.mistakes.add(
                use.spot,
                f"{shown(use.path)} is written twice, also by `{first.key}` of job "
                f"{shown(first.job)} {where}",
            )
    for use in uses:
        writer = written.get(use.place)
        if use.key in _READ and writer and writer.job == use.job:
            what = f"job {shown(use.job)} would read and write {shown(use.path)}"
            use.mistakes.add(max(use.spot, writer.spot), what)

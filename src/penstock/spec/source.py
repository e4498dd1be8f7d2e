"""Source: a definition file and those that it includes, each as checked keys."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from penstock.spec.disk import Disk
from penstock.spec.mistakes import Mistakes, Spot, shown
from penstock.spec.options import Fields, fields_of
from penstock.spec.program import scalars_of
from penstock.spec.schema import names_in
from penstock.spec.shape import check_fields
from penstock.spec.tree import Scalar
from penstock.typed import NamedTuple

_ONLY_ONCE = ("setup", "teardown", "notify")


class Source(NamedTuple):
    """One definition file.

    Attributes:
        text: of the file.
        mistakes: what is wrong with it.
        fields: its keys; none if it cannot be read at all.
    """

    text: str
    mistakes: Mistakes
    fields: Fields


def read_sources(data: bytes | str, file: str, disk: Disk) -> tuple[Source, ...]:
    """All files of a definition: what is included first, `file` itself last."""
    sources: dict[str, Source] = {}
    _add(_read(data, file), (file,), sources, disk)
    return tuple(sources.values())


def _add(
    source: Source, path: tuple[str, ...], sources: dict[str, Source], disk: Disk
) -> None:
    """Add the files that `source` includes, and then itself.

    Args:
        source: not yet among the sources.
        path: the files through which it came, itself last.
        sources: those that are read; each file is, once.
        disk: where the others are.
    """
    for name, included in _included(source):
        if included in path:
            circle = " -> ".join((*path[path.index(included) :], included))
            source.mistakes.add(name.spot, f"files that include each other: {circle}")
        elif included not in sources:
            try:
                data = disk.read(included)
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                source.mistakes.add(name.spot, f"cannot read {shown(included)}: {why}")
            else:
                other = _read(data, included)
                _refuse_own(other, path[0])
                _add(other, (*path, included), sources, disk)
    if "jobs" not in source.fields and len(path) == 1:
        _miss_jobs(source, has_others=bool(sources))
    sources[path[-1]] = source


def _read(data: bytes | str, file: str) -> Source:
    """One file, alone."""
    # PyYAML takes longer to import than a short command to run.
    from penstock.spec.syntax import parse_tree  # noqa: PLC0415

    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    text = text.removeprefix("\ufeff")
    mistakes = Mistakes(file, text)
    if isinstance(data, bytes) and _is_not_utf8(data, mistakes):
        return Source(text, mistakes, {})
    top = parse_tree(text, mistakes)
    fields = {} if top is None else fields_of(check_fields(top, "file", mistakes))
    return Source(text, mistakes, fields)


def _is_not_utf8(data: bytes, mistakes: Mistakes) -> bool:
    """Whether `data` is no UTF-8; if so, its first wrong byte is reported."""
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        spot = Spot(1, 1).after(data[: error.start].decode("utf-8-sig"))
        mistakes.add(spot, f"byte 0x{data[error.start]:02x} is not UTF-8")
        return True
    return False


def _included(source: Source) -> Iterator[tuple[Scalar, str]]:
    """Each name in `include`, with the path that it means: relative to the file."""
    directory = posixpath.dirname(source.mistakes.file)
    for name in scalars_of(source.fields.get("include")):
        yield name, posixpath.normpath(posixpath.join(directory, name.text))


def _refuse_own(source: Source, main: str) -> None:
    """Report what only the file may have that is run."""
    for key in _ONLY_ONCE:
        if key in source.fields:
            what = f"`{key}` cannot stand in a file that is included: it belongs in "
            source.mistakes.add(source.fields[key].key.spot, what + main)


def _miss_jobs(source: Source, *, has_others: bool) -> None:
    # A key that was refused may well be the one that is missing.
    if source.mistakes or has_others or not set(source.fields) <= set(names_in("file")):
        return
    source.mistakes.add(Spot(1, 1), "there are no `jobs`: nothing would be run")

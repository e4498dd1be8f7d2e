"""What the options of `map` say about its input: the sources, as one."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from penstock.cli.lines.map import Given, MapOptions
from penstock.errors import UsageError
from penstock.proc.signals import ended_when_told
from penstock.source.combine import Changed, Linked, Product, Record, Zipped
from penstock.source.gate import Gate
from penstock.source.records import Given as GivenValues
from penstock.source.records import Lines, Source
from penstock.typed import NamedTuple

_STDIN = "-"
_MEMORY_DEVICE = 1  # major number (null(4))
_LONG_VALUE = 1 << 16  # where a regular expression may take long between two signals


class _Group(NamedTuple):
    """Sources that are read side by side, as by `:::+`."""

    members: list[Source]


class Input:
    """The values of all jobs, from the files and the words of the line.

    Attributes:
        gate: tells when there is something to read that was asked for in vain.
        header: the names of columns, in their order; known once `names` was asked.

    Raises:
        UsageError: a file cannot be read.
    """

    def __init__(self, given: MapOptions) -> None:
        self.gate = Gate()
        self.header: list[str] = []
        self._given = given
        self._files: list[int] = []
        self._once: dict[tuple[int, int], str] = {}  # what cannot be read again
        self._separator = b"\0" if given.null else given.delimiter
        self._cut = _cutter(given)
        try:
            self._groups = self._open()
        except BaseException:
            self.close()
            raise

    @property
    def columns(self) -> int:
        """How many sources there are."""
        return sum(len(group.members) for group in self._groups)

    def names(self) -> dict[str, int]:
        """The names of columns, with their positions from 1; waits for the headers."""
        if self._given.header is not None and not self.header:
            for group in self._groups:
                for source in group.members:
                    self.header.extend(_first(source, self.gate))
        return {name: position for position, name in enumerate(self.header, 1)}

    def records(self) -> Source:
        """All sources as one."""
        sources: list[Source] = [
            group.members[0] if len(group.members) == 1 else Zipped(group.members)
            for group in self._groups
        ]
        if len(sources) == 1:
            return sources[0]
        return Linked(sources) if self._given.link else Product(sources[0], sources[1:])

    def sole_file(self) -> int:
        """The descriptor of the input, which is one file.

        Raises:
            UsageError: it is not.
        """
        if self._given.operands.given or len(self._given.arg_files) > 1:
            raise UsageError("--pipe reads standard input, or one file: -a FILE")
        return self._files[0] if self._files else 0

    def close(self) -> None:
        """Give every descriptor back."""
        self.gate.close()
        for descriptor in self._files:
            os.close(descriptor)

    def _open(self) -> list[_Group]:
        given = self._given
        files = given.arg_files
        if not files and not given.operands.given:
            files = (_STDIN,)
        groups = [_Group([self._read(path)]) for path in files]
        for words in given.operands.given:
            self._add(words, groups)
        return groups

    def _add(self, words: Given, groups: list[_Group]) -> None:
        """Add the source that one `:::` makes; `::::` makes one of each file."""
        if words.files:
            sources = [self._read(path) for path in words.words]
        else:
            sources = [self._change(GivenValues([*words.words]))]
        if words.linked:
            groups[-1].members.extend(sources)
        else:
            groups.extend(_Group([source]) for source in sources)

    def _read(self, path: str) -> Source:
        self._refuse_again(path)
        if path == _STDIN:
            descriptor = 0
        else:
            descriptor = _open_file(path)
            self._files.append(descriptor)
        lines = Lines(descriptor, self.gate, self._separator)
        return self._read_csv(lines) if self._given.csv else self._change(lines)

    def _refuse_again(self, path: str) -> None:
        """Refuse what another source reads, so that each would get a part of it.

        A regular file is opened for each that names it, and is whole for each.
        """
        try:
            status = os.stat(0 if path == _STDIN else path)
        except OSError:  # it is told where it is opened, or read
            return
        if path != _STDIN and stat.S_ISREG(status.st_mode):
            return
        if stat.S_ISCHR(status.st_mode) and os.major(status.st_rdev) == _MEMORY_DEVICE:
            return  # /dev/null is as empty for each
        place = (status.st_dev, status.st_ino)
        if place in self._once:
            raise UsageError(
                f"{self._once[place]} and {path} are one input, which can be read only "
                "once\nhint: for two values in each job write -n2; or save it in a "
                "file, and name that"
            )
        self._once[place] = path

    def _read_csv(self, lines: Source) -> Source:
        from penstock.source.csv_records import CsvRecords  # noqa: PLC0415 (if used)

        separator = self._given.colsep or ","
        if len(separator) != 1 or separator in '"\r\n' or self._separator != b"\n":
            raise UsageError("--csv: lines of fields, with --colsep of one character")
        return CsvRecords(lines, separator)

    def _change(self, source: Source) -> Source:
        if self._cut is None:
            return source
        return Changed(source, self._cut, keeps_all=not self._given.no_empty)


def _open_file(path: str) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        raise UsageError(f"cannot read values from {path}: {error.strerror}") from None
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"cannot read values from {path}: it is a directory")
    return descriptor


def _cutter(given: MapOptions) -> Callable[[Record], Record | None] | None:
    """What is done to each record that is read: cut, or left out; None: nothing."""
    if given.colsep is None:
        return _leave_out_empty if given.no_empty else None
    import re  # noqa: PLC0415 (only if used)

    from penstock.source.expression import (  # noqa: PLC0415 (see above)
        columns,
        compile_expression,
        with_sets,
    )

    try:
        border = compile_expression(with_sets(given.colsep))
    except re.error as error:
        raise UsageError(f"--colsep {given.colsep}: {error}") from None

    def cut(record: Record) -> Record | None:
        value = record[0]
        if given.no_empty and not value:
            return None
        if len(value) < _LONG_VALUE:
            return columns(border, value)
        with ended_when_told():
            return columns(border, value)

    return cut


def _leave_out_empty(record: Record) -> Record | None:
    return record if any(record) else None


def _first(source: Source, gate: Gate) -> Sequence[str]:
    """The first record, waited for."""
    while (record := source.next()) is None and not source.is_over:
        gate.wait()
    return record or ()

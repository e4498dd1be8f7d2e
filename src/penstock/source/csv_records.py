"""Records of CSV (RFC 4180): fields in quotes may hold separators, quotes, newlines."""

from __future__ import annotations

import csv
import sys

from penstock.errors import UsageError
from penstock.source.records import LONGEST_BYTES, Outlook, Source

_MARK = "\ufeff"  # that it is UTF-8: spreadsheets put it before the first name


class CsvRecords:
    """The fields of each record (a `Source`).

    Args:
        lines: the records of a file, ended by newlines; a field may go over several.
        separator: of fields, one character.
        longest: a record that has more characters than that has no end.
    """

    def __init__(
        self, lines: Source, separator: str = ",", longest: int = LONGEST_BYTES
    ) -> None:
        self._lines = lines
        self._longest = longest
        self._separator = separator
        self._number = 0  # of the line read last
        self._begun: list[str] = []  # lines of a record in which quotes are open
        self._held = 0  # characters of these
        self._is_open = False
        csv.field_size_limit(sys.maxsize)

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._lines.is_over and not self._begun

    @property
    def outlook(self) -> Outlook:
        """Nothing for certain before the end: a record may have several lines."""
        return Outlook(0, self.is_over)

    def next(self) -> tuple[str, ...] | None:
        """The fields of the next record; None if there is none now, or any more.

        Raises:
            UsageError: it is no CSV.
        """
        while (line := self._lines.next()) is not None:
            self._number += 1
            text = line[0] if self._number > 1 else line[0].removeprefix(_MARK)
            self._begun.append(text)
            self._held += len(text)
            self._is_open ^= text.count('"') % 2 == 1
            if not self._is_open:
                return self._take()
            if self._held > self._longest:
                raise self._unclosed(f"not closed in {self._longest >> 20} MiB")
        if self._begun and self._lines.is_over:
            raise self._unclosed("never closed")
        return None

    def _unclosed(self, how: str) -> UsageError:
        at = self._number - len(self._begun) + 1
        return UsageError(f"--csv: a quote in line {at} of the input is {how}")

    def _take(self) -> tuple[str, ...]:
        text = "\n".join(self._begun).removesuffix("\r")
        at = self._number - len(self._begun) + 1
        self._begun.clear()
        self._held = 0
        reader = csv.reader([text], delimiter=self._separator, strict=True)
        try:
            return tuple(next(reader, [])) or ("",)
        except csv.Error as error:
            raise UsageError(f"--csv: line {at} of the input: {error}") from None

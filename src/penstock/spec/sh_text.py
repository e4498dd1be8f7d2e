r"""Shell text: how each place in a text for sh is quoted, as sh would read it.

Read by POSIX XCU 2.2 and 2.3, as far as is needed to tell places apart. Where shells
differ (/bin/sh is dash, bash or another), or where quotes do not protect a value
(here-documents, arithmetic, backquotes, `${x:-...}`, `$'...'`), the reader is lost.
"""

from __future__ import annotations

from collections.abc import Callable

from penstock.typed import NamedTuple

PLACE = "\0"
"""Stands in the text for a place to describe; no command can hold one."""

_ALNUM = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
SAFE = _ALNUM | frozenset("_./:@%+-,")
"""Characters that mean only themselves, in any word."""

_NAME = _ALNUM | {"_"}
# What ends a word without being a part of it (XCU 2.3).
_ENDS_WORD = frozenset(" \t\n;|&()<>")
_IN_DOUBLE = frozenset('"\\$`')
_ARRAY = "=("
_REMEMBERED = 1 << 12  # characters of a word that may be repeated for each value


class Unquoted(NamedTuple):
    """Outside of quotes.

    Attributes:
        before, after: what else is in the word.
        plain: all of that is `SAFE` (or `=` before the place), and nothing follows
            that would give the word another meaning.
    """

    before: str
    after: str
    plain: bool


class InSingle(NamedTuple):
    """Inside of '...'."""


class InDouble(NamedTuple):
    """Inside of "..."; perhaps after a `$name`, which more letters would lengthen."""

    after_name: bool


class InComment(NamedTuple):
    """After a `#`."""


class Unknown(NamedTuple):
    """Nobody can tell, for this reason."""

    reason: str


Quoting = Unquoted | InSingle | InDouble | InComment | Unknown


def places_in(text: str) -> tuple[Quoting, ...]:
    r"""How each `PLACE` in `text` is quoted.

    >>> places_in("cat '\0' # \0")
    (InSingle(), InComment())
    """
    return _Reader(text).places()


class _Reader:
    """Reads a text once, from left to right; each step takes a character or more.

    Invariant: `_open` holds what is open round the character at `_at`, outermost
    first: `$(` a substitution, `(` a subshell, `=(` the values of an array of bash, `"`
    a quoted part. Once `_lost` is set this is no longer known, and stays so.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: list[Quoting] = []
        self._open: list[str] = []
        self._lost: str | None = None
        self._begin_word()
        self._steps: dict[str, Callable[[], None]] = {
            PLACE: self._place,
            "'": self._single,
            '"': self._double,
            "\\": self._backslash,
            "$": self._dollar,
            "`": self._backquote,
            "#": self._hash,
            "(": self._opening,
            ")": self._closing,
            "<": self._less,
            "[": self._bracket,
        }

    def places(self) -> tuple[Quoting, ...]:
        while self._at < len(self._text) and not self._lost:
            char = self._text[self._at]
            self._at += 1
            if char == PLACE or not self._in_double() or char in _IN_DOUBLE:
                self._steps.get(char, self._plain)()
        if self._lost:
            left = self._text.count(PLACE, self._at)
            self._found.extend([Unknown(f"it stands {self._lost}")] * left)
        return tuple(self._found)

    # A step for each character that may mean more than itself; `_at` is behind it.

    def _plain(self) -> None:
        char = self._text[self._at - 1]
        if char in _ENDS_WORD:
            self._end_word()
        else:
            self._extend_word(char)

    def _place(self) -> None:
        if self._in_double():
            start = self._at - 2
            while start >= 0 and self._text[start] in _NAME:
                start -= 1
            self._found.append(InDouble(start >= 0 and self._text[start] == "$"))
            return
        end = self._at
        while end < len(self._text) and self._text[end] in SAFE:
            end += 1
        following = self._text[end : end + 1]
        # Before these, digits are a descriptor, and a name is a function's.
        plain = following in _ENDS_WORD - frozenset("<>(") or not following
        before, after = self._word, self._text[self._at : end]
        self._found.append(Unquoted(before, after, plain and self._is_plain))
        self._extend_word(PLACE)

    def _single(self) -> None:
        end = self._text.find("'", self._at)
        end = len(self._text) if end < 0 else end
        self._found.extend([InSingle()] * self._text.count(PLACE, self._at, end))
        self._at = end + 1
        self._extend_word("'")

    def _double(self) -> None:
        if self._in_double():
            self._open.pop()
        else:
            self._open.append('"')
        self._extend_word('"')

    def _backslash(self) -> None:
        before = self._text[self._at - 2 : self._at - 1]
        following = self._text[self._at : self._at + 1]
        self._at += 1
        if following == PLACE:
            self._found.append(Unknown("a backslash stands before it"))
        if following != "\n":
            self._extend_word("\\")
        elif before not in ("", " ", "\t", "\n"):
            # sh removes both before it reads on, so that `$\<newline>(` is `$(`.
            self._lost = "after a word that continues on the next line"

    def _dollar(self) -> None:
        rest = self._text[self._at : self._at + 2]
        self._extend_word("$")
        if rest[:1] == PLACE:
            self._at += 1
            self._found.append(Unknown("a `$` stands before it"))
        elif rest == "((" or rest[:1] == "[":
            self._lost = "inside or after arithmetic"
        elif rest[:1] == "(":
            self._at += 1
            self._open.append("$(")
            self._begin_word()
        elif rest[:1] == "{":
            self._parameter()
        elif rest[:1] == "'" and not self._in_double():
            self._lost = "inside or after `$'`"

    def _parameter(self) -> None:
        """`${name}` is read over; anything longer can hold quotes of its own."""
        end = self._text.find("}", self._at)
        if end < 0 or not _NAME.issuperset(self._text[self._at + 1 : end]):
            self._lost = "inside or after a `${...}` of more than a name"
        else:
            self._at = end + 1

    def _backquote(self) -> None:
        self._lost = "inside or after a backquote"

    def _hash(self) -> None:
        if self._word:
            self._extend_word("#")
            return
        end = self._text.find("\n", self._at)
        end = len(self._text) if end < 0 else end
        self._found.extend([InComment()] * self._text.count(PLACE, self._at, end))
        self._at = end

    def _opening(self) -> None:
        if self._text.startswith("(", self._at):
            self._lost = "inside or after `((`, perhaps arithmetic"
        is_array = self._text[self._at - 2 : self._at - 1] == "="
        self._open.append(_ARRAY if is_array else "(")
        self._end_word()

    def _closing(self) -> None:
        self._end_word()
        if self._open and self._open.pop() == "$(":
            self._extend_word(")")  # the word round the substitution goes on

    def _less(self) -> None:
        if self._text.startswith("<", self._at):
            self._lost = "inside or after a here-document"
        self._end_word()

    def _bracket(self) -> None:
        """`name[...]`: bash evaluates a subscript, even a quoted one with blanks.

        In `name=([...]=...)` too.
        """
        end = self._at
        if self._is_name if self._word else self._open[-1:] == [_ARRAY]:
            while self._text[end : end + 1] not in ("", "]", " ", "\t", "\n", PLACE):
                end += 1
            if self._text[end : end + 1] != "]":
                self._lost = "inside or after `[`, perhaps a subscript"
        self._extend_word("[")

    # What is open, and the word that is being read.

    def _in_double(self) -> bool:
        return bool(self._open) and self._open[-1] == '"'

    def _begin_word(self) -> None:
        self._word = ""
        self._is_plain = True
        self._is_name = True

    def _extend_word(self, char: str) -> None:
        self._is_plain &= char in SAFE or char == "="
        self._is_name &= char in _NAME
        if len(self._word) < _REMEMBERED:
            self._word += char
        else:
            self._is_plain = False

    def _end_word(self) -> None:
        if self._word == "[[":
            self._lost = "after `[[`"
        if self._word == "case" and "$(" in self._open:
            # The `)` of a pattern looks like the end of the substitution.
            self._lost = "after `case` inside `$(...)`"
        self._begin_word()

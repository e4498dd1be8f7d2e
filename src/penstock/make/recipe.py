"""Recipes: which of them are nothing but a pipeline, and where its stages are cut.

Deliberately narrow, like `spec.words`: what is not certainly a pipeline and nothing
else is left to the shell as a whole, which is always right. Read by POSIX XCU 2.2,
2.3 and 2.9.2.

`penstock-sh` imports this for one recipe line in a Makefile, so it imports nothing.
"""

from __future__ import annotations

# A stage that begins with one of these goes on beyond the next `|`, or means the
# whole pipeline (XCU 2.4; `time` and the others are bash's).
_RESERVED = frozenset(
    "! { } case do done elif else esac fi for if in then until while "  # noqa: SIM905
    "[[ ]] function namespace select coproc time".split()
)
_BLANKS = " \t"
_IN_DOUBT = frozenset(";()`\n\r\0")
_BEFORE_COMMENT = ("", *" \t\n|<>&(")
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")


class _Doubt(Exception):  # noqa: N818 (never leaves this module)
    """This may be more than a pipeline."""


def split_pipeline(text: str) -> tuple[str, ...]:
    """The stages of `text`, each a text for sh; the whole text where in doubt.

    >>> split_pipeline("sort names | uniq -c >counts")
    ('sort names ', ' uniq -c >counts')
    >>> split_pipeline("cd src && sort names | uniq -c")
    ('cd src && sort names | uniq -c',)
    """
    try:
        cuts = _Scanner(text).pipes()
    except _Doubt:
        return (text,)
    starts = (0, *(cut + 1 for cut in cuts))
    stages = tuple(
        text[start:end] for start, end in zip(starts, (*cuts, None), strict=True)
    )
    return stages if all(map(_is_stage, stages)) else (text,)


def _is_stage(text: str) -> bool:
    words = text.replace("\\\n", " ").split(None, 1)
    return bool(words) and words[0] not in _RESERVED


class _Scanner:
    """Reads a recipe once, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._quoted = -1  # where the last character is that a backslash quotes

    def pipes(self) -> list[int]:
        """Where each `|` between two stages stands.

        Raises:
            _Doubt: it may be more than a pipeline.
        """
        cuts = []
        while char := self._take():
            if char == "|":
                if self._peek() in ("|", "&") or self._before() == ">":
                    raise _Doubt
                cuts.append(self._at - 1)
            elif char in _IN_DOUBT:
                raise _Doubt
            else:
                self._unquoted(char)
        return cuts

    def _take(self) -> str:
        """The next character; empty at the end."""
        self._at += 1
        return self._text[self._at - 1 : self._at]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _before(self) -> str:
        r"""What stands before what was taken last; `\` if that is quoted by one."""
        if self._at - 2 == self._quoted:
            return "\\"
        return self._text[max(0, self._at - 2) : self._at - 1]

    def _unquoted(self, char: str) -> None:
        """Read over what `char` begins, outside of quotes."""
        match char:
            case "'":
                self._skip_to("'")
            case '"':
                self._double()
            case "\\":
                if self._peek() == "\n" and self._before() not in _BLANKS:
                    raise _Doubt  # it may continue a word, or an operator
                self._quoted = self._at
                self._at += 1
            case "$":
                self._dollar()
            case "&" | "<" | "#":
                self._operator(char)
            case _:
                return

    def _operator(self, char: str) -> None:
        """Let `>&2` and `<file` pass; not a list, a here-document or a comment."""
        before = self._before()
        if (
            (char == "&" and before not in ("<", ">"))
            or (char == "<" and self._peek() == "<")
            or (char == "#" and before in _BEFORE_COMMENT)
        ):
            raise _Doubt

    def _skip_to(self, closing: str) -> None:
        end = self._text.find(closing, self._at)
        if end < 0:
            raise _Doubt
        self._at = end + 1

    def _double(self) -> None:
        while (char := self._take()) != '"':
            match char:
                case "" | "`":
                    raise _Doubt
                case "\\":
                    self._at += 1
                case "$":
                    self._dollar(in_double=True)
                case _:
                    continue

    def _dollar(self, *, in_double: bool = False) -> None:
        match self._peek():
            case "(":
                self._at += 1
                self._substitution()
            case "{":
                end = self._text.find("}", self._at)
                if not _NAME.issuperset(self._text[self._at + 1 : max(end, 0)]):
                    raise _Doubt
                self._skip_to("}")
            case "'" | "[" if not in_double:
                raise _Doubt
            case "$":
                raise _Doubt  # `$$` is the same in all stages of one shell
            case "\\":
                raise _Doubt  # sh removes `\\<newline>` before it reads on
            case _:
                return

    def _substitution(self) -> None:
        """Read over `$(...)`; one that holds more than quotes and pipes is in doubt."""
        while (char := self._take()) != ")":
            if char in ("", "(", "`", "\n", "\0"):
                raise _Doubt
            if char == "c" and self._text.startswith("ase", self._at):
                raise _Doubt  # the `)` of a pattern looks like the end
            if char not in "&<":
                self._unquoted(char)

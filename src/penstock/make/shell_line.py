"""The words after ``penstock-sh``: its own options, then whatever sh understands.

As make puts them together: ``$(SHELL) $(.SHELLFLAGS) RECIPE``. This is read for each
line of a Makefile, so it imports nothing, and makes no `NamedTuple` (`typing` alone
costs as much as all the rest).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SHELL = "/bin/sh"

# What each spelling of an option of our own sets.
_OWN = {
    "-t": "timeout",
    "--timeout": "timeout",
    "-g": "grace",
    "--grace": "grace",
    "--linger": "linger",
    "--shell": "shell",
    "--at": "at",
}
_DIGITS = frozenset("0123456789")


class ShellLine:
    """What is asked of ``penstock-sh``.

    Attributes:
        shell: the program that reads the recipe.
        flags: for the shell, without ``-c``.
        recipe: the text after ``-c``; None where there was no ``-c``.
        rest: what follows: the recipe's ``$0 $1 ...``; without one, a script and so on.
        timeout: in seconds; None or 0 for never.
        grace: in seconds; None for the default.
        linger: in seconds; None for the default.
        at: where the recipe stands, as the user says; None to look for it.
    """

    __slots__ = (
        "at",
        "flags",
        "grace",
        "linger",
        "recipe",
        "rest",
        "shell",
        "timeout",
    )

    def __init__(self) -> None:
        self.shell = SHELL
        self.flags: tuple[str, ...] = ()
        self.recipe: str | None = None
        self.rest: tuple[str, ...] = ()
        self.timeout: float | None = None
        self.grace: float | None = None
        self.linger: float | None = None
        self.at: str | None = None


def read_shell_line(words: Sequence[str]) -> ShellLine:
    """What `words` ask for.

    Args:
        words: without the name of the program.

    Raises:
        ValueError: they are wrong; with a message for the user.
    """
    line, at, has_command = ShellLine(), 0, False
    while at < len(words) and (word := words[at])[:1] in ("-", "+") and word[1:]:
        at += 1
        if word == "--":
            break
        own = _own_option(word)
        if own is not None:
            field, text = own
            if text is None:
                text, at = _next(words, at, word), at + 1
            _set(line, field, text, word)
        elif word.startswith("--"):
            raise ValueError(f"{word}: there is no such option; see penstock-sh --help")
        else:
            has_command |= word[0] == "-" and "c" in word
            flag = word.replace("c", "") if word[0] == "-" else word
            line.flags += (flag,) if flag[1:] else ()
            if "o" in word:
                line.flags += (_next(words, at, word),)
                at += 1
    if has_command:
        line.recipe, at = _next(words, at, "-c"), at + 1
    line.rest = tuple(words[at:])
    return line


def _own_option(word: str) -> tuple[str, str | None] | None:
    """The field that `word` sets, and the value if that is attached to it."""
    if word in _OWN:
        return _OWN[word], None
    name, equals, text = word.partition("=")
    if equals and name.startswith("--") and name in _OWN:
        return _OWN[name], text
    if word[:2] in _OWN and word[2] in _DIGITS:
        return _OWN[word[:2]], word[2:]
    return None


def _next(words: Sequence[str], at: int, option: str) -> str:
    if at >= len(words):
        raise ValueError(f"{option} needs a value after it")
    return words[at]


def _set(line: ShellLine, field: str, text: str, option: str) -> None:
    if field == "shell":
        line.shell = text
    elif field == "at":
        line.at = text
    else:
        from penstock.spec.duration import parse_duration  # noqa: PLC0415 (if used)

        try:
            seconds = parse_duration(text, bare_seconds=True)
        except ValueError as error:
            raise ValueError(f"{option}: {error}") from None
        setattr(line, field, seconds)

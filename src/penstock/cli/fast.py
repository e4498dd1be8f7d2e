"""The fast reader: every line in which nothing is unusual.

Loading Typer takes four times as long as all else that happens before the command is
started. So this reader knows the plain cases, and at the first word that it does not
know for certain it hands the whole line over to Typer, which knows the rest, and how to
say what is wrong. Whatever it reads, Typer reads alike: a property test proves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from penstock.cli.syntax import Option, Subcommand, WrongValueError, build
from penstock.cli.table import find
from penstock.typed import NamedTuple


def parse_fast(argv: Sequence[str]) -> tuple[Subcommand, NamedTuple] | None:
    """What the line asks for; None if Typer has to read it.

    Args:
        argv: without the name of the program.
    """
    subcommand = find(argv[0]) if argv else None
    if subcommand is None:
        return None
    given = _sort(subcommand, argv[1:])
    if given is None:
        return None
    try:
        return subcommand, build(subcommand, given)
    except WrongValueError:
        return None


def _sort(subcommand: Subcommand, words: Sequence[str]) -> dict[str, list[str]] | None:
    """The texts of each option, and the operands, by field; None if in doubt."""
    sorter = _Sorter(subcommand.options, words)
    operands: list[str] = []
    for word in sorter.rest:
        if word == "--":
            operands.extend(sorter.rest)
        elif word[:1] != "-" or word == "-":
            operands.append(word)
            if subcommand.stops:
                operands.extend(sorter.rest)
        elif not sorter.take(word):
            return None
    if not subcommand.operand.allows(len(operands)):
        return None
    if operands:
        sorter.given[subcommand.operand.field] = operands
    return sorter.given


class _Sorter:
    """Takes options, and their texts, off the front of a line.

    Attributes:
        rest: the words that are not taken yet.
        given: what was taken, by field.
    """

    def __init__(self, options: Sequence[Option], words: Sequence[str]) -> None:
        self.rest: Iterator[str] = iter(words)
        self.given: dict[str, list[str]] = {}
        self._named = {name: option for option in options for name in option.names}

    def take(self, word: str) -> bool:
        """Take the option, or the letters, that `word` holds; False if in doubt."""
        if word.startswith("--"):
            name, equals, text = word.partition("=")
            return self._take(name, text if equals else None)
        for at, letter in enumerate(word[1:], 2):
            option = self._named.get("-" + letter)
            if option is not None and option.metavar is not None:
                return self._take("-" + letter, word[at:] or None)
            if not self._take("-" + letter, None):
                return False
        return True

    def _take(self, name: str, text: str | None) -> bool:
        """Take one option; its text is the next word, unless it was attached."""
        option = self._named.get(name)
        if option is None:
            return False
        if option.metavar is None:
            if text is not None:
                return False
            text = name
        elif text is None:
            text = next(self.rest, None)
            if text is None:
                return False
        self.given.setdefault(option.field, []).append(text)
        return True

"""What the table of the command line is made of, and how a line becomes a value.

Part of the hot path, so it imports nothing that takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from penstock.cli.options import read_flag
from penstock.typed import NamedTuple


class Option(NamedTuple):
    """An option of some subcommands.

    Attributes:
        field: of the options value.
        names: as they are typed.
        help: one sentence.
        read: makes the value of the texts given.
        metavar: what stands for a text in the help; None for a flag, which has none.
        repeats: every text counts, not the last one only.
    """

    field: str
    names: tuple[str, ...]
    help: str
    read: Callable[[Sequence[str]], object] = read_flag
    metavar: str | None = None
    repeats: bool = False


class Operand(NamedTuple):
    """The words of a subcommand that belong to no option.

    Attributes:
        field: of the options value.
        metavar: what stands for them in messages.
        read: makes the value of the words given.
        required: there must be one at least.
        repeats: there may be more than one.
    """

    field: str
    metavar: str
    read: Callable[[Sequence[str]], object]
    required: bool = False
    repeats: bool = True

    def allows(self, words: int) -> bool:
        """Whether there may be so many."""
        most = 0 if self == NO_OPERAND else 1
        return words >= self.required and (words <= most or self.repeats)


NO_OPERAND = Operand("", "", tuple, repeats=False)
"""Of a subcommand whose words are all options."""


class Subcommand(NamedTuple):
    """A subcommand: what may follow its name, and what becomes of that.

    Attributes:
        name: as it is typed.
        module: what does it: its `main` takes the options value, then the nursery if
            the subcommand `runs`, and returns the exit status.
        makes: the type of its options value.
        usage: what follows the name, for the help.
        summary: what it does, in a line.
        example: a line that works when it is pasted into a shell.
        help: what else to know.
        operand: the words that belong to no option, or `NO_OPERAND`.
        options: in the order of the help.
        stops: the first operand ends the options, as for env(1) and timeout(1), since
            what follows belongs to the command. Otherwise options may stand anywhere:
            what somebody appends to a line they have called back is an option.
        runs: it starts commands, so it needs a nursery.
    """

    name: str
    module: str
    makes: type[NamedTuple]
    usage: str
    summary: str
    example: str
    help: str
    operand: Operand
    options: tuple[Option, ...]
    stops: bool = False
    runs: bool = False


class WrongValueError(ValueError):
    """A text that is no value of its option or operand.

    Attributes:
        names: of the option, or what stands for the operand.
        reason: what the text is, and what was expected.
    """

    def __init__(self, names: tuple[str, ...], reason: str) -> None:
        super().__init__(f"{'/'.join(names)}: {reason}")
        self.names = names
        self.reason = reason


def build(subcommand: Subcommand, given: Mapping[str, Sequence[str]]) -> NamedTuple:
    """What was asked for.

    Args:
        subcommand: whose words were given.
        given: by field, the texts of an option, the words of the operand; for a flag,
            anything that is not empty.

    Raises:
        WrongValueError: for a text that is no value.
    """
    values: dict[str, object] = dict(subcommand.makes._field_defaults)
    for option in subcommand.options:
        if option.field in given:
            values[option.field] = _read(option.read, given[option.field], option.names)
    operand = subcommand.operand
    if operand.field in given:
        words = given[operand.field]
        values[operand.field] = _read(operand.read, words, (operand.metavar,))
    return subcommand.makes._make(values[name] for name in subcommand.makes._fields)


def _read(
    read: Callable[[Sequence[str]], object],
    texts: Sequence[str],
    names: tuple[str, ...],
) -> object:
    try:
        return read(texts)
    except ValueError as error:
        raise WrongValueError(names, str(error)) from None

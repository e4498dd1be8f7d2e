"""Program: what a command of a definition runs, from its `run`, `argv` or `python`."""

from __future__ import annotations

import sys

from penstock.model.command import Command
from penstock.spec.options import Entry, Fields
from penstock.spec.quoting import quote
from penstock.spec.tree import Node, Scalar, Sequence
from penstock.spec.variables import Scope, fill_command, fill_text
from penstock.spec.words import command_from_text

# MAX_ARG_STRLEN of Linux (execve(2)), with the NUL at the end.
LONGEST_ARGUMENT_BYTES = 131_072

_RUNNER = "penstock.proc.function"


def read_program(part: Fields, scope: Scope) -> Command:
    """What is run; no words at all where what is wrong is already reported."""
    if "run" in part:
        return command_of(part["run"].value, scope)
    if "python" in part:
        node = part["python"].value
        return _python(node.text) if isinstance(node, Scalar) else Command((), "")
    words = _words(part.get("argv"), scope)
    return Command(words, " ".join(map(quote, words)))


def command_of(node: Node, scope: Scope) -> Command:
    """The command that a text stands for."""
    text = fill_command(node, scope)
    if text is None or _is_too_long(text, node, scope):
        return Command((), "")
    return command_from_text(text)


def _python(function: str) -> Command:
    """A Python function as a command: -P keeps files here from hiding ours."""
    python = sys.executable or "python3"
    return Command((python, "-P", "-m", _RUNNER, function), function)


def _words(entry: Entry | None, scope: Scope) -> tuple[str, ...]:
    words: list[str] = []
    for item in scalars_of(entry):
        text = fill_text(item, scope)
        if text is not None and not _is_too_long(text, item, scope):
            words.append(text)
    return tuple(words)


def _is_too_long(text: str, node: Node, scope: Scope) -> bool:
    """Reports what the kernel would refuse to hand to a program."""
    too_long = len(text.encode("utf-8", "surrogateescape")) >= LONGEST_ARGUMENT_BYTES
    if too_long:
        scope.mistakes.add(
            node.spot, "longer than 128 KiB, which no program can be given: use a file"
        )
    return too_long


def scalars_of(entry: Entry | None) -> tuple[Scalar, ...]:
    """The texts of a list."""
    if entry is None or not isinstance(entry.value, Sequence):
        return ()
    return tuple(item for item in entry.value.items if isinstance(item, Scalar))

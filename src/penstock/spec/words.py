"""Words: which commands need a shell, and which can be run straight.

A command whose text is nothing but words is run without a shell, as make does: one
process less, and the PID is the command's own. The rule is deliberately narrow. What
is not certainly the same without a shell goes to `/bin/sh -c`, which is always right.
The command line's hot path imports this module, so it imports next to nothing.
"""

from __future__ import annotations

from penstock.model.command import Command

SHELL = "/bin/sh"

BLANKS = " \t"

# SIM905 would have one line for each word of these.

# Reserved words (POSIX XCU 2.4), then those that 2.4 leaves to the shell and bash.
RESERVED = frozenset(
    "! { } case do done elif else esac fi for if in then until while "  # noqa: SIM905
    "[[ ]] function namespace select coproc time".split()
)

# Special built-ins (XCU 2.14), the intrinsics of XCU 1.7 (cd, read, wait ...), and
# the names whose meaning 2.9.1 leaves open: none of these has a program that does
# the same. echo, printf, test, [, kill and pwd do have one, and it behaves otherwise
# (options, escapes, job numbers, $PWD). true and false are alike, so they run straight.
_BUILT_IN = frozenset(
    ". : break continue eval exec exit export readonly "  # noqa: SIM905
    "return set shift times trap unset "
    "alias bg cd command fc fg getopts hash jobs read type ulimit umask unalias wait "
    "echo printf test [ kill pwd newgrp "
    "alloc autoload bind bindkey builtin bye caller cap chdir clone compgen complete "
    "compopt declare dirs disable disown dosh echotc echoti enable help hist history "
    "let limit local login logout map mapfile popd print pushd readarray repeat "
    "savehistory shopt source stop suspend typeset unlimit vared whence "
    "where".split()
)

_CONTROL = frozenset(map(chr, range(32))) - {"\t"} | {"\x7f"}
_SYNTAX = frozenset("\\$`;&|<>()*?[]{}~#!") | _CONTROL
_ACTIVE_IN_DOUBLE = frozenset("\\$`")


def command_from_text(
    text: str,
    *,
    env: tuple[tuple[str, str], ...] = (),
    cwd: str | None = None,
    ok: tuple[int, ...] = (0,),
) -> Command:
    """The command that a shell would run for `text`, without one where that is safe.

    >>> command_from_text("head -n 10").argv
    ('head', '-n', '10')
    >>> command_from_text("head -n 10 >top.txt").argv
    ('/bin/sh', '-c', 'head -n 10 >top.txt')
    """
    argv = split_words(text) or (SHELL, "-c", text)
    return Command(argv, text.strip(), env, cwd, ok)


def split_words(text: str) -> tuple[str, ...] | None:
    """The argv of `text` if it has no shell syntax; None if it needs a shell.

    >>> split_words("cut -d' ' -f1")
    ('cut', '-d ', '-f1')
    >>> split_words("echo *") is None
    True
    """
    words = _plain_words(text)
    if not words or _only_in_shell(words[0]):
        return None
    return words


def _only_in_shell(first: str) -> bool:
    """Whether a shell would do something else than run the program `first`."""
    return (
        not first
        or "=" in first  # an assignment
        or first.endswith(":")  # reserved by XCU 2.4
        or first in RESERVED
        or first in _BUILT_IN
    )


def _plain_words(text: str) -> tuple[str, ...] | None:
    """`text` cut at its blanks, quotes removed; None if anything else is special."""
    text = text.rstrip(" \t\n")
    words: list[str] = []
    word: str | None = None
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char in BLANKS:
            if word is not None:
                words.append(word)
            word = None
            continue
        if char in "'\"":
            content = _quoted(text, at)
            if content is None:
                return None
            at += len(content) + 1
        elif char in _SYNTAX:
            return None
        else:
            content = char
        word = content if word is None else word + content
    return tuple(words) if word is None else (*words, word)


def _quoted(text: str, start: int) -> str | None:
    """What stands from `start` to the quote that closes; None if it needs a shell."""
    quote = text[start - 1]
    end = text.find(quote, start)
    if end < 0:
        return None
    content = text[start:end]
    if "\0" in content or (quote == '"' and not _ACTIVE_IN_DOUBLE.isdisjoint(content)):
        return None
    return content

"""The options of ``penstock map`` about how values and words become commands."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.cli.options import read_count, read_text
from penstock.cli.syntax import Option

_SHELLS = frozenset(
    ("sh", "ash", "bash", "dash", "ksh", "mksh", "oksh", "posh", "rbash", "yash", "zsh")
)


def read_shell(texts: Sequence[str]) -> tuple[str, ...]:
    """A shell, perhaps with options, whose quotes are those of sh.

    In another one a value could end its quotes, and be read as a command.
    """
    import os  # noqa: PLC0415 (only if used)

    from penstock.spec.words import split_words  # noqa: PLC0415

    words = split_words(texts[-1])
    if words is None:
        raise ValueError(f"{texts[-1]!r} is no shell: write `bash`, or `bash -e`")
    name = os.path.basename(words[0])
    if name.rstrip("0123456789.-") not in _SHELLS:
        known = ", ".join(sorted(_SHELLS))
        raise ValueError(f"values are quoted for sh, and `{name}` is none of {known}")
    places = [""] if "/" in words[0] else os.get_exec_path()
    if not any(os.access(os.path.join(place, words[0]), os.X_OK) for place in places):
        raise ValueError(f"there is no program `{words[0]}` that could be run")
    return words


COMMAND_OPTIONS = (
    Option(
        "max_args",
        ("-n", "-N", "--max-args"),
        "So many values for each job. [default: 1]",
        read_count,
        "NUMBER",
    ),
    Option(
        "many",
        ("-X", "--xargs"),
        "As many values for each job as fit into a command.",
    ),
    Option("joined", ("-m",), "As -X; several values stand in one word."),
    Option(
        "max_chars",
        ("--max-chars",),
        "With -X and -m: so many bytes of values for each job, at the most.",
        read_count,
        "NUMBER",
    ),
    Option(
        "replace",
        ("-I", "--replace"),
        "What stands for the value in COMMAND. [default: {}]",
        read_text,
        "TEXT",
    ),
    Option(
        "quote",
        ("--quote",),
        "Each word of COMMAND is one argument, whatever is in it.",
    ),
    Option(
        "shell",
        ("--shell",),
        "What reads COMMAND: bash, 'bash -o pipefail', zsh. "
        "[default: sh, or nothing where COMMAND is mere words]",
        read_shell,
        "PROGRAM",
    ),
)

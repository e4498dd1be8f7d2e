"""Where a recipe stands in a Makefile: make does not tell, so it is looked for.

make itself says ``Makefile:12`` only of what failed. For what penstock has to say of
a recipe, its text is compared with the lines of the Makefile, where each reference to
a variable may stand for anything. What two lines could have become is not placed, nor
what only a line could that says nothing but a variable: no place is better than a wrong
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
"""What make reads if it is not told, in this order (GNU make manual, 3.2)."""

_LONGEST = 1 << 20
_CLOSING = {"(": ")", "{": "}"}


def makefiles_of(argv: Sequence[str]) -> tuple[str, ...]:
    """The files that ``make`` was told to read by its own command line.

    >>> makefiles_of(["make", "-f", "a.mk", "--file=b.mk", "-fc.mk"])
    ('a.mk', 'b.mk', 'c.mk')
    """
    named, words = [], iter(argv[1:])
    for word in words:
        if word in ("-f", "--file", "--makefile"):
            named.append(next(words, ""))
        elif word.startswith(("--file=", "--makefile=")):
            named.append(word.partition("=")[2])
        elif word.startswith("-f"):
            named.append(word[2:])
    return tuple(named)


def find_recipe(makefile: str, recipe: str) -> int | None:
    """The line, from 1, where `recipe` begins; None unless there is exactly one.

    Args:
        makefile: the text of the file.
        recipe: as make hands it to its shell.
    """
    if len(makefile) > _LONGEST:
        return None
    wanted = recipe.strip()
    certain: list[int | None] = []
    possible: list[int | None] = []  # None: of one that may become anything
    for number, line in _recipe_lines(makefile):
        parts = _literal_parts(line)
        if parts == [wanted]:
            certain.append(number)
        elif _may_become(parts, wanted):
            possible.append(number if "".join(parts).strip() else None)
    found = certain or possible
    return found[0] if len(found) == 1 else None


def _recipe_lines(makefile: str) -> Iterator[tuple[int, str]]:
    """Each recipe line with its number, those that are continued put together."""
    lines = iter(enumerate(makefile.split("\n"), 1))
    for number, line in lines:
        recipe = line[1:] if line.startswith("\t") else _behind_rule(line)
        if recipe is None:
            continue
        whole = recipe.lstrip("@-+ \t")
        while whole.endswith("\\"):
            whole += "\n" + next(lines, (0, ""))[1].removeprefix("\t")
        yield number, whole.strip()


def _behind_rule(line: str) -> str | None:
    """What follows the `;` of a rule (GNU make manual, 4.2); None if nothing does."""
    rule, semicolon, recipe = line.partition(";")
    is_rule = ":" in rule and "=" not in rule and not rule.startswith("#")
    return recipe if semicolon and is_rule else None


def _literal_parts(line: str) -> list[str]:
    """What stands between the references to variables."""
    parts, at = [""], 0
    while at < len(line):
        char = line[at]
        at += 1
        if char != "$":
            parts[-1] += char
        elif line[at : at + 1] == "$":
            parts[-1] += "$"
            at += 1
        else:
            parts.append("")
            at = _after_reference(line, at)
    return parts


def _after_reference(line: str, at: int) -> int:
    """Where the reference ends whose `$` stands before `at`."""
    opening = line[at : at + 1]
    closing = _CLOSING.get(opening)
    if closing is None:
        return at + 1
    depth = 0
    for end in range(at, len(line)):
        depth += (line[end] == opening) - (line[end] == closing)
        if not depth:
            return end + 1
    return len(line)


def _may_become(parts: list[str], text: str) -> bool:
    """Whether `text` is `parts` with anything between them."""
    first, *rest = parts
    if not rest or not text.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return text.endswith(rest[-1]) and len(text) - len(rest[-1]) >= at

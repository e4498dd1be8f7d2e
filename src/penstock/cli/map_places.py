r"""Where the results of a job go: the names that `map --results` gives them.

As GNU parallel: DIR/1/VALUE/2/VALUE/ for the values of a job, each behind the number or
the name of its column. A value is one component, in which `/` is `\_`, `\` is `\\`, and
a tab and a NUL are `\t` and `\0`. Parallel leaves it there; here no two values share a
place, and none leads out of DIR: `.` and `..` are `\.` and `\.\.`, an empty value is
`\e`, and one that is too long is cut, with a digest behind `\~`.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from itertools import takewhile

from penstock.errors import PenstockError
from penstock.spec.replace import Filling, Piece, fill_plain
from penstock.typed import NamedTuple, Protocol

LONGEST_NAME = 255  # bytes: NAME_MAX of Linux, if a file system does not say less
_LONGEST_PATH = 4000  # PATH_MAX is 4096, and a partial file has a longer name
_DIGEST_BYTES = 8
_MOST_INSIDE = 3  # bytes of a UTF-8 character behind its first
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\0": r"\0", "/": r"\_"})


class Results(NamedTuple):
    """The files of a job.

    Attributes:
        place: in which they are, or how they begin; for people.
        out, err, seq: what it wrote to stdout, and to stderr; and its number.
    """

    place: str
    out: str
    err: str
    seq: str


class Places(Protocol):
    """Knows where the results of each job go."""

    def of(self, filling: Filling) -> Results:
        """The files of the job that is given this.

        Raises:
            PenstockError: they can have no such names.
        """
        ...


class Tree:
    """Below a directory, by the values of the job.

    Args:
        directory: of all.
        header: the names of columns, in their order, as far as they have any.
        longest: bytes that a component may have.
    """

    def __init__(
        self, directory: str, header: Sequence[str] = (), longest: int = LONGEST_NAME
    ) -> None:
        self._directory = directory
        self._header = header
        self._longest = longest
        self._orders: dict[int, list[tuple[int, str]]] = {}

    def of(self, filling: Filling) -> Results:
        """See `Places`."""
        parts = [self._directory]
        for record in filling.records:
            for at, name in self._columns(len(record)):
                parts += [name, component(record[at], self._longest)]
        return _inside("/".join(parts), filling.number)

    def _columns(self, number: int) -> list[tuple[int, str]]:
        """The columns of so many, sorted by name: position and component."""
        if number not in self._orders:
            names = [*self._header[:number]]
            names += map(str, range(len(names) + 1, number + 1))
            keys = [(_number(name), name) for name in names]
            order = sorted(range(number), key=keys.__getitem__)
            parts = [(at, component(names[at], self._longest)) for at in order]
            self._orders[number] = parts
        return self._orders[number]


class Template:
    r"""Names that are filled in as a command is.

    A value that makes the name of another job's `.err` or `.seq` gets a `\` behind it,
    and so does one that ends with `\`: else they would share a place.

    What begins with a literal text stays below the directory that this names; where a
    value comes first, the values say where to.

    Args:
        pieces: of the name.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._root: str | None = None
        if isinstance(pieces[0], str):
            self._root = posixpath.normpath(posixpath.dirname(pieces[0]) or ".")
        end = pieces[-1] if isinstance(pieces[-1], str) else ""
        self._taken = (f"{end}.err", f"{end}.seq", f"{end}\\")

    def of(self, filling: Filling) -> Results:
        """See `Places`."""
        name = fill_plain(self._pieces, filling)
        is_directory = name.endswith("/")
        if self._root is not None and not _is_below(name, self._root, is_directory):
            why = f"job {filling.number}: --results: {name} is not below {self._root}/"
            raise PenstockError(f"{why}\nhint: name it by {{#}} or {{/}}")
        if is_directory:
            return _inside(name, filling.number)
        out = f"{name}\\" if name.endswith(self._taken) else name
        files = Results(name, out, f"{name}.err", f"{name}.seq")
        return _checked(files, filling.number)


def _is_below(name: str, root: str, is_directory: bool) -> bool:  # noqa: FBT001 (one use)
    """Whether a name leads to something below a directory, or to that."""
    path = posixpath.normpath(name)
    if path == root:
        return is_directory
    if root == ".":
        return path != ".." and not path.startswith("../")
    return path.startswith(root if root.endswith("/") else root + "/")


def component(text: str, longest: int = LONGEST_NAME) -> str:
    r"""The component of a path that stands for a value.

    >>> component("a/b"), component(".."), component("")
    ('a\\_b', '\\.\\.', '\\e')
    """
    if text in (".", ".."):
        return r"\." * len(text)
    name = text.translate(_ESCAPES) or r"\e"
    data = os.fsencode(name)
    if len(data) <= longest:
        return name
    from hashlib import blake2b  # noqa: PLC0415 (only if used)

    end = "\\~" + blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()
    most = longest - len(end)
    cuts = range(most, most - _MOST_INSIDE - 1, -1)
    most = next((cut for cut in cuts if not _is_inside(data[cut])), most)
    return os.fsdecode(data[:most]) + end


def _is_inside(byte: int) -> bool:
    """Whether a character of UTF-8 goes on with it; else it may be cut there."""
    return byte & 0xC0 == 0x80  # noqa: PLR2004 (10xxxxxx)


def _number(name: str) -> tuple[int, str]:
    """What a name begins with, as far as that is a number; else 0 (as Perl has it).

    As its length and its digits, since int() refuses what has thousands of them.
    """
    digits = "".join(takewhile("0123456789".__contains__, name)).lstrip("0")
    return len(digits), digits


def _inside(directory: str, number: int) -> Results:
    """The files in the directory of a job."""
    place = directory if directory.endswith("/") else directory + "/"
    files = (f"{place}{name}" for name in ("stdout", "stderr", "seq"))
    return _checked(Results(place, *files), number)


def _checked(results: Results, number: int) -> Results:
    """The same, if a file can have such names."""
    parts = os.fsencode(results.err).split(b"/")
    fits = max(map(len, parts)) <= LONGEST_NAME
    if not (fits and sum(map(len, parts)) + len(parts) <= _LONGEST_PATH):
        why = "its values make a name that is too long for a file"
    elif not results.out or "\0" in results.out:
        why = "its values make no name of a file"
    else:
        return results
    hint = "name it by its number: --results 'DIR/{#}/'"
    raise PenstockError(f"job {number}: --results: {why}\nhint: {hint}")

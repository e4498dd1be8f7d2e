"""MAKEFLAGS: what make tells the makes below it, and what we tell those below us.

Read as GNU make writes it (manual 5.7.3 and 13.1). A text that makes no sense says
nothing; it is never an error.
"""

from __future__ import annotations

_AUTH = ("--jobserver-auth=", "--jobserver-fds=")  # the second until make 4.1


class MakeFlags:
    """What MAKEFLAGS says of jobs.

    Attributes:
        auth: of the jobserver, ``3,4`` or ``fifo:PATH``; None without one.
        jobs: as in ``-j4``; None if it is not said, or without a limit.
    """

    __slots__ = ("auth", "jobs")

    def __init__(self, auth: str | None, jobs: int | None) -> None:
        self.auth = auth
        self.jobs = jobs


def read_makeflags(text: str) -> MakeFlags:
    """What `text` says; of what is said twice, the last counts."""
    auth = jobs = None
    for word in _flags(text):
        if word.startswith(_AUTH):
            auth = word.partition("=")[2]
        elif word[:2] == "-j" and word[2:].isdecimal() and word.isascii():
            jobs = int(word[2:][:9])
    return MakeFlags(auth, jobs)


def read_pipe(auth: str) -> tuple[int, int] | None:
    """The descriptors of a jobserver of the pipe style; None if it is no such pair.

    >>> read_pipe("3,4"), read_pipe("-2,-2"), read_pipe("fifo:x")
    ((3, 4), (-2, -2), None)
    """
    reader, _, writer = auth.partition(",")
    try:
        return int(reader[:9]), int(writer[:9])
    except ValueError:
        return None


def with_jobserver(text: str, auth: str | None, jobs: int) -> str:
    """`text` with this jobserver in place of any other; without one if it is None.

    >>> with_jobserver("k -j2 --jobserver-auth=3,4 -- A=b", "fifo:x", 4)
    'k -j4 --jobserver-auth=fifo:x -- A=b'
    """
    flags = [
        word
        for word in _flags(text)
        if not word.startswith(_AUTH)
        and not (word[:2] == "-j" and (word[2:].isdecimal() or word == "-j"))
    ]
    rest = text.split(" ")[len(_flags(text)) :]
    if auth is not None:
        flags += [f"-j{jobs}", f"--jobserver-auth={auth}"]
    return " ".join([*flags, *rest])


def _flags(text: str) -> list[str]:
    """The words before the variables."""
    words = text.split(" ")
    return words[: words.index("--")] if "--" in words else words

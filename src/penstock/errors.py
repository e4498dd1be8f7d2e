"""The errors penstock raises; a command that fails is a value, not an error.

PenstockError
├── DefinitionError     a definition file is wrong; every mistake in it, placed
├── UsageError          the caller asked for something that makes no sense
└── NurseryLost         the process that guards the workers is gone
"""

from __future__ import annotations

import errno

REMEDIES = {
    errno.EAGAIN: "end some processes, or raise `ulimit -u` or pids.max",  # fork(2)
    errno.EDQUOT: "make room",
    errno.EMFILE: "raise `ulimit -n`",
    errno.ENFILE: "close some files",
    errno.ENOMEM: "free some memory, or raise `ulimit -v`",
    errno.ENOSPC: "make room",
}


class PenstockError(Exception):
    """Whatever penstock itself reports; catch this to catch all.

    Attributes:
        status: the exit status that tells of it.
    """

    status = 125


class UsageError(PenstockError, ValueError):
    """A call or a command line that cannot be carried out as written."""

    status = 2


class NurseryLost(PenstockError, RuntimeError):  # noqa: N818 (a state, not a fault of the caller)
    """The nursery died: no further job can be started by this pool."""


class DefinitionError(PenstockError, ValueError):
    """Everything that is wrong with a definition.

    Attributes:
        mistakes: one printable text for each mistake, in the order of the file.
    """

    status = 2

    def __init__(self, mistakes: tuple[str, ...]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes

    def __reduce__(self) -> tuple[type[DefinitionError], tuple[tuple[str, ...]]]:
        return DefinitionError, (self.mistakes,)


def reason_of(error: OSError, path: str = "") -> str:
    """What went wrong, and where.

    Args:
        error: as caught.
        path: of the file, for where the error names none, as that of a write(2).
    """
    why = error.strerror or str(error) or "an error without a name"
    where = error.filename or path
    return f"{why}: {where}" if where else why


def shortage(error: BaseException) -> str | None:
    """What the machine has run out of, and the next step; None if it is anything else.

    That can happen wherever something is opened, started or imported, and is no bug.
    """
    if isinstance(error, MemoryError) or _lacks_memory(error):
        error = OSError(errno.ENOMEM, "Cannot allocate memory")
    if not isinstance(error, OSError) or error.errno not in REMEDIES:
        return None
    return f"{reason_of(error)}\nhint: {REMEDIES[error.errno]}"


def _lacks_memory(error: BaseException) -> bool:
    """Whether a library could not be loaded for that: dlopen(3) has no errno."""
    return isinstance(error, ImportError) and "failed to map segment" in str(error)

"""What commands print, kept in files without a name until the job is over.

Without a pipe, nobody has to read while the command runs, and nothing waits for a
reader. Without a name, nothing is left whatever happens. This process has one such file
for stdout and one for stderr: most jobs print little, which is read out of the file,
and then the next job gets the same file, emptied. Only a file with much in it is given
away.
"""

from __future__ import annotations

import os
from fcntl import F_GETFL, fcntl

from penstock.model.outcome import Kept
from penstock.proc.scratch import unnamed_file

_INLINE_BYTES = 1 << 14  # more is handed over as a file
_LEAST_ROOM_BYTES = 1 << 13
_files: dict[int, tuple[int, int]] = {}  # number: descriptor, its flags


def open_kept(number: int) -> int:
    """The empty file of that number; `take_kept` must follow before the next job.

    Raises:
        OSError: there is nowhere to put it.
    """
    if number not in _files:
        descriptor = unnamed_file(appends=True)
        _files[number] = descriptor, fcntl(descriptor, F_GETFL)
    return _files[number][0]


def lacks_room() -> bool:
    """Whether the disk is full, so that some of what was written may be missing.

    To be asked when there is such a file: all are in one place, so one tells of all.
    """
    room = os.fstatvfs(next(iter(_files.values()))[0])
    return room.f_bfree * room.f_frsize < _LEAST_ROOM_BYTES


def take_kept(number: int) -> Kept:
    """What was written to a file, which is empty then, or no longer ours."""
    descriptor, flags = _files[number]
    # Where its end is: fstat(2) says more, which takes longer to put together.
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if fcntl(descriptor, F_GETFL) != flags or size > _INLINE_BYTES:
        # Some command changed how it is written to (dd oflag=direct): not to be reused.
        del _files[number]
        return Kept(b"", descriptor)
    if not size:
        return Kept()
    data = os.pread(descriptor, size, 0)
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)  # where a command is that asks
    return Kept(data)

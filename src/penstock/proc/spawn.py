"""Starting one command: the only place that does, but for recipes of make (`lean`).

Always by `subprocess.Popen` on its vfork path: 0.7 ms whatever the size of this
process, where `preexec_fn` and `user=` fall back to fork(2) (60 ms at 4 GB).
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Mapping
from math import inf

from penstock.model.command import Command
from penstock.model.outcome import NotStarted
from penstock.typed import NamedTuple

_SHELL = "/bin/sh"
_DEFAULT_PATH = "/bin:/usr/bin"  # confstr(3) _CS_PATH, what execvp(3) falls back to


_BELIEVED = 1.0  # seconds
_MOST_FOUND = 1000
_found: dict[tuple[str, str | None, str | None], tuple[str, float]] = {}
# What execve(2) says where a program is not what, or where, it was.
_MOVED = (errno.ENOENT, errno.EACCES, errno.ENOTDIR, errno.ELOOP)


_passed: tuple[int, ...] = ()


def pass_on(descriptors: tuple[int, ...]) -> None:
    """Let every command of this process inherit `descriptors` besides its streams."""
    global _passed  # noqa: PLW0603 (a fact about this process)
    _passed = descriptors


class CannotStart(Exception):  # noqa: N818 (carries a value; never leaves the worker)
    """A command could not be started, or a file of it not opened."""

    def __init__(self, ending: NotStarted) -> None:
        super().__init__(ending.reason)
        self.ending = ending


class _Unpiped(subprocess.Popen[bytes]):
    """A process that gets descriptors of ours, and no pipe that `Popen` would make.

    So there is none to make, to hand back or to close, and what that takes is left out
    (18 us where a command has just run: docs/decisions/0122).
    """

    def _get_handles(
        self, stdin: int | None, stdout: int | None, stderr: int | None
    ) -> tuple[int, ...]:
        """Descriptors to read and to write, of 0, 1 and 2; -1 is none."""
        given = (-1 if each is None else each for each in (stdin, stdout, stderr))
        read, write, write_errors = given
        return read, -1, -1, write, -1, write_errors

    def _close_pipe_fds(self, *_: int) -> None:
        """Close nothing: all is the caller's."""


# Both are methods of `Popen` in the versions that were looked at.
_Process = _Unpiped if sys.version_info < (3, 14) else subprocess.Popen


class Streams(NamedTuple):
    """What a command gets as descriptors 0, 1 and 2.

    Attributes:
        more: it gets these too, under the same numbers.
    """

    stdin: int
    stdout: int
    stderr: int
    more: tuple[int, ...] = ()


def environment_of(command: Command) -> Mapping[str, str]:
    """The environment that `command` will see."""
    if not command.env:
        return os.environ
    return {**os.environ, **dict(command.env)}


def find_program(command: Command, now: float, *, surely: bool = True) -> str:
    """The file that execvp(3) would run, before anything is started.

    Looking first costs less than letting execve(2) fail in every directory of PATH
    (50 us with ten of them), and lets a pipeline start whole or not at all. What was
    found is believed for a second while it is there: a program that comes to stand
    before it in PATH is seen after that.

    Args:
        command: what is to be run.
        now: on the monotonic clock.
        surely: see whether it is there still; otherwise `spawn` may find out.

    Raises:
        CannotStart: there is none, or none that may be executed.
    """
    name, cwd = command.argv[0], command.cwd
    if cwd is not None and not os.path.isdir(cwd):
        raise CannotStart(_no_directory(cwd))
    key = name, _own_path(command) if command.env else None, cwd
    found = _found.get(key)
    if found is None or now > found[1] or (surely and not _is_program(found[0], cwd)):
        if len(_found) > _MOST_FOUND:
            _found.clear()
        found = _found[key] = _look(*key), now + _BELIEVED
    return found[0]


def _own_path(command: Command) -> str | None:
    """What `command` will have as its PATH; None if that is ours."""
    for name, value in reversed(command.env):
        if name == "PATH":
            return value
    return None


def _look(name: str, path: str | None, cwd: str | None) -> str:
    """The program `name`: in the directories of `path` (None: of ours), or itself.

    Raises:
        CannotStart: there is none, or none that may be executed.
    """
    if "/" in name:
        return _check(name, cwd)
    if path is None:
        path = os.environ.get("PATH", _DEFAULT_PATH)
    try:
        return _search(name, path, cwd)
    except ValueError as error:  # a NUL in the name
        raise CannotStart(_refusal(errno.EINVAL, f"{name!r}: {error}")) from None


def _search(name: str, path: str, cwd: str | None) -> str:
    candidates = [_absolute(directory, name) for directory in path.split(":")]
    for candidate in candidates:
        if _is_program(candidate, cwd):
            return candidate
    for candidate in candidates:
        seen = os.path.join(cwd, candidate) if cwd else candidate
        if os.path.isfile(seen):
            reason = f"{seen}: permission denied"
            raise CannotStart(_refusal(errno.EACCES, reason, seen))
    raise CannotStart(_refusal(errno.ENOENT, f"{name}: not found in PATH"))


def _is_program(path: str, cwd: str | None) -> bool:
    """Whether `path`, as seen from `cwd`, is something that may be executed."""
    seen = os.path.join(cwd, path) if cwd else path
    return os.access(seen, os.X_OK) and not os.path.isdir(seen)


def _check(path: str, cwd: str | None) -> str:
    """`path`, which has a slash in it and is not looked up.

    Raises:
        CannotStart: it does not exist, or may not be executed.
    """
    seen = os.path.join(cwd, path) if cwd else path
    try:
        if _is_program(path, cwd):
            return path
        os.stat(seen)
    except OSError as error:
        raise CannotStart(_refusal(error.errno, f"{path}: {_why(error)}")) from None
    except ValueError as error:  # a NUL in the name
        raise CannotStart(_refusal(errno.EINVAL, f"{path!r}: {error}")) from None
    if os.path.isdir(seen):  # execve(2) says EACCES, which is hard to believe
        raise CannotStart(_refusal(errno.EISDIR, f"{path}: is a directory", seen))
    raise CannotStart(_refusal(errno.EACCES, f"{path}: permission denied", seen))


def _why(error: OSError) -> str:
    return "not found" if error.errno == errno.ENOENT else str(error.strerror)


def _no_directory(cwd: str) -> NotStarted:
    number = errno.ENOTDIR if os.path.exists(cwd) else errno.ENOENT
    reason = f"cannot enter directory {cwd}: {os.strerror(number)}"
    return NotStarted(number, reason, "file")


def _absolute(directory: str, name: str) -> str:
    """A path with a slash in it: an empty entry of PATH is the working directory."""
    return f"{directory}/{name}" if directory else f"./{name}"


def spawn(
    command: Command, program: str, streams: Streams, *, apart: bool = True
) -> subprocess.Popen[bytes]:
    """Start `command`, in a group of its own unless it is to be in another one.

    Where its program is not found any more it is looked for again, once.

    Args:
        command: what to run.
        program: the file, from `find_program`.
        streams: descriptors; the caller's copies stay open.
        apart: in a session of its own; otherwise in that of this process.

    Raises:
        CannotStart: with the errno of the call that failed. Nothing is left running.
    """
    try:
        return _popen(command, program, command.argv, streams, apart=apart)
    except OSError as error:
        return _spawn_otherwise(error, command, program, streams, apart=apart)
    except ValueError as error:  # a NUL in an argument
        ending = _refusal(errno.EINVAL, f"{command.argv[0]}: {error}")
        raise CannotStart(ending) from None


def _spawn_otherwise(
    error: OSError,
    command: Command,
    program: str,
    streams: Streams,
    *,
    apart: bool,
) -> subprocess.Popen[bytes]:
    """Start what execve(2) has refused with `error`, if there is a way to."""
    if error.errno == errno.ENOEXEC:
        # A script without "#!": execvp(3) hands it to the shell, and so do we.
        return _spawn_script(command, program, streams, apart=apart)
    key = command.argv[0], _own_path(command), command.cwd
    if error.errno in _MOVED and _found.pop(key, None) is not None:
        # What was believed may be gone: to be looked for, and not believed, once.
        program = find_program(command, -inf)
        del _found[key]
        return spawn(command, program, streams, apart=apart)
    raise CannotStart(_explain(error, command, program)) from None


def _spawn_script(
    command: Command,
    program: str,
    streams: Streams,
    *,
    apart: bool,
) -> subprocess.Popen[bytes]:
    try:
        argv = (_SHELL, program, *command.argv[1:])
        return _popen(command, _SHELL, argv, streams, apart=apart)
    except OSError as error:
        raise CannotStart(_explain(error, command, program)) from None


def _popen(
    command: Command,
    program: str,
    argv: tuple[str, ...],
    streams: Streams,
    *,
    apart: bool,
) -> subprocess.Popen[bytes]:
    return _Process(
        argv,
        executable=program,
        stdin=streams.stdin or None,  # what is in its place already is inherited
        stdout=None if streams.stdout == 1 else streams.stdout,
        stderr=None if streams.stderr == 2 else streams.stderr,  # noqa: PLR2004
        cwd=command.cwd,
        env=environment_of(command) if command.env else None,
        start_new_session=apart and command.group is None,
        process_group=command.group if apart else command.group or 0,
        pass_fds=(*streams.more, *_passed),
    )


def _explain(error: OSError, command: Command, program: str) -> NotStarted:
    """Tell which of the things that execve(2) needs was the matter."""
    if command.cwd is not None and error.filename == command.cwd:
        reason = f"cannot enter directory {command.cwd}: {error.strerror}"
        return NotStarted(error.errno, reason, "file")
    where = os.path.join(command.cwd or "", program)
    if error.errno == errno.ENOENT and os.path.exists(where):
        reason = f"{program}: its interpreter was not found"
        return _refusal(errno.ENOENT, reason, where)
    if error.errno == errno.ENOENT:
        return _refusal(errno.ENOENT, f"{program}: not found")
    return _refusal(error.errno, f"{program}: {error.strerror}", where)


def _refusal(number: int | None, reason: str, program: str | None = None) -> NotStarted:
    return NotStarted(number, reason, "command", program)

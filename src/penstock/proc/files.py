"""The open files of one job: what its streams name, until the job is over."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cache

from penstock.model.command import Command
from penstock.model.link import path_token
from penstock.model.outcome import Kept, NotStarted
from penstock.model.stream import (
    Direct,
    Handed,
    Inherit,
    Input,
    Keep,
    Log,
    Null,
    Output,
    Stderr,
    Stdin,
    Stdout,
)
from penstock.model.wiring import Fifo, PipeEnd, StageWiring
from penstock.proc.keep import lacks_room, open_kept, take_kept
from penstock.proc.log import LogPump
from penstock.proc.pipes import open_pipe
from penstock.proc.spawn import CannotStart, Streams
from penstock.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from penstock.proc.fifo import Fifos

# A second open(2) of what is a file would write over what is there.
_OWN = {"/dev/stdout": 1, "/dev/stderr": 2, "/dev/fd/1": 1, "/dev/fd/2": 2}


@cache
def _null_device() -> int:
    """``/dev/null``, opened once for all jobs of this process."""
    return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)


def locate(output: Output) -> Output:
    """Where an output really is, beyond symbolic links, and its partial beside it.

    rename(2) would replace the link.
    """
    try:
        final = os.path.realpath(output.path)
    except ValueError:  # a NUL in the path; open(2) will refuse it
        return output
    name = os.path.basename(output.partial)
    return Output(final, os.path.join(os.path.dirname(final), name))


class _Pending(NamedTuple):
    """An output on its way: written as `partial`, to be renamed to `final`."""

    partial: str
    final: str
    mode: int | None


class Files:
    """Opens what a job reads and writes; owns it; commits or discards outputs.

    Attributes:
        logs: the pump of each stage that has one.
        handed: descriptors that came with the job.
        pending: outputs that have not got their names.
        keeps: the numbers of the `Keep`s that are in use.
        fifos: all FIFOs of the job, if it has any.
        unopened: those of them that their readers have never opened.
        edge_of_inode: what each pipe joins.
    """

    def __init__(self, descriptors: Sequence[int]) -> None:
        self.logs: dict[int, LogPump] = {}
        self.handed = descriptors
        self._opened: list[int] = []
        self._pipes: dict[PipeEnd, int] = {}
        self._paths: dict[int, str] = {}  # of FIFOs, by pipe
        self.pending: list[_Pending] = []
        self.keeps: set[int] = set()
        self.fifos: Fifos | None = None
        self.unopened: list[Fifo] = []
        self.edge_of_inode: dict[int, str] = {}

    def make_fifos(self, fifos: Sequence[Fifo]) -> None:
        """Make all FIFOs of the job.

        Raises:
            OSError: one cannot be made.
        """
        from penstock.proc.fifo import Fifos  # noqa: PLC0415 (most jobs have none)

        try:
            self.fifos = Fifos()
        except OSError:  # no inotify(7), say: the commands get descriptors instead
            self.open_pipes([fifo.pipe for fifo in fifos])
            return
        for fifo in fifos:
            self._pipes[PipeEnd(fifo.pipe, "w")] = self.fifos.make(fifo)
            self._paths[fifo.pipe] = self.fifos.path(fifo)

    def forsake_fifos(self, stages: Collection[int]) -> None:
        """Note that `stages` have ended: what they have not opened stays unopened."""
        if self.fifos is not None:
            for stage in stages:
                self.unopened += self.fifos.forsake(stage)

    def leave_fifos(self) -> None:
        """Hold no side of a FIFO any more, whether it was opened or not."""
        if self.fifos is not None:
            self.fifos.forsake_all()

    def know_pipes(self, names: Sequence[str]) -> None:
        """Remember by its inode what each pipe that is open joins."""
        for end, descriptor in self._pipes.items():
            self.edge_of_inode[os.fstat(descriptor).st_ino] = names[end.pipe]

    @property
    def ends(self) -> Mapping[PipeEnd, int]:
        """The descriptor of every end of a pipe that is open now."""
        return self._pipes

    def open_pipes(self, pipes: Sequence[int]) -> None:
        """Make pipes.

        Raises:
            OSError: one cannot be made.
        """
        for pipe in pipes:
            reader, writer = open_pipe()
            self._pipes[PipeEnd(pipe, "r")] = reader
            self._pipes[PipeEnd(pipe, "w")] = writer

    def connect(self, plan: StageWiring, stage: int) -> Streams:
        """Open all that `stage` needs; the descriptors stay owned by this object.

        Raises:
            CannotStart: a file cannot be opened.
            OSError: a pipe cannot be made.
        """
        if plan.opens:
            self.open_pipes(plan.opens)
        return Streams(
            self._open(plan.stdin, stage),
            self._open(plan.stdout, stage),
            self._open(plan.stderr, stage),
            self._passed(plan) if plan.named else (),
        )

    def _passed(self, plan: StageWiring) -> tuple[int, ...]:
        """The ends that a stage gets under the numbers that they have here."""
        return tuple(self._pipes[end] for _, end in plan.named if end in self._pipes)

    def named(self, command: Command, plan: StageWiring) -> Command:
        """`command` with the paths of its FIFOs where it has their names."""
        argv, env = command.argv, command.env
        for name, end in plan.named:
            path = self._paths.get(end.pipe) or f"/dev/fd/{self._pipes[end]}"
            token = path_token(name)
            argv = tuple(word.replace(token, path) for word in argv)
            env = tuple((key, value.replace(token, path)) for key, value in env)
        return command._replace(argv=argv, env=env)

    def release(self, plan: StageWiring, stage: int) -> None:
        """Close what only the command of `stage` needs, now that it is started."""
        if plan.closes:
            self.release_ends(plan.closes)
        if plan.named:
            self.release_ends([end for _, end in plan.named if end in self._pipes])
        if stage in self.logs:
            self.logs[stage].drop_writer()

    def release_ends(self, ends: Sequence[PipeEnd]) -> None:
        """Close ends of pipes that somebody else has now."""
        for end in ends:
            os.close(self._pipes.pop(end))

    def release_all(self) -> None:
        """Close every end of a pipe that a command was to have."""
        self.leave_fifos()
        for descriptor in self._pipes.values():
            os.close(descriptor)
        self._pipes.clear()
        for pump in self.logs.values():
            pump.drop_writer()

    @property
    def lacks_room(self) -> str | None:
        """Why what was printed may be incomplete, in words; to be asked before."""
        if not self.keeps or not lacks_room():
            return None
        return "what it printed may be incomplete: the disk is full; try TMPDIR"

    @property
    def has_remarks(self) -> bool:
        """Whether some log has anything to tell."""
        return any(
            pump.tail or pump.error is not None or pump.holders is not None
            for pump in self.logs.values()
        )

    def kept(self) -> tuple[Kept, Kept]:
        """What was kept; to be asked once, when nothing writes any more."""
        out, err = (
            take_kept(number) if number in self.keeps else Kept() for number in (1, 2)
        )
        return out, err

    def commit(self) -> str | None:
        """Give every output its name; say what failed, if anything did."""
        while self.pending:
            partial, final, mode = self.pending[-1]
            try:
                if mode is not None:
                    os.chmod(partial, mode)
                os.rename(partial, final)
            except OSError as error:
                return f"cannot name the output {final}: {error.strerror}"
            self.pending.pop()
        return None

    def close(self) -> None:
        """Close all, and remove every output that was not committed."""
        if self._pipes or self.fifos is not None:
            self.release_all()
        for pump in self.logs.values():
            pump.close()
        for descriptor in self._opened:
            os.close(descriptor)
        for descriptor in self.handed:
            os.close(descriptor)
        for pending in self.pending:
            with suppress(OSError):
                os.unlink(pending.partial)
        if self.fifos is not None:
            self.fifos.close()
        self._opened, self.pending, self.handed = [], [], ()

    def _open(self, stream: Stdin | Stdout | Stderr | PipeEnd, stage: int) -> int:
        """The descriptor that serves `stream`."""
        match stream:
            case Inherit():
                return stream.number
            case Null():
                return _null_device()
            case PipeEnd():
                return self._pipes[stream]
            case Handed():
                return self.handed[stream.position]
            case Log():
                self.logs[stage] = LogPump(stream)
                return self.logs[stage].writer
            case _:
                return self._open_named(stream)

    def _open_kept(self, number: int) -> int:
        try:
            descriptor = open_kept(number)
        except OSError as error:
            reason = f"nowhere to keep what it prints: {error.strerror}; try TMPDIR"
            raise CannotStart(NotStarted(error.errno, reason, "system")) from None
        self.keeps.add(number)
        return descriptor

    def _open_named(self, stream: Keep | Input | Output | Direct) -> int:
        """Open a file, with a name or without."""
        match stream:
            case Keep(number):
                return self._open_kept(number)
            case Input(path):
                return self._open_input(path)
            case Output(path) | Direct(path) if path in _OWN:
                return _OWN[path]
            case Output():
                return self._open_output(stream)
            case Direct(path, access):
                more = os.O_APPEND if access == "a" else os.O_TRUNC
                return self._open_special(path, os.O_CREAT | more)

    def _open_path(self, path: str, flags: int) -> int:
        try:
            descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOCTTY, 0o666)
        except OSError as error:
            reason = f"cannot open {path}: {error.strerror}"
            raise CannotStart(NotStarted(error.errno, reason, "file")) from None
        except ValueError as error:  # a NUL in the path
            reason = f"cannot open {path!r}: {error}"
            raise CannotStart(NotStarted(None, reason, "file")) from None
        self._opened.append(descriptor)
        return descriptor

    def _open_input(self, path: str) -> int:
        """Open for reading; a FIFO is refused, for its open(2) may never return."""
        with suppress(OSError, ValueError):
            if stat.S_ISFIFO(os.stat(path).st_mode):
                reason = f"cannot open {path}: a FIFO; read it by `cat {path}` instead"
                raise CannotStart(NotStarted(None, reason, "file"))
        return self._open_path(path, os.O_RDONLY)

    def _open_special(self, path: str, flags: int = 0) -> int:
        """Open what may be a device or a FIFO, without waiting for a reader."""
        descriptor = self._open_path(path, os.O_WRONLY | os.O_NONBLOCK | flags)
        os.set_blocking(descriptor, True)  # the command shares this very description
        return descriptor

    def _open_output(self, output: Output) -> int:
        """Open `output.partial`, or the thing itself if it is no regular file."""
        partial, final = locate(output).partial, locate(output).path
        mode = None
        with suppress(OSError, ValueError):
            existing = os.stat(final).st_mode
            if not stat.S_ISREG(existing):
                return self._open_special(final)
            mode = stat.S_IMODE(existing)
        with suppress(OSError, ValueError):
            os.unlink(partial)  # left by a run that was killed with all its layers
        descriptor = self._open_path(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        self.pending.append(_Pending(partial, final, mode))
        return descriptor

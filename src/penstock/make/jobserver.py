"""GNU make's jobserver: a pipe in which every byte is the right to run one more job.

Every process under ``make -jN`` may run one job without a token: its implicit slot.
For each further one it takes a byte out of make's pipe, and puts that same byte back
(manual 13.1, "Sharing Job Slots with GNU make").

A token must never be lost, on no way out. So it never is in a variable: splice(2) moves
it from make's pipe to one of our own, the pouch, and back, in the kernel. At every
instant each byte is in one of the two, and the pouch belongs to the user's process and
the nursery alike: whichever of them is killed, the other one puts back what is in it.

make's pipe is shared with everybody, so it never gets O_NONBLOCK: SPLICE_F_NONBLOCK is
ours alone. Nor do we ever write(2) to it while others use it: that can wait for ever.
"""

from __future__ import annotations

import fcntl
import os
import stat

from penstock.make.tray import Tray

_FIONREAD = 0x541B  # ioctl_pipe(7): bytes that can be read
_POUCH_BYTES = 1 << 20  # a token takes a page of it: 256
_PAGE = 4096
_PAGES = 16  # that a pipe has if not told otherwise (pipe(7))
_TOKEN = b"+"
_TRIES = 100  # for room in make's pipe, each of them a few system calls


class Unusable(Exception):  # noqa: N818 (told to the user as it is)
    """There should be a jobserver, and it cannot be used; says why."""


class Jobserver:
    """Takes tokens out of a jobserver, and puts them back.

    Attributes:
        auth: what MAKEFLAGS says of it.
        passed: descriptors that commands must inherit to use it.
        reader: readable when there may be a token to take.
        held: how many tokens this process has.
        own: how many there are in all, where the jobserver is ours; else None.
        capacity: how many this process can have.
    """

    def __init__(
        self, auth: str, reader: int, writer: int, *, passed: tuple[int, ...] = ()
    ) -> None:
        self.auth = auth
        self.passed = passed
        self.reader = reader
        self.held = 0
        self.own: int | None = None
        self._writer = writer
        self._pouch, self._pouch_in = os.pipe()
        _widen(self._pouch_in, _POUCH_BYTES)
        self.capacity = _pages(self._pouch_in)
        self._tray = Tray()
        self._is_late = False  # something could not be put back yet

    @property
    def is_full(self) -> bool:
        """Whether `take` is in vain, however many tokens there are."""
        return self.held >= self.capacity

    def fill(self, tokens: int) -> None:
        """Put in the tokens of a jobserver that is ours; no more than it can hold."""
        self.make_room(tokens)
        self.own = min(tokens, fcntl.fcntl(self._writer, fcntl.F_GETPIPE_SZ))
        os.write(self._writer, _TOKEN * self.own)

    def refill(self) -> int:
        """Replace what was lost of our own, while nobody holds any; how many.

        A make that is killed takes its tokens with it.
        """
        missing = 0 if self.own is None else self.own - _count(self.reader)
        if missing > 0 and self._tray.reserve():
            self._tray.add(_TOKEN * missing)
            self._tray.release()
            self._gather(0)
        return missing

    def make_room(self, tokens: int) -> None:
        """Let the pipe hold so many tokens that were put back one by one."""
        if tokens >= _PAGES:
            pages = 1 << tokens.bit_length()
            _widen(self._writer, min(pages * _PAGE, _POUCH_BYTES))

    def take(self) -> bool:
        """Take a token, if there is one now, and we can have one more."""
        if self._is_late:
            self._put_back()
        if self.is_full or not _move(self.reader, self._pouch_in):
            return False
        self.held += 1
        return True

    def give(self) -> None:
        """Put a token back; does not wait."""
        self.held -= 1
        self._put_back()

    def give_back(self) -> int:
        """Put back all that is in the pouch, whoever took it; how many there were."""
        tokens = self.in_pouch()
        self.held = 0
        self._put_back()
        return tokens

    def in_pouch(self) -> int:
        """How many tokens are out."""
        return _count(self._pouch) + self._tray.count()

    def close(self) -> None:
        """Close what is ours alone; tokens must have been put back."""
        for descriptor in {self.reader, self._writer} - set(self.passed):
            os.close(descriptor)
        os.close(self._pouch)
        os.close(self._pouch_in)
        self._tray.close()

    def _put_back(self) -> None:
        """Put back what is in the pouch, but what is held; what cannot be stays."""
        while (surplus := _count(self._pouch) - self.held) > 0:
            if self._is_crowded() or not _move(self._pouch, self._writer):
                break
        if surplus > 0 or self._tray.count():
            self._gather(max(0, surplus))

    def _is_crowded(self) -> bool:
        """Whether each token with a page of its own might soon take all pages.

        Then a make that writes a token back, too, would wait until somebody takes one.
        """
        return _count(self.reader) >= _pages(self._writer) * 7 // 8

    def _gather(self, surplus: int) -> None:
        """Put back `surplus` tokens, together with all that are in make's pipe now."""
        self._is_late = True
        if not self._tray.reserve():
            return  # the other process is at it, and will look at the pouch at its end
        for _ in range(_TRIES):
            self._tray.load(self.reader, _POUCH_BYTES)
            surplus -= self._tray.load(self._pouch, surplus)
            if self._tray.unload(self._writer):
                self._is_late = surplus > 0
                break
        self._tray.release()


def join(auth: str) -> Jobserver:
    """The jobserver that MAKEFLAGS tells of.

    Raises:
        Unusable: it cannot be used.
    """
    from penstock.make.makeflags import read_pipe  # noqa: PLC0415 (only under make)

    if auth.startswith("fifo:"):
        return _open_fifo(auth)
    ends = read_pipe(auth)
    if ends is None:
        raise Unusable(f"--jobserver-auth={auth} is of a style that is not known")
    if not all(map(_is_pipe, ends)):
        raise Unusable(
            "make keeps its jobserver from this recipe: begin the recipe line with `+`"
        )
    return Jobserver(auth, *ends, passed=ends)


def serve_pipe() -> Jobserver:
    """A jobserver of the pipe style, for every make; still without tokens."""
    ends = reader, writer = os.pipe()
    return Jobserver(f"{reader},{writer}", reader, writer, passed=ends)


def serve_fifo(path: str) -> Jobserver:
    """A jobserver of the FIFO style (make 4.4, ninja 1.13); still without tokens.

    Args:
        path: where the FIFO is made.

    Raises:
        Unusable: it cannot be made.
    """
    try:
        os.mkfifo(path, 0o600)
    except OSError as error:
        raise Unusable(f"cannot make {path}: {error.strerror}") from None
    return _open_fifo(f"fifo:{path}")


def _open_fifo(auth: str) -> Jobserver:
    path = auth.removeprefix("fifo:")
    try:
        # O_RDWR: opening waits for nobody, and the FIFO lives as long as we do.
        fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unusable(
            f"cannot open make's jobserver {path}: {error.strerror}"
        ) from None
    if not _is_pipe(fifo):
        os.close(fifo)
        raise Unusable(f"make's jobserver {path} is no FIFO")
    return Jobserver(auth, fifo, fifo)


def _is_pipe(descriptor: int) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except (OSError, OverflowError):
        return False


def _count(pipe: int) -> int:
    """How many bytes are in `pipe`."""
    counted = fcntl.ioctl(pipe, _FIONREAD, bytes(4))
    return int.from_bytes(counted, "little")


def _pages(pipe: int) -> int:
    """How many tokens `pipe` can hold that are put in one by one."""
    return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) // _PAGE


def _move(source: int, target: int) -> bool:
    """Move one byte from pipe to pipe; False if there is none, or no room."""
    try:
        return os.splice(source, target, 1, flags=os.SPLICE_F_NONBLOCK) == 1
    except BlockingIOError:
        return False


def _widen(pipe: int, size: int) -> None:
    """Give `pipe` more pages, if it may have them."""
    try:
        if fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) < size:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
    except OSError:  # pipe-user-pages-soft (pipe(7))
        return

"""Two processes that watch each other, one of which owns all that is started.

    U  what was called: hears signals, and waits for W
    └ W  own session, child subreaper: starts commands, and ends them

When U dies, W sees the end of its lifeline, and ends everything. When W dies, all that
it has started comes to U, a child subreaper too, which ends it. This is the guarantee
of nursery and workers for one job that is started for each line of a Makefile: it
imports next to nothing.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # typeshed does not know it
import os

from penstock.proc.fork import fork_into
from penstock.proc.prctl import become_subreaper, set_title

TYPE_CHECKING = False  # `typing` takes 8 ms
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_STOPPING = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT)
STAND_STILL, GO_ON = int(_signal.SIGTSTP), int(_signal.SIGCONT)
_ANSWER_BYTES = 16
_TITLE = "ps-worker"


class Answered:
    """How the worker ended.

    Attributes:
        answer: what it said; empty if it was killed before it could.
        signal: the first one that asked us to stop, if one did.
    """

    __slots__ = ("answer", "signal")

    def __init__(self, answer: bytes, signal: int | None) -> None:
        self.answer = answer
        self.signal = signal


def work_apart(body: Callable[[int], bytes]) -> Answered:
    """Do `body` in a worker, and wait for that; tell it of each signal that comes.

    Args:
        body: is given its lifeline, a descriptor on which the numbers of signals come,
            a byte each: those that ask it to end, or to stand still (a Ctrl-Z), and to
            go on. It ends when this process does. Returns the answer.
    """
    become_subreaper()
    # One that is ignored (nohup, a shell's `&`) must not even be blocked: it would be
    # kept for us. Nothing is lost between here and sigwait(3).
    known = (*_STOPPING, STAND_STILL)
    heeded = {n for n in known if _signal.getsignal(n) is not _signal.SIG_IGN}
    _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_BLOCK, {*heeded, _signal.SIGCHLD})
    lifeline, ours = os.pipe()
    result, theirs = os.pipe()

    def live() -> None:
        os.close(ours)
        os.close(result)
        _become_worker(heeded)
        answer = body(lifeline)
        try:  # noqa: SIM105 (`contextlib` takes 3 ms)
            os.write(theirs, answer)
        except BrokenPipeError:
            pass  # who asked was killed

    pid = fork_into(live)
    os.close(lifeline)
    os.close(theirs)
    signal = _wait(pid, ours, heeded)
    answer = os.read(result, _ANSWER_BYTES)
    os.close(ours)
    os.close(result)
    return Answered(answer, signal)


def _become_worker(heeded: set[int]) -> None:
    os.setsid()
    become_subreaper()  # not inherited by fork(2)
    set_title(_TITLE)
    for number in heeded - {STAND_STILL}:
        _signal.signal(number, _ignore_frame)  # default again after execve(2)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


def _wait(pid: int, lifeline: int, heeded: set[int]) -> int | None:
    """Wait until the worker is dead; the first signal that asked it to end, if any."""
    first = None
    while True:
        number = int(_signal.sigwait({*heeded, _signal.SIGCHLD}))
        if number == _signal.SIGCHLD:
            if _is_dead(pid):
                return first
        elif number == STAND_STILL:
            _tell(lifeline, STAND_STILL)
            _stand_still()
            _tell(lifeline, GO_ON)
        else:
            first = first or number
            _tell(lifeline, number)


def _is_dead(pid: int) -> bool:
    """Whether the worker is; one that somebody has stopped would miss its deadline."""
    changed, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
    if changed and os.WIFSTOPPED(status):
        os.kill(pid, GO_ON)
        return False
    return bool(changed)


def _tell(lifeline: int, number: int) -> None:
    try:  # noqa: SIM105 (`contextlib` takes 3 ms)
        os.write(lifeline, bytes((number,)))
    except BrokenPipeError:
        pass  # it is dead: SIGCHLD comes next


def _stand_still() -> None:
    """Stop until SIGCONT; not if nobody is there who could send it (an orphan)."""
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, {STAND_STILL})
    os.kill(os.getpid(), STAND_STILL)
    _signal.pthread_sigmask(_signal.SIG_BLOCK, {STAND_STILL})


def _ignore_frame(_number: int, _frame: FrameType | None) -> None:
    """The user's process hears the signal, and tells us."""

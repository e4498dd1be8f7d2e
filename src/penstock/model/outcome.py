"""Outcome: how a job ended, told so that nothing has to be guessed.

An ending is exactly one of seven things. Codes and signals come from the wait status
by WIFEXITED/WIFSIGNALED (wait(2)), never from arithmetic on the raw number.
"""

from __future__ import annotations

import errno as _errno

from penstock.typed import NamedTuple

TIMED_OUT = 124
TROUBLE = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127
SIGNAL_BASE = 128


class Exited(NamedTuple):
    """It ended by itself with an exit code, 0 to 255."""

    code: int


class Signaled(NamedTuple):
    """A signal killed it, and penstock did not send that signal."""

    signal: int
    core: bool


class TimedOut(NamedTuple):
    """Its deadline passed; decided before the first signal was sent.

    Attributes:
        timeout: the limit, in seconds.
        limit_of: "command", "job" where the job's own limit passed, "idle" where the
            command said nothing for so long, "ready" where a service was not in time,
            "median" where the times of other jobs set the limit, "run" where the
            deadline of the whole run passed; "deadlock" where all that the job was
            waited for itself, "stall" where nothing moved: see `Limits`.
        status: how the process then ended; None if it never did.
        escalated: it took a KILL, `grace` seconds after the TERM.
        percent: of the median that the limit was; else 0.
    """

    timeout: float
    limit_of: str
    status: Exited | Signaled | None
    escalated: bool
    percent: float = 0.0


class Cancelled(NamedTuple):
    """penstock ended it for a reason outside of it.

    Attributes:
        cause: in words, e.g. "interrupted by SIGINT", "stage 2 (sort) timed out".
        status: how the process then ended; None if it never did.
        escalated: it took a KILL.
    """

    cause: str
    status: Exited | Signaled | None
    escalated: bool


class OutOfMemory(NamedTuple):
    """It held more memory than it may, with all that it had started, and was killed.

    Attributes:
        limit_bytes: what it may hold.
        held_bytes: what it was seen to hold.
        status: how the process then ended; None if it never did.
    """

    limit_bytes: int
    held_bytes: int
    status: Exited | Signaled | None


class NotStarted(NamedTuple):
    """It never ran.

    Attributes:
        errno: of the call that failed; None if another stage is to blame.
        reason: in words, with the name that could not be found or opened.
        culprit: what failed: "command" (execve), "file" (open, chdir), "system" (no
            descriptor left, say), "sibling" (another stage of the job), "when" (nobody
            knows whether the job is to be run).
        program: the file that was found for its command, as seen from where penstock
            runs, if one was.
    """

    errno: int | None
    reason: str
    culprit: str
    program: str | None = None


class Lost(NamedTuple):
    """Its worker died, so that nobody knows how it ended. Never success."""

    reason: str


Ending = Exited | Signaled | TimedOut | Cancelled | OutOfMemory | NotStarted | Lost


class Usage(NamedTuple):
    """What a command and the children it waited for used: getrusage(2), by wait4(2).

    Attributes:
        user, system: CPU time in seconds.
        maxrss_bytes: peak resident size of the largest process; None where that was
            no larger than the worker's own (12 MiB or so), which a process inherits
            over execve(2), so that nobody can tell.
        waits: how often it gave up the CPU, to wait for something.
        preemptions: how often the CPU was taken from it.
    """

    user: float
    system: float
    maxrss_bytes: int | None
    waits: int = 0
    preemptions: int = 0


class StageOutcome(NamedTuple):
    """How one stage ended.

    Attributes:
        name: the stage's.
        ending: what happened.
        ok: it counts as success: an accepted exit code, or a benign SIGPIPE.
        pid: its process; None if it never ran.
        elapsed: seconds from its start to its exit.
        usage: None if it never ran, or was lost.
        tail: the end of its stderr, where that was a `Log`.
        log_error: why its log is incomplete, in words; None if it is whole.
    """

    name: str
    ending: Ending
    ok: bool
    pid: int | None = None
    elapsed: float = 0.0
    usage: Usage | None = None
    tail: bytes = b""
    log_error: str | None = None


class EdgeOutcome(NamedTuple):
    """What is known of one edge of a job: which side of it kept the other waiting.

    Where bytes are counted, so are the seconds; elsewhere they are an estimate, from a
    look every half second.

    Attributes:
        name: both sides, in words.
        n_bytes: that passed; None where nobody counted.
        source_waited: seconds for which something was there to be read, and the
            target did not read it.
        target_waited: seconds for which the target could have been given something,
            and there was nothing.
        note: what went wrong here, if anything did.
    """

    name: str
    n_bytes: int | None = None
    source_waited: float | None = None
    target_waited: float | None = None
    note: str | None = None


class Process(NamedTuple):
    """A process by PID and command line, as found when it was named."""

    pid: int
    command: str


class Kept(NamedTuple):
    """What a job has written to a `Keep`: its bytes, or the file that holds them.

    Attributes:
        data: all of it, where that is not much.
        descriptor: of a file with all of it; whoever has the outcome closes it.
    """

    data: bytes = b""
    descriptor: int | None = None


NOTHING_KEPT = (Kept(), Kept())


class Outcome(NamedTuple):
    """How one job ended.

    Attributes:
        job: its name.
        ending: of the stage that decided it (the root cause), or the job's own.
        ok: every stage succeeded, and every output stands under its name.
        stages: one for each stage of the job, in its order.
        culprit: position of the stage that decided it; None if none did.
        elapsed: seconds from the first start to the last reaped process.
        stragglers: what outlived the commands and the linger, and was ended.
        survivors: what could not be ended: the job's status is then 125.
        trouble: what penstock itself could not do (e.g. rename an output), in words.
        spared: what outlived the commands and the linger, and was left to live, because
            the job allows that.
        peak_bytes: the most memory that all its processes held at once; None where
            nobody looked.
        remark: why it has failed, where its ending does not tell, in words.
        relays: penstock's own processes between the stages, where it takes any.
        edges: what is known of those edges where something was counted, or went wrong.
        kept: what went to `Keep` 1, and to 2.
    """

    job: str
    ending: Ending
    ok: bool
    stages: tuple[StageOutcome, ...] = ()
    culprit: int | None = None
    elapsed: float = 0.0
    stragglers: tuple[Process, ...] = ()
    survivors: tuple[Process, ...] = ()
    trouble: str | None = None
    spared: tuple[Process, ...] = ()
    peak_bytes: int | None = None
    remark: str | None = None
    relays: tuple[StageOutcome, ...] = ()
    edges: tuple[EdgeOutcome, ...] = ()
    kept: tuple[Kept, Kept] = NOTHING_KEPT

    @property
    def status(self) -> int:
        """The exit status that tells this outcome to a shell, 0 to 255."""
        if self.ok:
            return 0
        if self.survivors or self.trouble:
            return TROUBLE
        return shell_status(self.ending) or 1


_SIGKILL = 9
_NOT_FOUND = (_errno.ENOENT, _errno.ENOTDIR)
_SCARCITY = (
    _errno.E2BIG,
    _errno.EAGAIN,
    _errno.EMFILE,
    _errno.ENFILE,
    _errno.ENOMEM,
)


def shell_status(ending: Ending) -> int:
    """The exit status that a shell would show for `ending`, never 0 but for code 0.

    137 ran out of memory: what the kernel kills for that dies by SIGKILL.
    timeout(1): 124 timed out, 126 not executable, 127 not found; 128+n by signal n
    (POSIX shell, 2.8.2); 125 where penstock or the system is to blame.
    """
    match ending:
        case Exited(code):
            return code
        case Signaled(signal, _):
            return SIGNAL_BASE + signal
        case TimedOut() | OutOfMemory():
            timed_out = isinstance(ending, TimedOut)
            return TIMED_OUT if timed_out else SIGNAL_BASE + _SIGKILL
        case NotStarted(errno, _, "command") if errno in _NOT_FOUND:
            return NOT_FOUND
        case NotStarted(errno, _, "command") if errno not in _SCARCITY:
            return NOT_EXECUTABLE
        case Cancelled() | NotStarted() | Lost():
            return TROUBLE

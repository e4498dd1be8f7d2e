"""A job in its simplest life: started, ended by itself, and nothing is left of it.

For a process that is started for each line of a Makefile, and so has imported next to
nothing: `subprocess` alone takes as long as the interpreter. When anything else happens
(a deadline, an order, a child left behind), or the job takes longer than a moment, it
goes over to `run.resume_job`, which knows how everything ends.
"""

from __future__ import annotations

import os
import select
import time

from penstock.proc.pair import GO_ON, STAND_STILL
from penstock.proc.start import Started, start

TYPE_CHECKING = False  # `typing` takes 8 ms
if TYPE_CHECKING:
    from collections.abc import Sequence

A_MOMENT = 1.0  # seconds: after that, what `run` takes to import is lost in the rest

_SIGSTOP = 19


class LeanJob:
    """Commands joined by pipes, each in a session of its own.

    This process must be a child subreaper, and have one thread and no other children.

    Attributes:
        started: the commands that run or ran, in order.
        started_at: on the monotonic clock.
        refusal: why the next one could not be started, if one could not.
    """

    def __init__(self) -> None:
        self.started: list[Started] = []
        self.started_at = time.monotonic()
        self.refusal: OSError | None = None
        self._is_childless = False

    def start(self, commands: Sequence[tuple[str, ...]]) -> None:
        """Start each of `commands`, its output the input of the next one.

        Args:
            commands: argv with the path of the program first.
        """
        # Every descriptor that is inheritable is inherited, as from sh: in a recipe
        # marked with ``+``, make's jobserver is among them.
        reader = -1
        for position, argv in enumerate(commands):
            before, writer = reader, -1
            try:
                if position + 1 < len(commands):
                    from penstock.proc.pipes import open_pipe  # noqa: PLC0415 (if used)

                    reader, writer = open_pipe()
                streams = (max(before, 0), writer if writer >= 0 else 1)
                self.started.append(start(argv[0], argv, streams))
            except OSError as error:
                self.refusal = error
            for descriptor in (before, writer):
                if descriptor >= 0:
                    os.close(descriptor)
            if self.refusal is not None:
                if reader not in (-1, before):
                    os.close(reader)
                return

    def is_wanted(self, lifeline: int) -> bool:
        """Whether nobody has told us to end before anything was started."""
        poll = select.poll()
        poll.register(lifeline, select.POLLIN)
        while poll.poll(0):
            if os.read(lifeline, 1) != bytes((STAND_STILL,)):
                return False
            if os.read(lifeline, 1) != bytes((GO_ON,)):  # as long as it takes
                return False
        return True

    def is_over(self, lifeline: int, timeout: float | None) -> bool:
        """Whether it ended by itself, whole, and left nothing; waits for a moment.

        Args:
            lifeline: readable when somebody above has something to say.
            timeout: seconds after which it would have to be ended.
        """
        if self.refusal is not None:
            return False
        moment = A_MOMENT if timeout is None else min(A_MOMENT, timeout)
        poll = select.poll()
        poll.register(lifeline, select.POLLIN)
        pidfds = [os.pidfd_open(started.pid) for started in self.started]
        try:
            for pidfd in pidfds:
                poll.register(pidfd, select.POLLIN)
            while any(started.status is None for started in self.started):
                left = self.started_at + moment - time.monotonic()
                ready = [number for number, _ in poll.poll(max(0.0, left) * 1000)]
                if lifeline in ready:
                    self._freeze()
                if not ready or lifeline in ready:
                    return False
                self._reap()
                for pidfd in ready:
                    poll.unregister(pidfd)
            self._reap()
        finally:
            for pidfd in pidfds:
                os.close(pidfd)
        return self._is_childless

    def _freeze(self) -> None:
        """Let nothing more be done until TERM has come: `run` is not imported yet.

        After a Ctrl-C make deletes the target first, and then waits for us.
        """
        for started in self.started:
            if started.status is None:  # not reaped, so its group is still its own
                try:  # noqa: SIM105 (`contextlib` takes 3 ms)
                    os.killpg(started.pid, _SIGSTOP)
                except PermissionError:  # of another user: it goes on until then
                    pass

    def _reap(self) -> None:
        """Collect what is dead: commands, and orphans that came to us."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                for started in self.started:
                    if started.pid == pid:
                        started.status = status
        except ChildProcessError:
            self._is_childless = True

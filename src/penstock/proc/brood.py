"""The children of a worker while it runs a job: its commands, and its orphans."""

from __future__ import annotations

import os
from resource import struct_rusage

from penstock.clock import Clock
from penstock.proc.descendants import children_of
from penstock.proc.flow import trouble_of
from penstock.proc.launch import Running
from penstock.proc.reaper import (
    MOST_WATCHED,
    read_status,
    read_usage,
    reap,
    stopped_children,
)
from penstock.proc.signals import TERMINAL_STOPS, continue_group
from penstock.proc.watch import Watch
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.proc.relay import Relay


class Brood:
    """Reaps all that dies below this process, and knows what it was.

    Attributes:
        running: the stages that were started.
        relays: that were started.
        alive: how many of them have not exited.
        is_gone: this process has no child left, and so nothing below it.
        spoiled: why bytes are missing, once a relay has failed.
    """

    def __init__(self, watch: Watch, clock: Clock) -> None:
        self.running: list[Running] = []
        self.relays: list[Relay] = []
        self.alive = 0
        self.is_gone = False
        self.spoiled: str | None = None
        self._is_whole = False  # there are more to come
        self._watch = watch
        self._clock = clock
        self._adopted: dict[int, int] = {}  # pid: pidfd

    @property
    def relaying(self) -> set[int]:
        """The processes of relays that have not exited."""
        return {relay.pid for relay in self.relays if relay.status is None}

    def attend(self) -> None:
        """Wake up for the death of each command, now that all are started."""
        self._is_whole = True
        self.alive = 0  # what died before this was counted too
        for running in self.running:
            if running.status is None:
                self.alive += 1
            if running.pidfd >= 0:
                try:
                    self._watch.listen(running.pidfd, self.collect)
                except OSError:  # epoll_ctl(2): no memory, or too many watches
                    running.close()  # it is noticed a little later

    def collect(self) -> bool:
        """Reap all that is dead; True once this process has no child left."""
        if self.is_gone:
            return True
        try:
            pid, status, usage = reap()
            while pid:
                self._bury(pid, status, usage)
                pid, status, usage = reap()
        except ChildProcessError:
            self.is_gone = self._is_whole
        else:
            if self._is_whole and not self.alive:
                self._adopt()
        return self.is_gone

    def wake(self) -> None:
        """Let whatever TSTP, TTIN or TTOU has stopped go on, for nobody else would.

        The kernel drops these signals in a group that nobody of its session can
        continue (POSIX: orphaned process group). In our session it takes us for one
        who could.
        """
        for pid, number in stopped_children():
            if number in TERMINAL_STOPS:
                continue_group(pid)

    def close(self) -> None:
        """Give back every descriptor."""
        for running in self.running:
            if running.pidfd >= 0:
                running.close()
        for pidfd in self._adopted.values():
            os.close(pidfd)

    def _bury(self, pid: int, status: int, usage: struct_rusage) -> None:
        """Note the end of a command; an adopted orphan is only let go."""
        for running in self.running:
            if running.status is None and running.process.pid == pid:
                self._watch.drop(running.pidfd)
                now = self._clock.now()
                running.end(read_status(status), read_usage(usage), now)
                self.alive -= 1
                return
        for relay in self.relays:
            if relay.status is None and relay.pid == pid:
                relay.end(read_status(status), read_usage(usage), self._clock.now())
                self.spoiled = self.spoiled or trouble_of(relay)
        pidfd = self._adopted.pop(pid, None)
        if pidfd is not None:
            self._watch.drop(pidfd)
            os.close(pidfd)

    def _adopt(self) -> None:
        """Listen to the orphans that came to us, so that their deaths wake us."""
        for pid in children_of(os.getpid()):
            if len(self._adopted) == MOST_WATCHED:
                return  # the others are reaped with these, or a little later
            if pid not in self._adopted:
                try:
                    self._adopted[pid] = os.pidfd_open(pid)
                    self._watch.listen(self._adopted[pid], self.collect)
                except OSError:  # there is no room: it is reaped a little later
                    return

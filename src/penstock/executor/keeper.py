"""The nursery process: small, with one thread; it forks workers and watches them.

It is a child subreaper: when a worker is killed, the commands of that worker come to
it, and it ends them. When the user's process is gone, or says so, it waits until the
workers have cleaned up, and cleans up after them.
"""

from __future__ import annotations

import _socket
import os
import select
import sys
from contextlib import suppress
from errno import EMFILE

from penstock.clock import Clock, MonotonicClock
from penstock.executor import worker
from penstock.executor.message import Refused, send
from penstock.executor.packet import descriptors_in
from penstock.executor.wall import Wall
from penstock.model.outcome import Process
from penstock.proc.descendants import children_of, descendants_of
from penstock.proc.fork import live_by
from penstock.proc.marker import mark_nursery
from penstock.proc.prctl import become_subreaper, set_title
from penstock.proc.reaper import SWEEP_BUDGET, reap, stopped_children, sweep, wait_child
from penstock.proc.signals import (
    SIGCONT,
    hear_of_children,
    session_of,
    signal_child,
    start_clean,
)
from penstock.proc.spawn import pass_on
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NoReturn

    from penstock.make.jobserver import Jobserver

TITLE = "ps-nursery"
_PACKET_BYTES = 16
_PIPE_BYTES = 1 << 16  # all that a pipe holds: no number is cut in two
_QUIT = b"q"
_ISOLATE = b"i"
_ISOLATED = "isolated"
_AGAIN = 0.1  # seconds until a worker is tried to be started once more
_MOMENT = 0.5  # seconds in which that may help
_PATIENCE = SWEEP_BUDGET + 1.0  # seconds: a worker's own sweep ends before


def main(control: int, guardian: int) -> NoReturn:
    """Be the nursery of a program that uses the library; does not return."""
    live_by(lambda: keep(control, guardian))


def keep(
    control: int,
    guardian: int,
    first: int | None = None,
    jobserver: Jobserver | None = None,
) -> None:
    """Serve until the user's process is done, or gone.

    Args:
        control: socket on which workers are asked for.
        guardian: pidfd of the user's process.
        first: socket of a worker to start at once.
        jobserver: whose tokens the user's process takes; if it is killed, we put back
            what it had.

    Raises:
        SystemExit: with 125, if something below could not be ended.
    """
    if os.getpgrp() != os.getpid():
        os.setsid()
    start_clean()
    become_subreaper()
    set_title(TITLE)
    mark_nursery(guardian)
    if jobserver is not None:
        pass_on(jobserver.passed)
    keeper = _Keeper(_socket.socket(fileno=control), guardian, MonotonicClock())
    if first is not None:
        keeper.want_worker(_socket.socket(fileno=first))
    keeper.watch()
    left = keeper.clean_up()
    keeper.close()
    if jobserver is not None:
        jobserver.give_back()
    if left:
        sys.exit(125)


class _Keeper:
    """The workers, and what is listened to."""

    def __init__(self, control: _socket.socket, guardian: int, clock: Clock) -> None:
        self._control = control
        self._guardian = guardian
        self._clock = clock
        self._itself = os.pidfd_open(os.getpid())
        self._workers: set[int] = set()
        self._unborn: list[tuple[_socket.socket, float]] = []  # channels; until when
        self._spared: set[int] = set()  # what workers leave, and we are to leave alone
        self._spared_sessions: set[int] = set()  # of these
        self._spares, self._spares_in = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._spares, False)
        self._reserve: int | None = os.dup(guardian)
        self._wall = Wall()
        self._epoll = select.epoll()
        self._epoll.register(control.fileno(), select.EPOLLIN)
        self._epoll.register(guardian, select.EPOLLIN)
        self._epoll.register(self._spares, select.EPOLLIN)
        self._children = hear_of_children()
        self._epoll.register(self._children, select.EPOLLIN)

    def want_worker(self, channel: _socket.socket) -> None:
        """Start a worker that serves `channel`, as soon as that can be."""
        self._unborn.append((channel, self._clock.now() + _MOMENT))
        self._bear()

    def _start_worker(self, channel: _socket.socket) -> None:
        """Fork a worker that serves `channel`.

        Raises:
            OSError: there is no process to be had, or no descriptor to spare.
        """
        self._keep_reserve()

        def live() -> None:
            self._spend_reserve()
            self._control.close()
            self._epoll.close()
            os.close(self._spares)
            os.close(self._children)
            for unborn, _ in self._unborn:
                if unborn is not channel:
                    unborn.close()
            start_clean()
            worker.serve(channel, (self._itself, self._guardian), self._spares_in)

        pid = self._wall.fork(live)
        self._spend_reserve()
        self._workers.add(pid)

    def _keep_reserve(self) -> None:
        """Have a descriptor to spare: where there is none left, that is known in time.

        One that came along with a message would be lost.

        Raises:
            OSError: there is none left.
        """
        if self._reserve is None:
            self._reserve = os.dup(self._guardian)

    def _spend_reserve(self) -> None:
        """Make room for one descriptor."""
        if self._reserve is not None:
            os.close(self._reserve)
            self._reserve = None

    def watch(self) -> None:
        """Start workers as asked, and sweep after those that die; until the end."""
        while True:
            ready = self._epoll.poll(_AGAIN if self._unborn else None)
            self._bear()
            for descriptor, _ in ready:
                if descriptor == self._guardian:
                    return
                if descriptor == self._children:
                    self._look_at_children()
                elif descriptor == self._spares:
                    self._hear_of_spared()
                elif not self._heed():
                    return

    def _look_at_children(self) -> None:
        """Some have stopped, or ended: workers, or what workers have left to us.

        A worker that stands still would miss every deadline: it is to go on.
        """
        with suppress(BlockingIOError):
            os.read(self._children, _PIPE_BYTES)
        for pid, _ in stopped_children():
            if pid in self._workers:
                signal_child(pid, SIGCONT)
        self._sweep()

    def clean_up(self) -> tuple[Process, ...]:
        """End everything; what could not be ended is returned."""
        for pid in self._workers:
            signal_child(pid, SIGCONT)  # a stopped one would not see that we end
        deadline = self._clock.now() + _PATIENCE
        while self._clock.now() < deadline:
            # Once: who is reaped by a second look would be waited for in vain.
            only_workers = self._collect_orphans()
            if only_workers and not self._workers:
                break
            if only_workers:
                wait_child(deadline - self._clock.now(), self._spared)
            else:
                self._sweep()
        self._workers.clear()  # so that they are swept, too
        return self._sweep()

    def close(self) -> None:
        """Hear nothing more, and of nobody who still asks."""
        self._control.close()
        for channel, _ in self._unborn:
            channel.close()

    def _heed(self) -> bool:
        """Do what the control socket asks for; False if that is to end."""
        self._spend_reserve()
        try:
            packet, ancillary, _, _ = self._control.recvmsg(
                _PACKET_BYTES,
                _socket.CMSG_SPACE(4),  # one descriptor
                _socket.MSG_CMSG_CLOEXEC,
            )
        except ConnectionError:
            return False
        descriptors = descriptors_in(ancillary)
        if packet.startswith(_ISOLATE):
            self._isolate(packet.removeprefix(_ISOLATE).decode())
            return True
        if not descriptors:
            return bool(packet) and packet != _QUIT
        self.want_worker(_socket.socket(fileno=descriptors[0]))
        return True

    def _bear(self) -> None:
        """Start the workers that were asked for, as far as there are processes.

        For a moment who asked need not know: what it sends waits in the channel. After
        that it is told, and can ask again when there is more.
        """
        while self._unborn:
            channel, until = self._unborn[0]
            try:
                self._start_worker(channel)
            except OSError as error:
                if self._clock.now() < until:
                    return
                with suppress(OSError):  # nobody asks any more
                    send(channel, Refused(error.errno or EMFILE))
            channel.close()
            del self._unborn[0]

    def _isolate(self, layer: str) -> None:
        """Put each worker behind a wall from now on; say why not, if not."""
        from penstock.executor.walls import wall  # noqa: PLC0415 (only if asked for)

        self._wall = wall(layer)
        with suppress(OSError):
            self._control.send((self._wall.try_it() or _ISOLATED).encode())

    def _sweep(self) -> tuple[Process, ...]:
        """End all that lives below but workers: what dead workers left."""
        left = sweep(
            collect=self._collect_orphans,
            budget=SWEEP_BUDGET,
            clock=self._clock,
            spare=self._kept,
        )
        self._wall.tidy()
        return left

    def _collect_orphans(self) -> bool:
        """Reap; True once no child but workers is left, and what is spared."""
        if self._collect():
            return True
        children = children_of(os.getpid())
        return set(children) <= self._kept()

    def _kept(self) -> set[int]:
        """What is not to be ended. To be asked after looking who is there.

        A worker says what is to outlive it, and ends after that: so whoever was seen
        here has been spoken of.
        """
        self._hear_of_spared()
        return self._workers | self._spared

    def _hear_of_spared(self) -> None:
        """Note what workers want to outlive them, with all that has come of it since.

        It may have started others, and ended: they are known by their session.
        """
        with suppress(BlockingIOError):
            while told := os.read(self._spares, _PIPE_BYTES):
                for line in told.splitlines():
                    pid, session = map(int, line.split())
                    self._spared.add(pid)
                    self._spared_sessions.add(session)
                self._spared_sessions.discard(0)
        if self._spared or self._spared_sessions:
            self._look_at_spared()

    def _look_at_spared(self) -> None:
        below = [pid for pid, _ in descendants_of([os.getpid()])]
        sessions = {pid: session_of(pid) for pid in below}
        self._spared.update(p for p in below if sessions[p] in self._spared_sessions)
        # Who is gone from below us may have left its number to another.
        self._spared.intersection_update(below)
        self._spared_sessions.intersection_update(sessions.values())
        self._spared.update(pid for pid, _ in descendants_of(list(self._spared)))

    def _collect(self) -> bool:
        """Reap; True once no child is left."""
        try:
            while pid := reap()[0]:
                self._spared.discard(pid)
                self._workers.discard(pid)
                self._wall.bury(pid)
        except ChildProcessError:
            return True
        return False

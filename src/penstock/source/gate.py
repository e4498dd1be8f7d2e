"""Gate: tells once that there is something to read, to whoever waits for much else."""

from __future__ import annotations

import select


class Gate:
    """A descriptor that becomes readable when what was asked for can be read.

    An epoll of its own, for whoever waits for it to put into theirs: each question is
    answered once (EPOLLONESHOT), so that input which nobody wants yet wakes nobody.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._known: set[int] = set()
        self._is_asked = False

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._epoll.fileno()

    def ask(self, descriptor: int) -> None:
        """Wake whoever waits, as soon as `descriptor` can be read."""
        watched = select.EPOLLIN | select.EPOLLONESHOT
        if descriptor in self._known:
            self._epoll.modify(descriptor, watched)
        else:
            self._known.add(descriptor)
            self._epoll.register(descriptor, watched)
        self._is_asked = True

    def take(self) -> bool:
        """Whether something that was asked for has come since; each time once."""
        if not self._is_asked or not self._epoll.poll(0):
            return False
        self._is_asked = False
        return True

    def wait(self) -> None:
        """Wait for it; the default action of a signal ends that."""
        self._epoll.poll()

    def close(self) -> None:
        """Give the descriptor back."""
        self._epoll.close()

"""Descriptors that are watched, and what is done when one is ready."""

from __future__ import annotations

from collections.abc import Callable
from select import EPOLLIN

from penstock.proc.order import Order, Station


class Watch:
    """The descriptors of one job in the epoll of its station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._on_ready: dict[int, Callable[[], object]] = {}

    def listen(self, descriptor: int, action: Callable[[], object]) -> None:
        """Do `action` whenever `descriptor` is readable."""
        self._station.epoll.register(descriptor, EPOLLIN)
        self._on_ready[descriptor] = action

    def forget(self, descriptor: int) -> None:
        """Listen to it no more; it is still open."""
        if self._on_ready.pop(descriptor, None) is not None:
            self._station.epoll.unregister(descriptor)

    def drop(self, descriptor: int) -> None:
        """Listen to it no more; it is being closed, and has no duplicate.

        Such a descriptor leaves the epoll by itself (epoll(7)).
        """
        self._on_ready.pop(descriptor, None)

    def serve(self, patience: float) -> list[Order]:
        """Wait so many seconds at the most; do what is asked for.

        Returns:
            What those above have ordered.
        """
        orders = []
        for descriptor, _ in self._station.epoll.poll(patience):
            action = self._on_ready.get(descriptor)
            if action is not None:
                action()
            elif (order := self._station.order(descriptor)) is not None:
                orders.append(order)
        return orders

    def close(self) -> None:
        """Leave the station as it was."""
        for descriptor in list(self._on_ready):
            self.forget(descriptor)

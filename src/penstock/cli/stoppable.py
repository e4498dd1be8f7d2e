"""A source that may compute for long, and is over once penstock is told to stop."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from penstock.proc.signals import ToldToStopError, unless_told_to_stop

Item = TypeVar("Item")
Given_co = TypeVar("Given_co", covariant=True)


class Source(Protocol[Given_co]):
    """What gives one thing after the other."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        ...

    def next(self) -> Given_co | None:
        """The next one; None if there is none now, or none any more."""
        ...


class Stoppable(Generic[Item]):
    """Gives what another source gives, until a signal asks penstock to stop.

    Args:
        source: looks for the next thing with a regular expression of the user, say.
    """

    def __init__(self, source: Source[Item]) -> None:
        self._source = source
        self._is_told = False

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._is_told or self._source.is_over

    def next(self) -> Item | None:
        """The next one; None if there is none now, or none any more."""
        try:
            return unless_told_to_stop(self._source.next)
        except ToldToStopError:  # whoever waits for signals will hear of it
            self._is_told = True
            return None

"""Families: whose members are made one at a time, and which end with their last one."""

from __future__ import annotations

from collections.abc import Iterator

from penstock.model.job import Family, Job


class _Open:
    """A family whose members have begun to run.

    Attributes:
        members: those that were not made yet; None once there are no more.
        out: how many were made and are not over.
        is_empty: none was made, ever.
    """

    __slots__ = ("is_empty", "members", "out")

    def __init__(self, members: Iterator[Job]) -> None:
        self.members: Iterator[Job] | None = members
        self.out = 0
        self.is_empty = True


class Families:
    """The families that are open: at most one member of each waits to be started."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def __contains__(self, name: str) -> bool:
        return name in self._open

    def open(self, family: Family) -> None:
        """Let its members be made from now on."""
        self._open[family.name] = _Open(family.members())

    def pull(self, name: str) -> Job | None:
        """Make the next member; None if there are no more.

        Raises:
            DefinitionError: it cannot be made.
        """
        family = self._open[name]
        if family.members is None:
            return None
        member = next(family.members, None)
        if member is None:
            family.members = None
        else:
            family.out += 1
            family.is_empty = False
        return member

    def is_empty(self, name: str) -> bool:
        """Whether no member of it was made, up to now."""
        return self._open[name].is_empty

    def leave(self, name: str) -> None:
        """A member is over."""
        self._open[name].out -= 1

    def cut(self, name: str) -> None:
        """Make no more members."""
        self._open[name].members = None

    def close_if_over(self, name: str) -> bool:
        """Whether the last member is over; the family is then forgotten."""
        family = self._open[name]
        if family.members is None and not family.out:
            del self._open[name]
            return True
        return False

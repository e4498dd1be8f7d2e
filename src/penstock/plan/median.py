"""Median: of any number of durations, in memory that does not grow with them."""

from __future__ import annotations

from math import log

_LEAST = 1e-4  # seconds; what is shorter counts as that
_MOST = 1e8
_WIDTH = 0.01  # of a drawer: its ends differ by a hundredth
_DRAWERS = int(log(_MOST / _LEAST) / _WIDTH) + 1


class Median:
    """The median of all durations so far; of an even number, the lower of two.

    They are put into drawers by their logarithm, and those of one drawer count as their
    mean: so the median of few is exact, and that of many to one part in a hundred.

    Attributes:
        count: how many there are.
    """

    def __init__(self) -> None:
        self.count = 0
        self._counts = [0] * _DRAWERS
        self._sums = [0.0] * _DRAWERS
        self._at = 0  # the drawer that the median is in
        self._below = 0  # how many lie in the drawers before that

    def add(self, seconds: float) -> None:
        """Take in another one."""
        drawer = _drawer(seconds)
        self._counts[drawer] += 1
        self._sums[drawer] += seconds
        self.count += 1
        self._below += drawer < self._at
        rank = (self.count - 1) // 2  # from 0
        while self._below > rank:
            self._at -= 1
            self._below -= self._counts[self._at]
        while self._below + self._counts[self._at] <= rank:
            self._below += self._counts[self._at]
            self._at += 1

    @property
    def seconds(self) -> float:
        """The median; 0 while there is none."""
        count = self._counts[self._at]
        return self._sums[self._at] / count if count else 0.0


def _drawer(seconds: float) -> int:
    least = max(seconds, _LEAST)
    return min(int(log(least / _LEAST) / _WIDTH), _DRAWERS - 1)

"""Width: how many jobs are alive at once while there is too little of something.

Each job that cannot be started makes it one less, down to those that run and to 1; each
round of jobs that end makes it one more, and the next round has to be twice as long if
that was too early. What waits is tried again when a job has ended, or after a pause
that gets longer. Pure: whoever asks tells the time, in seconds on any one clock.
"""

from __future__ import annotations

PATIENCE = 10.0
"""Seconds for which a job is tried again while nothing else runs."""

_SHORTEST, _LONGEST = 0.1, 5.0  # seconds of a pause
_SETTLED = 1.0  # seconds after which a shortage is worth a word
_MOST_CAUTIOUS = 64


class Width:
    """Decides how many jobs may be alive at once.

    Attributes:
        fewer: how many jobs fewer than there are slots.
        retry_at: when what waits is to be tried again, whatever happens until then.
        is_short: something was lacking, and no job has ended since.
    """

    def __init__(self) -> None:
        self.fewer = 0
        self.retry_at = 0.0
        self.is_short = False
        self._pause = _SHORTEST
        self._alone_since: float | None = None
        self._ends = 0  # since the width was changed
        self._caution = 1
        self._has_grown = False
        self._untold: tuple[int, float] | None = None  # errno, and when to tell
        self._told: set[int] = set()

    def of(self, slots: int) -> int:
        """How many jobs may be alive at once, of so many slots."""
        return max(1, slots - self.fewer)

    def lack(self, errno: int, slots: int, alive: int, now: float) -> bool:
        """A job could not be started; whether it is to be tried again.

        Args:
            errno: says what there is too little of.
            slots: how many jobs might be alive at once otherwise.
            alive: how many others are, and will end; the next may have what they have.
            now: the time.
        """
        if self.of(slots) > max(1, alive):
            self.fewer += 1
        if self._has_grown:
            self._has_grown = False
            self._caution = min(2 * self._caution, _MOST_CAUTIOUS)
        self._ends = 0
        self.is_short = True
        self.retry_at = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST)
        if self._untold is None and errno not in self._told:
            self._untold = (errno, now + _SETTLED)
        if alive:
            return True
        if self._alone_since is None:
            self._alone_since = now
        return now - self._alone_since < PATIENCE

    def end(self, slots: int) -> None:
        """A job has ended that was started, so there was enough for it."""
        self.is_short = False
        self._alone_since = None
        self._pause = _SHORTEST
        if not self.fewer:
            return
        self._ends += 1
        if self._ends >= self.of(slots) * self._caution:
            self.fewer = max(0, min(self.fewer, slots - 1) - 1)
            self._ends = 0
            self._has_grown = True
            if not self.fewer:
                self._untold = None

    def try_now(self, now: float) -> None:
        """A job is tried again, which takes a while if it is in vain."""
        self.retry_at = now + max(self._pause, _SETTLED)

    @property
    def tell_at(self) -> float | None:
        """When `tell` has something to say; None if nothing is to be told."""
        return self._untold[1] if self._untold else None

    def tell(self, slots: int, now: float) -> int | None:
        """What is to be told now, by its errno: each once, and no blip."""
        if self._untold is None or now < self._untold[1]:
            return None
        errno = self._untold[0]
        self._untold = None
        if self.of(slots) == slots:
            return None
        self._told.add(errno)
        return errno

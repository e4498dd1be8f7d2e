"""Batches that may take long to find, and are over once penstock is told to stop."""

from __future__ import annotations

from penstock.cli.map_jobs import BatchSource
from penstock.proc.signals import ToldToStopError, unless_told_to_stop
from penstock.source.batch import Batch
from penstock.source.records import Outlook


class Stoppable:
    """Gives what another source gives, until a signal asks penstock to stop.

    Args:
        batches: their values are cut by a regular expression of the user, say.
    """

    def __init__(self, batches: BatchSource) -> None:
        self._batches = batches
        self._is_told = False

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more."""
        return self._is_told or self._batches.is_over

    @property
    def outlook(self) -> Outlook:
        """How many are still to come, as far as that is known."""
        return Outlook(0, is_all=True) if self._is_told else self._batches.outlook

    def next(self) -> Batch | None:
        """The next one; None if there is none now, or none any more."""
        try:
            return unless_told_to_stop(self._batches.next)
        except ToldToStopError:  # whoever waits for signals will hear of it
            self._is_told = True
            return None

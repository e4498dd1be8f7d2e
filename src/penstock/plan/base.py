"""Plan: who decides what is done next in a run. The seam of the engine to decisions.

The scheduler of definition files keeps this contract, and so does whatever else wants
to decide, with another source of jobs. A plan is pure: the order of what it is told is
all that it knows; for time it sets alarms.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from penstock.model.action import Action
from penstock.model.event import AlarmRang, Event


class Plan(Protocol):
    """Decides: events in, actions out."""

    @property
    def is_done(self) -> bool:
        """Whether every job has ended or was skipped."""
        ...

    def handle(self, event: Event | AlarmRang) -> Iterable[Action]:
        """Take note of `event`, and say what is to be done about it, in that order."""
        ...

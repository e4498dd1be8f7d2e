"""Plan: who decides what is done next in a run. The seam of the engine to decisions.

The scheduler of definition files keeps this contract, and so does whatever else wants
to decide, with another source of jobs. A plan is pure: the order of what it is told is
all that it knows; for time it sets alarms.
"""

from __future__ import annotations

from collections.abc import Iterable

from penstock.model.action import Action
from penstock.model.event import News
from penstock.typed import Protocol


class Plan(Protocol):
    """Decides: news in, actions out.

    For each job that it starts, it says once that the job ended (`EndJob`); a job that
    it does not start is skipped (`SkipJob`), or never heard of.
    """

    @property
    def is_done(self) -> bool:
        """Whether every job has ended or was skipped."""
        ...

    def handle(self, news: News) -> Iterable[Action]:
        """Take note of `news`, and say what is to be done about it, in that order."""
        ...

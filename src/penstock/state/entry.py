"""Entries: what is remembered of a job from one run to the next."""

from __future__ import annotations

from penstock.plan.fingerprint import Fingerprint
from penstock.state.outputs import Signs
from penstock.typed import NamedTuple


class Key(NamedTuple):
    """A job: where it is defined, and its name."""

    definition: str
    job: str


class Success(NamedTuple):
    """A job succeeded.

    Attributes:
        run: in which run.
        at: when it was over, in seconds since 1970.
        fingerprint: with which it was run.
        outputs: how they stood then (`outputs.signs_of`).
    """

    run: str
    at: float
    fingerprint: Fingerprint
    outputs: Signs


class Attempt(NamedTuple):
    """A job was started, and has not succeeded.

    Attributes:
        run: in which run.
        at: when it was started, in seconds since 1970.
        ending: in words; "" if nobody saw one.
        outputs: how they stood before it (`outputs.signs_before`); empty once what it
            made is discarded.
    """

    run: str
    at: float
    ending: str
    outputs: Signs

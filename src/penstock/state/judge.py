"""Judge: whether a job is up to date, and if not, why."""

from __future__ import annotations

from collections.abc import Callable

from penstock.clock import Clock
from penstock.model.job import Job, Pipeline
from penstock.plan.fingerprint import Fingerprint, describe, differences
from penstock.state.contents import Contents
from penstock.state.entry import Attempt, Key, Success
from penstock.state.inputs import Inputs, contents_of, glance, named_inputs
from penstock.state.outputs import Signs, signs_of
from penstock.state.stop import Stop
from penstock.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from penstock.state.store import Store


class Verdict(NamedTuple):
    """What there is to say of a job that is remembered.

    Attributes:
        reasons: why it is to be run, each in a few words; none: it is up to date.
        success: the last one.
    """

    reasons: tuple[str, ...]
    success: Success | None


class Judge:
    """Judges the jobs of a pipeline.

    Args:
        pipeline: what it makes is what its jobs need.
        definition: where it is defined, as it is remembered.
        store: opens what is remembered; asked when there is a job with outputs.
        clock: for `Contents`.
        stop: ends the reading of inputs; None: nothing does.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        definition: str,
        store: Callable[[], Store],
        clock: Clock,
        stop: Stop | None = None,
    ) -> None:
        self._stop = stop
        self._definition = definition
        self._store = store
        self._clock = clock
        self._inputs = Inputs(pipeline)
        self._contents: Contents | None = None

    def fingerprint(self, job: Job) -> Fingerprint:
        """The fingerprint; with what is in the inputs, if the job is remembered.

        Raises:
            Stopped: the run is to stop.
        """
        if is_watched(job):
            if self._contents is None:
                self._contents = Contents(self._store(), self._clock, self._stop)
            contents = contents_of(self._inputs.of(job), self._contents.of)
        else:
            contents = contents_of(tuple(named_inputs(job)), glance)
        return describe(job, contents)

    def judge(self, job: Job, now: Fingerprint) -> Verdict:
        """Whether a job with outputs is up to date; `now` is its fingerprint."""
        key = Key(self._definition, job.name)
        success, attempt = self._store().success(key), self._store().attempt(key)
        signs = signs_of(success.outputs) if success else {}
        return Verdict(reasons(now, success, attempt, signs), success)


def is_watched(job: Job) -> bool:
    """Whether it is remembered if `job` is up to date: it says what it makes."""
    return bool(job.policy.outputs) and job.policy.service is None


def reasons(
    now: Fingerprint, success: Success | None, attempt: Attempt | None, signs: Signs
) -> tuple[str, ...]:
    """Why a job is to be run, each reason in a few words; none: it is up to date.

    Args:
        now: its fingerprint.
        success: the last one.
        attempt: the last one, if that was no success.
        signs: how the outputs of the last success stand now.
    """
    told: list[str] = []
    if attempt is not None:
        told.append(f"its last run {attempt.ending or 'was cut short'}")
    if success is None:
        return (*told, "it has never succeeded") if told else ("never run",)
    told.extend(differences(success.fingerprint, now))
    for path, sign in success.outputs.items():
        if signs.get(path) is None:
            told.append(f"output {path} is missing")
        elif signs[path] != sign:
            told.append(f"output {path} was changed by something else")
    return tuple(told)

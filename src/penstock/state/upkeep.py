"""Upkeep: passes over what need not be run, and remembers what has succeeded.

It stands before another `Dispatch`. For each job in turn:

    before   its fingerprint is taken. Is it up to date, or kept from the run that is
             resumed? Then it is passed over. Else, if it makes something, how its
             outputs stand is written down, and it is started.
    after    it succeeded, and made all that it was to make? Then that is written down.
             Else what it made or changed is removed.

What was written down before a start, and not taken back, tells the next run what a
crash has left half made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.errors import UsageError
from penstock.model.action import PassJob
from penstock.model.job import Job, Pipeline
from penstock.model.outcome import Cancelled, Lost, Outcome, TimedOut
from penstock.plan.fingerprint import Fingerprint
from penstock.state.entry import Attempt, Key, Success
from penstock.state.idle import Idle
from penstock.state.inputs import named_inputs
from penstock.state.judge import Judge, is_watched
from penstock.state.memory import Memory
from penstock.state.outputs import (
    Signs,
    describe_missing,
    discard,
    outputs_of,
    real,
    signs_before,
    signs_of,
    written_by,
)
from penstock.state.stop import Stopped
from penstock.state.successes import Successes
from penstock.typed import NamedTuple, Protocol

UP_TO_DATE = "up to date"


class Inner(Protocol):
    """The `Dispatch` behind."""

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        """The job as it is to be submitted, and the descriptors to hand along."""
        ...

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """How the job ended."""
        ...


class _Try(NamedTuple):
    """A job that runs.

    Attributes:
        job: as it was before anybody changed it.
        fingerprint: before the start.
        digest: see `Done`.
        before: how its outputs stood; None if nothing is to be remembered of it.
    """

    job: Job
    fingerprint: Fingerprint
    digest: str
    before: Signs | None


class Upkeep:
    """A `Dispatch` that knows what has been done already.

    Args:
        inner: what else is done for each job.
        pipeline: that is to be run.
        memory: of this run; closed along with this.
    """

    def __init__(self, inner: Inner, pipeline: Pipeline, memory: Memory) -> None:
        self._inner = inner
        self._memory = memory
        site, clock = memory.site, memory.clock
        self._judge = Judge(
            pipeline, site.definition, lambda: memory.store, clock, site.stop
        )
        self._successes = Successes(pipeline, memory)
        self._idle = Idle(pipeline, self._is_done)
        self._apart = {job.name for job in around(pipeline)}
        self._tries: dict[str, _Try] = {}
        self._lost: list[Signs] = []
        self._opened: set[str] = set()
        self._makers: dict[str, tuple[str, str]] = {}
        self._is_swept = False

    def open(self, jobs: Iterable[Job]) -> None:
        """Claim what `jobs` write, and remove what a dead run left half made.

        Raises:
            PenstockError: another run makes one of them.
            UsageError: two jobs make the same file.
        """
        made: list[str] = []
        watched = False
        for job in jobs:
            watched = watched or is_watched(job)
            for path in written_by(job):
                self._opened.add(job.name)
                made.append(real(path))
                first = self._makers.setdefault(made[-1], (job.name, path))
                if first[0] != job.name:
                    raise UsageError(
                        f"jobs {first[0]} and {job.name} make the same file: "
                        f"{first[1]} is {path}\nhint: give one of them another name"
                    )
        if made:
            self._memory.claim(made)
        if watched and not self._is_swept:
            self._is_swept = True
            self._discard_leftovers()

    def before(self, job: Job) -> tuple[Job, Sequence[int]] | PassJob:
        """The job as it is to be submitted, or why it need not be run."""
        if job.name in self._apart or job.name.startswith("-"):  # serves the run
            return self._hand_on(job)
        try:
            if job.policy.service is not None and self._idle.includes(job):
                return PassJob(job, "all that needs it is done")
            fingerprint = self._judge.fingerprint(job)
        except Stopped:  # the plan hears of it next, and starts nothing more
            return PassJob(job, "interrupted before it was known if it is up to date")
        digest = self._successes.digest(job, fingerprint)
        because = self._because(job, fingerprint, digest)
        if because is not None:
            self._successes.keep(job, digest)
            return PassJob(job, because)
        if job.name not in self._opened:  # made late
            self.open((job,))
        self._successes.revoke(job)
        before = self._begin(job) if is_watched(job) else None
        self._tries[job.name] = _Try(job, fingerprint, digest, before)
        return self._hand_on(job)

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """How the job ended: not well, if it did not make what it was to make."""
        outcome = self._inner.after(job, outcome)
        tried = self._tries.pop(job.name, None)
        if tried is None:
            return outcome
        if tried.before is not None:
            outcome = self._settle(tried, tried.before, outcome)
        if outcome.ok:
            self._successes.add(job, tried.digest)
        return outcome

    def close(self) -> None:
        """Remove what was left half made; to be called when nothing is alive."""
        for tried in self._tries.values():
            if tried.before is not None:
                discard(tried.before)
                self._note_failure(tried, "was cut short")
        for before in self._lost:  # again, for it may have lived on for a moment
            discard(before)
        self._memory.close()

    def _hand_on(self, job: Job) -> tuple[Job, Sequence[int]]:
        """The job as it is to be submitted; the lock lasts as long as it does."""
        ready, descriptors = self._inner.before(job)
        if job.name in self._opened:
            descriptors = (*descriptors, *self._memory.descriptors)
        return ready, descriptors

    def _is_done(self, job: Job) -> bool:
        fingerprint = self._judge.fingerprint(job)
        digest = self._successes.digest(job, fingerprint)
        return self._because(job, fingerprint, digest) is not None

    def _because(self, job: Job, fingerprint: Fingerprint, digest: str) -> str | None:
        """Why the job need not be run; None if it must."""
        if job.policy.service is not None or self._memory.site.fresh:
            return None
        past = self._memory.past
        run = self._successes.run_of(job, digest)
        if not is_watched(job):
            is_whole = None not in signs_of(outputs_of(job)).values()
            return f"it succeeded in {run}" if run and is_whole else None
        if past is not None and past.header.fresh and run is None:
            return None
        verdict = self._judge.judge(job, fingerprint)
        return None if verdict.reasons else UP_TO_DATE

    def _begin(self, job: Job) -> Signs:
        """Write down that it is started, and how its outputs stand."""
        read = {real(path) for path in named_inputs(job)}  # a pattern may find outputs
        before = signs_before(p for p in outputs_of(job) if real(p) not in read)
        site, now = self._memory.site, self._memory.clock.wall()
        key = Key(site.definition, job.name)
        self._memory.store.begin(key, Attempt(site.run, now, "", before))
        return before

    def _settle(self, tried: _Try, before: Signs, outcome: Outcome) -> Outcome:
        """Write down a success; remove what a failure has left."""
        signs = signs_of(outputs_of(tried.job))
        missing = tuple(path for path, sign in signs.items() if sign is None)
        if outcome.ok and missing:
            remark = describe_missing(tried.job, missing)
            outcome = outcome._replace(ok=False, remark=remark)
        if not outcome.ok:
            discard(before)
            if isinstance(outcome.ending, Lost) or outcome.survivors:
                self._lost.append(before)
            self._note_failure(tried, _how(outcome))
            return outcome
        site, now = self._memory.site, self._memory.clock.wall()
        key = Key(site.definition, tried.job.name)
        success = Success(site.run, now, tried.fingerprint, signs)
        self._memory.store.succeed(key, success)
        return outcome

    def _note_failure(self, tried: _Try, how: str) -> None:
        site, now = self._memory.site, self._memory.clock.wall()
        key = Key(site.definition, tried.job.name)
        self._memory.store.begin(key, Attempt(site.run, now, how, {}))

    def _discard_leftovers(self) -> None:
        """Remove what runs that are dead have left half made."""
        for key, attempt in self._memory.store.unsettled():
            if self._memory.is_free(attempt.run, attempt.outputs):
                discard(attempt.outputs)
                settled = attempt._replace(ending="was cut short", outputs={})
                self._memory.store.begin(key, settled)


def around(pipeline: Pipeline) -> list[Job]:
    """The jobs that serve the run as a whole, and are part of each run."""
    around = (
        pipeline.setup,
        pipeline.teardown,
        pipeline.on_success,
        pipeline.on_failure,
        pipeline.always,
    )
    return [job for job in around if job is not None]


def _how(outcome: Outcome) -> str:
    """How a try ended that was no success, after "its last run"."""
    if isinstance(outcome.ending, Cancelled):
        return "was cancelled"
    if isinstance(outcome.ending, TimedOut):
        return "timed out"
    return "was lost" if isinstance(outcome.ending, Lost) else "failed"

"""Services: jobs that run while others need them.

A service is in one phase at a time, and moves only downwards:

    starting  runs, and is asked again and again whether it is ready
    ready     those that need it may run
    late      was not ready in time, and is being ended
    unasked   nobody can ever ask whether it is ready, and it is being ended
    unready   as stopping, but it was never ready
    stopping  nobody needs it any more, and it is being ended

Since a service also counts among those that need another, the one that was started
last is stopped first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from penstock.model.action import Action, CancelJob, SetAlarm, StartErrand
from penstock.model.job import Job
from penstock.model.outcome import (
    NOT_EXECUTABLE,
    NOT_FOUND,
    Cancelled,
    Ending,
    Exited,
    NotStarted,
    Outcome,
    Signaled,
    TimedOut,
    shell_status,
)
from penstock.model.policy import Service
from penstock.plan.errand import doubt_of, errand_for, errand_name
from penstock.typed import Literal

FIRST_PAUSE = 0.05  # seconds, between two questions; then twice as long each time
LONGEST_PAUSE = 1.0

_Phase = Literal["starting", "ready", "late", "unasked", "unready", "stopping"]


def as_service(job: Job) -> Job:
    """`job` so that it is over only when nothing of it lives.

    Whoever makes a daemon of itself leaves a leader that exits, and a child.
    """
    return job._replace(limits=job.limits._replace(linger=math.inf))


class Services:
    """What becomes of the services of a run.

    Args:
        users: for each service, how many jobs and families need it directly.
    """

    def __init__(self, users: Mapping[str, int]) -> None:
        self._users = dict(users)
        self._alive: dict[str, Job] = {}
        self._phase: dict[str, _Phase] = {}
        self._pause: dict[str, float] = {}
        self._asked: dict[str, str] = {}  # by name of the errand that is under way
        self._doubts: dict[str, str | None] = {}  # why the last answer was none

    def __contains__(self, name: str) -> bool:
        return name in self._users

    @property
    def questions(self) -> tuple[str, ...]:
        """The names of the errands that are under way."""
        return tuple(self._asked)

    def asker(self, errand: str) -> str | None:
        """The service on whose behalf an errand is; None if it is no such errand."""
        return self._asked.get(errand)

    def start(self, job: Job) -> Iterator[Action]:
        """It was started: ask whether it is ready, if there is somebody to ask."""
        service = _service_of(job)
        self._alive[job.name], self._phase[job.name] = job, "starting"
        self._pause[job.name], self._doubts[job.name] = FIRST_PAUSE, None
        if service.ready is not None:
            yield SetAlarm(f"within {job.name}", service.within)
            yield from self.ask(job.name)

    def ask(self, name: str) -> Iterator[Action]:
        """Ask whether it is ready, if that is still of interest."""
        errand = errand_name("ready", name)
        if self._phase.get(name) != "starting" or errand in self._asked:
            return
        ready = _service_of(self._alive[name]).ready
        if ready is not None:
            self._asked[errand] = name
            yield StartErrand(errand_for("ready", ready, self._alive[name]))

    def answer(self, errand: str, answer: Outcome) -> Iterator[Action]:
        """The answer has come; ask again later if it was no, and may change."""
        name = self._asked.pop(errand)
        if self._phase.get(name) != "starting" or answer.ok:
            return
        self._doubts[name] = doubt_of(answer)
        if _is_final(_service_of(self._alive[name]), answer):
            self._phase[name] = "unasked"
            yield from self._end(name, "it can never be ready")
        else:
            yield SetAlarm(f"ready {name}", self._pause[name])
            self._pause[name] = min(2 * self._pause[name], LONGEST_PAUSE)

    def become_ready(self, name: str) -> bool:
        """Whether those that need it may run from now on."""
        if self._phase.get(name) != "starting":
            return False
        self._phase[name] = "ready"
        return True

    def give_up(self, name: str) -> Iterator[Action]:
        """Its time to become ready is over."""
        if self._phase.get(name) == "starting":
            self._phase[name] = "late"
            yield from self._end(name, "it was not ready in time")

    def release(self, needs: Iterable[str]) -> Iterator[Action]:
        """One that needs these is over, or will never be started."""
        for name in dict.fromkeys(needs):
            if name in self._users:
                self._users[name] -= 1
                yield from self.stop_if_idle(name)

    def stop_idle(self) -> Iterator[Action]:
        """Stop whichever run and are needed by nobody."""
        for name in list(self._phase):
            yield from self.stop_if_idle(name)

    def stop_if_idle(self, name: str) -> Iterator[Action]:
        """Stop it, if it runs and nobody needs it."""
        phase = self._phase.get(name)
        if not self._users[name] and phase in {"starting", "ready"}:
            self._phase[name] = _told_to_end(phase)
            yield from self._end(name, "no job needs it any more")

    def expect_end(self) -> None:
        """All jobs are told to end at once, and services with them."""
        self._phase = {name: _told_to_end(p) for name, p in self._phase.items()}

    def judge(self, name: str, outcome: Outcome) -> tuple[Outcome, bool]:
        """What the end of a service amounts to, and whether it had been ready."""
        job, phase = self._alive[name], self._phase[name]
        doubt = self._doubts[name]
        unasked = f"its `ready` could not be asked: {doubt}"
        unhurt = not outcome.survivors and outcome.trouble is None
        match phase:
            case "stopping":  # that it does not end well then is no news
                return outcome._replace(ok=unhurt, stragglers=()), True
            case "late":
                outcome = _late(outcome, _service_of(job).within)
                told = outcome._replace(remark=unasked) if doubt else outcome
                return told, False
            case "unasked":  # its commands are not to blame
                return outcome._replace(ok=False, culprit=None, remark=unasked), False
            case "unready" if isinstance(outcome.ending, Cancelled):
                return outcome._replace(stragglers=()), False
            case "starting" | "unready":
                remark = "this service ended before it was ready"
                return outcome._replace(ok=False, remark=remark), False
            case "ready":
                remark = "this service ended while jobs needed it"
                return outcome._replace(ok=False, remark=remark), True

    def forget(self, name: str) -> Iterator[Action]:
        """It is over, or was passed over: whoever is asked about it need not answer."""
        self._alive.pop(name, None)
        self._phase.pop(name, None)
        self._doubts.pop(name, None)
        yield from self._unask(name)

    def _unask(self, name: str) -> Iterator[Action]:
        errand = errand_name("ready", name)
        if errand in self._asked:
            yield CancelJob(errand, "the service has ended")

    def _end(self, name: str, cause: str) -> Iterator[Action]:
        yield from self._unask(name)
        yield CancelJob(name, cause)


def _service_of(job: Job) -> Service:
    return job.policy.service or Service()


def _told_to_end(phase: _Phase) -> _Phase:
    """The phase after `phase`, now that it is to end like everything else."""
    match phase:
        case "ready":
            return "stopping"
        case "starting":
            return "unready"
        case _:
            return phase


def _is_final(service: Service, answer: Outcome) -> bool:
    """Whether to ask again is in vain: a service may make a file, but not change PATH.

    What is wrong with a name in PATH is the same at every look.
    """
    if service.ready is None or "/" in service.ready.argv[0]:
        return False
    ending = answer.ending
    return isinstance(ending, NotStarted) and shell_status(ending) in (
        NOT_EXECUTABLE,
        NOT_FOUND,
    )


def _late(outcome: Outcome, within: float) -> Outcome:
    """A service that was ended since it was not ready: its time was over."""

    def late(ending: Ending) -> Ending:
        match ending:
            case Cancelled(_, status, escalated):
                return TimedOut(within, "ready", status, escalated)
            case Exited() | Signaled():
                return TimedOut(within, "ready", ending, escalated=False)
            case _:
                return ending

    stages = tuple(
        stage._replace(ending=late(stage.ending))
        if isinstance(stage.ending, Cancelled)
        else stage
        for stage in outcome.stages
    )
    return outcome._replace(ending=late(outcome.ending), ok=False, stages=stages)

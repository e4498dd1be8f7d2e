"""What `run` does next to each job: its logs, its outputs, its turn on stdout."""

from __future__ import annotations

import os
from collections.abc import Sequence

from penstock.cli.outputs import Outputs
from penstock.model.job import Job, Stage
from penstock.model.outcome import Outcome
from penstock.model.stream import Handed, Inherit, Log, Output
from penstock.state.partial import name_partial

_STDOUT = 1


class Workspace:
    """A `Dispatch` that gives each job its place in the run's directory.

    Args:
        run: name of the run; keeps unfinished outputs of two runs apart.
        directory: of the run; None if it could not be made, and nothing is kept.
        outputs: take what jobs write to stdout.
    """

    def __init__(self, run: str, directory: str | None, outputs: Outputs) -> None:
        self._run = run
        self._named = 0
        self._directory = directory
        self._outputs = outputs
        self._attempts: dict[str, int] = {}  # of jobs that may have several

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        """The job with its logs named, and its stdout where it is to go."""
        if job.policy.retry.times:
            self._attempts[job.name] = self._attempts.get(job.name, 0) + 1
        stages = tuple(
            self._settle(job, position, stage)
            for position, stage in enumerate(job.stages)
        )
        job = job._replace(stages=stages)
        if all(stage.stdout != Inherit(_STDOUT) for stage in stages):
            return job, ()
        descriptor = self._outputs.open(job)
        if descriptor is None:
            return job, ()
        return job._replace(stages=tuple(map(_hand, stages))), (descriptor,)

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        """The outcome as it is, once what the job has written is printed.

        Raises:
            StdoutClosed: nobody reads it any more.
            PenstockError: it cannot be written.
        """
        return self._outputs.end(job, outcome)

    def _settle(self, job: Job, position: int, stage: Stage) -> Stage:
        """The stage with a log of its own, and an output apart from other runs'."""
        if isinstance(stage.stderr, Log) and self._directory is not None:
            attempt = self._attempts.get(job.name, 1)
            tried = f".attempt-{attempt}" if attempt > 1 else ""
            name = f"{job.name}.{position + 1}{tried}.stderr"
            path = os.path.join(self._directory, name)
            stage = stage._replace(stderr=stage.stderr._replace(path=path))
        if isinstance(stage.stdout, Output):
            self._named += 1  # two names may be cut to the same
            partial = name_partial(stage.stdout.partial, self._run, self._named)
            stage = stage._replace(stdout=stage.stdout._replace(partial=partial))
        return stage


def _hand(stage: Stage) -> Stage:
    """The stage, printing to the descriptor that is handed along."""
    if stage.stdout != Inherit(_STDOUT):
        return stage
    return stage._replace(stdout=Handed(0))

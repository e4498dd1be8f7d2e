"""Idle: services that nobody will need in this run, for all is done already."""

from __future__ import annotations

from collections.abc import Callable

from penstock.model.job import Family, Job, Pipeline


class Idle:
    """Who needs which service of a pipeline.

    Args:
        pipeline: with the services.
        is_done: whether a job, alone, will be passed over.
    """

    def __init__(self, pipeline: Pipeline, is_done: Callable[[Job], bool]) -> None:
        self._is_done = is_done
        self._jobs = {job.name: job for job in pipeline.jobs}
        self._users: dict[str, list[str]] = {}
        units: tuple[Job | Family, ...] = (*pipeline.jobs, *pipeline.families)
        for unit in units:
            for need in unit.needs:
                self._users.setdefault(need, []).append(unit.name)

    def includes(self, service: Job) -> bool:
        """Whether all that needs `service` is done, and nothing can change that.

        What is needed by those that are done is run before them, and may change what
        they read: so it must be done, too. A family never is: its members are not
        looked at, nor is what needs it, for what they make is not known before.
        """
        waiting, seen = [service.name], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            job = self._jobs.get(name)
            if job is None:
                return False
            if job.policy.service is not None:
                users = self._users.get(name)
                if users is None:  # it is wanted for its own sake
                    return False
                waiting += users
            elif self._needs_family(job) or not self._is_done(job):
                return False
            else:
                waiting += (n for n in job.needs if not self._is_service(n))
        return True

    def _needs_family(self, job: Job) -> bool:
        return any(need not in self._jobs for need in job.needs)

    def _is_service(self, name: str) -> bool:
        job = self._jobs.get(name)
        return job is not None and job.policy.service is not None

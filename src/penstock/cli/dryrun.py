"""``penstock run --dry-run``: what would be run and why, in order, for a shell."""

from __future__ import annotations

import os
from contextlib import closing

from penstock.cli.printing import say
from penstock.cli.streams import warn
from penstock.clock import MonotonicClock
from penstock.model.job import Job, Pipeline
from penstock.report.shell import shell_script


def print_dry_run(pipeline: Pipeline, *, fresh: bool) -> int:
    """Print it; 0.

    Args:
        pipeline: what would be run.
        fresh: also what is up to date.
    """
    # What is remembered of earlier runs is loaded for a dry run only.
    from penstock.cli.upkeep import HOME, name_definition  # noqa: PLC0415
    from penstock.state.judge import Judge, is_watched  # noqa: PLC0415
    from penstock.state.memory import STORE  # noqa: PLC0415
    from penstock.state.store import Store  # noqa: PLC0415

    file = os.path.join(HOME, STORE)
    there = os.path.exists(file)
    store = Store.open(file, warn) if there else Store(None, file, warn)
    with closing(store):
        definition = name_definition(pipeline.file)
        judge = Judge(pipeline, definition, lambda: store, MonotonicClock())

        def reasons(job: Job) -> tuple[str, ...] | None:
            if fresh or job.policy.service is not None or not is_watched(job):
                return None
            return judge.judge(job, judge.fingerprint(job)).reasons

        return say(0, out=shell_script(pipeline, reasons))

"""``penstock run``: the jobs of a definition file."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress

from penstock.cli.definition import all_settings, read_definition
from penstock.cli.display import descriptors, open_display
from penstock.cli.dryrun import print_dry_run
from penstock.cli.lines.run import RunOptions
from penstock.cli.local import Party, run_locally
from penstock.cli.slots import Wanted, come_to_terms, within
from penstock.cli.stdout import StdoutClosed
from penstock.cli.streams import colour, stderr, verbosity, warn
from penstock.cli.upkeep import open_upkeep
from penstock.cli.workspace import Workspace
from penstock.clock import MonotonicClock
from penstock.engine import RunResult
from penstock.errors import reason_of
from penstock.executor.nursery import Nursery
from penstock.model.event import Sink
from penstock.model.job import Family, Job, Pipeline
from penstock.model.outcome import TROUBLE
from penstock.model.verdict import SIGPIPE
from penstock.proc.descriptors import affordable
from penstock.proc.signals import SignalFlags, die_by
from penstock.report.console import Console
from penstock.report.directory import JOURNAL, ROOT, open_run_directory
from penstock.report.journal import Journal, JsonLines
from penstock.spec.select import select


def main(given: RunOptions, nursery: Nursery) -> int:
    """Run the jobs; 0, 1, 124 or 125. Does not return if a signal ended the run."""
    pipeline = _read(given)
    if given.dry_run:
        return print_dry_run(pipeline, fresh=given.fresh)
    if given.isolate:
        nursery.isolate(given.isolate)
    try:
        result = _run(pipeline, given, nursery)
    except StdoutClosed:
        die_by(SIGPIPE)
        return TROUBLE
    if result.tally.signal is not None and result.status != TROUBLE:
        die_by(result.tally.signal)
    return result.status


def _run(pipeline: Pipeline, given: RunOptions, nursery: Nursery) -> RunResult:
    """Run the jobs, and take back all that was made ready for them.

    Raises:
        StdoutClosed: nobody reads what they print any more.
    """
    directory = _open_directory()
    run = os.path.basename(directory) if directory else f"unkept-{os.getpid()}"
    with ExitStack() as undo:
        wanted = Wanted(given.jobs, given.jobserver)
        terms = come_to_terms(wanted, nursery, directory, os.environ)
        if terms.fifo is not None:
            undo.callback(_remove, terms.fifo)
        slots = within(affordable(*descriptors(given), terms.slots), terms.slots)
        flags = undo.enter_context(SignalFlags())
        display = open_display(given, pipeline, slots, directory, flags)
        undo.callback(display.close)
        workspace = Workspace(run, directory, display.outputs)
        upkeep = open_upkeep(workspace, pipeline, given, run, directory, flags)
        undo.callback(upkeep.close)
        sinks = [*_sinks(given, directory), *display.sinks]
        party = Party(flags, sinks, upkeep, display.reader, display.attendants, terms)
        return run_locally(
            pipeline,
            nursery,
            party,
            name=run,
            slots=slots,
            wakes=display.wakes,
            on_pool=lambda pool: display.look_at(pool, nursery.pid),
            keep_going=given.keep_going,
            deadline=given.deadline,
        )


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def _read(given: RunOptions) -> Pipeline:
    """What is to be run: the jobs that are wanted, with the limits that hold."""
    path, names = given.target(os.path.exists)
    settings = all_settings(given.settings, given.setting_files)
    return _limit(select(read_definition(path, settings), names), given)


def _limit(pipeline: Pipeline, given: RunOptions) -> Pipeline:
    """The pipeline with the limits of the command line, where those apply."""

    def limit(job: Job) -> Job:
        limits = job.limits
        stages = job.stages
        if given.timeout and limits.timeout is None:
            limits = limits._replace(timeout=given.timeout)
        if given.linger is not None:
            limits = limits._replace(linger=given.linger)
        if given.grace is not None:
            limits = limits._replace(grace=given.grace)
            stages = tuple(
                stage._replace(limits=stage.limits._replace(grace=given.grace))
                for stage in stages
            )
        leaks = given.leaks if given.leaks and job.leaks == "kill" else job.leaks
        return job._replace(limits=limits, stages=stages, leaks=leaks)

    def limit_family(family: Family) -> Family:
        return family._replace(members=lambda: map(limit, family.members()))

    return pipeline._replace(
        jobs=tuple(map(limit, pipeline.jobs)),
        families=tuple(map(limit_family, pipeline.families)),
        setup=pipeline.setup and limit(pipeline.setup),
        teardown=pipeline.teardown and limit(pipeline.teardown),
    )


def _open_directory() -> str | None:
    """The directory of this run; without one the run goes on, and says so."""
    try:
        return open_run_directory(MonotonicClock().wall(), os.getpid())
    except OSError as error:
        warn(f"no journal and no logs are kept: {reason_of(error, ROOT)}")
        return None


def _sinks(given: RunOptions, directory: str | None) -> list[Sink]:
    """Who hears of the run: the journal, and the user."""
    sinks: list[Sink] = []
    if directory is not None:
        sinks.append(Journal(os.path.join(directory, JOURNAL), warn))
    if given.json:
        return [*sinks, JsonLines(stderr(), warn)]
    told = verbosity(
        quiet=given.quiet,
        verbose=given.verbose,
        environ=os.environ,
    )
    console = Console(
        stderr(),
        verbosity=told,
        colour=colour(),
        search_path=os.environ.get("PATH"),
        leads_with_place=bool(os.environ.get("MAKELEVEL")),
    )
    return [*sinks, console]

"""What `run` knows of earlier runs, made ready before anything starts."""

from __future__ import annotations

import os
import sys

from penstock.cli.lines.run import RunOptions
from penstock.cli.streams import warn
from penstock.clock import MonotonicClock
from penstock.errors import PenstockError, UsageError
from penstock.model.job import Pipeline
from penstock.report.directory import ROOT
from penstock.report.plain import readable
from penstock.report.words import plural
from penstock.state.memory import Memory, Site
from penstock.state.outputs import is_device
from penstock.state.record import Past, last_run
from penstock.state.stop import Stop
from penstock.state.upkeep import Inner, Upkeep, around

HOME = os.path.dirname(ROOT)


def open_upkeep(
    inner: Inner,
    pipeline: Pipeline,
    given: RunOptions,
    run: str,
    directory: str | None,
    stop: Stop,
) -> Upkeep:
    """The `Dispatch` that passes over what is done already; claims what is written.

    Args:
        inner: the dispatch that does the rest.
        pipeline: that is to be run.
        given: the command line.
        run: name of the run.
        directory: of the run; None if it could not be made.
        stop: tells when the run is to stop.

    Raises:
        PenstockError: another run writes one of the files, or is to be resumed and
            is not over.
        UsageError: the line makes no sense, or two jobs make the same file.
    """
    definition = name_definition(pipeline.file)
    past = _last_run(definition, given) if given.resume else None
    site = Site(
        root=HOME,
        run=run,
        directory=directory,
        definition=definition,
        command=" ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]]),
        fresh=given.fresh,
        stop=stop,
        warn=warn,
    )
    memory = Memory(site, MonotonicClock(), past)
    upkeep = Upkeep(inner, pipeline, memory)
    try:
        upkeep.open((*pipeline.jobs, *around(pipeline)))
    except BaseException:
        upkeep.close()
        raise
    if past is not None:
        succeeded = plural(len(past.done), "job")
        warn(f"going on from {past.run}, in which {succeeded} had succeeded")
    elif given.resume:
        warn("there is no earlier run to go on from: everything is run")
    return upkeep


def name_definition(file: str | None) -> str:
    """A definition file as it is called in what is remembered: from here.

    Always valid Unicode, as SQLite takes no other text.

    Raises:
        PenstockError: nothing has a name from here, for the directory is gone.
    """
    try:
        os.getcwd()
    except OSError as error:
        why = (
            f"the working directory is gone: {error.strerror}\nhint: cd to another one"
        )
        raise PenstockError(why) from error
    if file is None or is_device(file):  # a pipe has another name in each run
        return readable(file or "")
    return readable(os.path.relpath(os.path.realpath(file)))


def _last_run(definition: str, given: RunOptions) -> Past | None:
    if given.fresh:
        raise UsageError(
            "--fresh runs everything, --resume does not\nhint: leave out one of them"
        )
    past = last_run(ROOT, definition)
    if past is not None and past.is_alive:
        raise PenstockError(
            f"the last run, {past.run}, is not over yet\n"
            f"hint: wait for it, or end it: `penstock stop {past.run}`"
        )
    return past

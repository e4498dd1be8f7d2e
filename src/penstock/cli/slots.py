"""How many jobs at once: what the line says, what make allows, what we allow others."""

from __future__ import annotations

import os
from collections.abc import Mapping

from penstock.cli.options import Jobs
from penstock.cli.streams import warn
from penstock.errors import PenstockError
from penstock.executor.nursery import Nursery
from penstock.proc.descriptors import why_not_more
from penstock.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from penstock.make.jobserver import Jobserver
    from penstock.make.makeflags import MakeFlags

_MOST = 256  # tokens that a pipe of 1 MiB can hold one by one


class Terms(NamedTuple):
    """On what terms jobs are started.

    Attributes:
        slots: how many may be alive at once.
        jobserver: that is asked before each but the first; None: nobody is.
        makeflags: MAKEFLAGS for the commands; None for what we have ourselves.
        fifo: to be removed afterwards.
    """

    slots: int
    jobserver: Jobserver | None = None
    makeflags: str | None = None
    fifo: str | None = None


class Wanted(NamedTuple):
    """What the line says.

    Attributes:
        jobs: of ``-j``; None if it was not given.
        jobserver: "off", "fifo", "pipe"; None if it was not given.
    """

    jobs: Jobs | None
    jobserver: str | None


def within(most: int, slots: int) -> int:
    """As many slots, or `most`, what there are descriptors for; says so if fewer."""
    return _at_most(most, slots, why_not_more())


def _at_most(most: int, slots: int, why: str) -> int:
    if slots > most:
        jobs = "1 job" if most == 1 else f"{most} jobs"
        warn(f"{jobs} at once instead of {slots}: {why}")
    return min(slots, most)


def come_to_terms(
    wanted: Wanted, nursery: Nursery, directory: str | None, environ: Mapping[str, str]
) -> Terms:
    """Decide how many jobs run at once, and whom to ask.

    Args:
        wanted: what the line says.
        nursery: knows the jobserver around us, or an empty one of ours.
        directory: of this run, for a FIFO; None if there is none.
        environ: the environment.

    Raises:
        PenstockError: the jobserver that was asked for cannot be made.
    """
    cpus = len(os.sched_getaffinity(0))
    slots = (wanted.jobs or Jobs(100, 0)).resolve(cpus)
    text = environ.get("MAKEFLAGS", "")
    if "-j" in text and wanted.jobserver != "off":
        from penstock.make.makeflags import read_makeflags  # noqa: PLC0415 (if used)

        flags = read_makeflags(text)
        if flags.auth is not None:
            return _join(wanted, flags, nursery.jobserver, cpus)
        if flags.jobs == 1 and wanted.jobs is None:  # `make -j1` has no jobserver
            slots = 1
    if wanted.jobserver in ("fifo", "pipe"):
        jobserver, fifo = _serve(wanted.jobserver, nursery, directory)
        return _share(slots, jobserver, text)._replace(fifo=fifo)
    return Terms(slots)


def _serve(
    style: str, nursery: Nursery, directory: str | None
) -> tuple[Jobserver, str | None]:
    """A jobserver of our own, without tokens; and its FIFO, if it has one."""
    from penstock.make.jobserver import Unusable, serve_fifo  # noqa: PLC0415 (if used)

    if style == "fifo" and directory is not None:
        path = os.path.abspath(os.path.join(directory, "jobserver"))
        try:
            return serve_fifo(path), path
        except Unusable as error:
            raise PenstockError(f"no jobserver: {error}") from None
    if style == "fifo":
        raise PenstockError(
            "no jobserver: there is no directory of this run for its FIFO; "
            "try --jobserver=pipe"
        )
    if nursery.jobserver is None:
        raise PenstockError("no jobserver: write it as --jobserver=pipe")
    return nursery.jobserver, None


def _share(slots: int, jobserver: Jobserver, makeflags: str) -> Terms:
    """Terms on which our commands take part in our slots."""
    from penstock.make.makeflags import with_jobserver  # noqa: PLC0415 (if used)

    jobserver.fill(slots - 1)
    makeflags = with_jobserver(makeflags, jobserver.auth, slots)
    return Terms(_within_pouch(slots, jobserver), jobserver, makeflags)


def _join(
    wanted: Wanted, flags: MakeFlags, jobserver: Jobserver | None, cpus: int
) -> Terms:
    """Under a jobserver: it decides, within what ``-j`` says."""
    asked = wanted.jobs.resolve(cpus) if wanted.jobs is not None else None
    if jobserver is None:
        if asked is None:
            warn(f"{_why(flags)}\nhint: until then, one job at a time, or as -j says")
        return Terms(asked or 1)
    if asked is not None and flags.jobs is not None and asked > flags.jobs:
        warn(
            f"-j{asked} is more than the {flags.jobs} jobs of the make around: its "
            "jobserver decides (--jobserver=off lets -j win)"
        )
    jobserver.make_room(flags.jobs or _MOST)
    slots = _within_pouch(asked or flags.jobs or cpus, jobserver)
    return Terms(slots, jobserver)


def _within_pouch(slots: int, jobserver: Jobserver) -> int:
    """As many slots, or what tokens can be kept for and one; says so if fewer."""
    why = "no more tokens fit in a pipe (--jobserver=off: without tokens)"
    return _at_most(jobserver.capacity + 1, slots, why)


def _why(flags: MakeFlags) -> str:
    """Why the jobserver that MAKEFLAGS tells of cannot be used."""
    from penstock.make.jobserver import Unusable, join  # noqa: PLC0415 (if used)

    try:
        join(flags.auth or "").close()
    except Unusable as error:
        return str(error)
    return "make's jobserver has come too late"

"""Memory: the files of one run in which it remembers, each made when it is needed.

They are in a directory of the working directory, where that can be written; where not,
the run goes on without them, and says so once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from penstock.clock import Clock
from penstock.proc.marker import run_marker
from penstock.state.record import Done, Header, Past, Record
from penstock.state.stop import Stop
from penstock.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from penstock.state.claim import Claim
    from penstock.state.store import Store

STORE = "state.db"
CLAIMS = "claims"


class Site(NamedTuple):
    """The run, and where its files are.

    Attributes:
        root: the directory of penstock's own files.
        run: name of the run.
        directory: of the run; None if it could not be made.
        definition: the file, relative to the working directory; "" if there is none.
        command: the command line, for other runs.
        fresh: everything is to be run, up to date or not.
        stop: tells when the run is to stop.
        warn: is told what cannot be done, in words.
    """

    root: str
    run: str
    directory: str | None
    definition: str
    command: str
    fresh: bool
    stop: Stop
    warn: Callable[[str], None]


class Memory:
    """What a run remembers.

    Args:
        site: the run.
        clock: for its times.
        past: the run that it goes on from.
    """

    def __init__(self, site: Site, clock: Clock, past: Past | None = None) -> None:
        self.site = site
        self.past = past
        self.clock = clock
        self._record: Record | None = None
        self._store: Store | None = None
        self._claim: Claim | None = None
        self._can_claim = site.directory is not None
        if site.directory is not None:
            fresh = site.fresh or (past is not None and past.header.fresh)
            header = Header(site.definition, fresh, run_marker(), clock.wall())
            done = past.done if past else {}
            self._record = Record(site.directory, header, done, site.warn)

    @property
    def store(self) -> Store:
        """The file of what is up to date; opened now, if it was not before."""
        if self._store is None:
            from penstock.state.store import Store  # noqa: PLC0415 (SQLite takes 6 ms)

            path = os.path.join(self.site.root, STORE)
            self._store = Store.open(path, self.site.warn)
        return self._store

    def succeeded(self, job: str, done: Done) -> None:
        """Note a success, for whoever goes on where this run ends."""
        if self._record is not None:
            self._record.succeeded(job, done)

    def revoke(self, job: str) -> None:
        """Take back that it succeeded, before it is started once more."""
        if self._record is not None:
            self._record.revoke(job)

    def claim(self, paths: Iterable[str]) -> None:
        """Claim what a run writes, by its real paths.

        Raises:
            PenstockError: another run has claimed one of them.
        """
        if not self._can_claim:
            return
        try:
            if self._claim is None:
                self._claim = self._open_claim()
            self._claim.claim(paths)
        except OSError as error:
            self._can_claim = False
            why = f"{error.strerror}: {error.filename or self.site.root}"
            self.site.warn(f"other runs are not kept from the same outputs: {why}")

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The lock, to be handed along with a job that makes something."""
        return () if self._claim is None else (self._claim.descriptor,)

    def is_free(self, run: str, paths: Iterable[str]) -> bool:
        """Whether what an earlier run left half made is nobody's now."""
        return self._claim is not None and self._claim.is_free(run, paths)

    def close(self) -> None:
        """Close all."""
        for file in (self._record, self._store, self._claim):
            if file is not None:
                file.close()

    def _open_claim(self) -> Claim:
        from penstock.state.claim import Claim  # noqa: PLC0415 (only now)
        from penstock.state.claimant import claimant  # noqa: PLC0415 (only now)

        directory = os.path.join(self.site.root, CLAIMS)
        os.makedirs(directory, exist_ok=True)
        us = claimant(self.site.run, self.site.command, self.clock.wall())
        return Claim(directory, us, self.clock, self.site.stop)

"""From the links of a job to its wiring.

Invariants, each held by a property test: every pipe is opened once, before its first
user; every end is given to exactly one process and closed by the worker directly after
that has started; so that, once the last stage runs, the worker holds no end but those
of FIFOs that have not been opened. An end that lives too long is a reader that never
sees end-of-file, or a writer that never gets SIGPIPE.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache

from penstock.model.job import Job, Link
from penstock.model.stream import Inherit, Keep, Null, Stderr, Stdin, Stdout
from penstock.model.wiring import Fifo, PipeEnd, RelayWiring, StageWiring, Wiring
from penstock.plan.flow import check_flow, edge_name, source_name, target_name

_PLAIN = (Inherit, Keep, Null)


def wire(job: Job) -> Wiring:
    """Plan the descriptors of `job`, in the order in which its processes start.

    Raises:
        UsageError: the links cannot work.
    """
    if not job.links:
        if len(job.stages) == 1:
            (stage,) = job.stages
            return _alone(stage.stdin, stage.stdout, stage.stderr)
        return Wiring(
            tuple(
                StageWiring((), stage.stdin, stage.stdout, stage.stderr, ())
                for stage in job.stages
            ),
        )
    check_flow(job)
    plumbing = _Plumbing(job)
    plumbing.lay()
    return plumbing.wiring()


@lru_cache(typed=True)  # a Keep(1) equals an Inherit(1)
def _alone(stdin: Stdin, stdout: Stdout, stderr: Stderr) -> Wiring:
    """The wiring of a job of one stage: the same for many short jobs."""
    is_plain = all(isinstance(stream, _PLAIN) for stream in (stdin, stdout, stderr))
    return Wiring((StageWiring((), stdin, stdout, stderr, ()),), is_plain=is_plain)


class _Plumbing:
    """Lays the pipes of a job, from the sources on."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._pipes: list[str] = []
        self._relays: list[RelayWiring] = []
        self._fifos: list[Fifo] = []
        self._outlets: dict[tuple[int, str], PipeEnd] = {}
        self._inlets: dict[tuple[int, str | None], PipeEnd] = {}

    def lay(self) -> None:
        """Make what leads from each stream to each place that it is linked to."""
        job, links = self._job, self._job.links
        heads: dict[Link, int] = {}
        for group in _grouped(links, lambda link: (link.source, link.stream)):
            first = group[0]
            if len(group) == 1:
                pipe = heads[first] = self._pipe(edge_name(job, first))
            else:
                pipe = self._fan(group, heads)
            self._outlets[first.source, first.stream] = PipeEnd(pipe, "w")
        for link in links:
            if link.buffer == "disk":
                heads[link] = self._spool(link, heads[link])
        for group in _grouped(links, lambda link: (link.target, link.name)):
            first = group[0]
            pipe = heads[first] if len(group) == 1 else self._merge(group, heads)
            self._inlets[first.target, first.name] = PipeEnd(pipe, "r")
            if first.name is not None and not first.as_descriptor:
                self._fifos.append(
                    Fifo(pipe, first.name, first.target, self._pipes[pipe])
                )

    def wiring(self) -> Wiring:
        """The plan, where every pipe is opened by its first user."""
        opened = {fifo.pipe for fifo in self._fifos}
        relays = tuple(
            relay._replace(opens=_unopened(relay.closes, opened))
            for relay in self._relays
        )
        stages = tuple(
            self._stage(position, opened) for position in range(len(self._job.stages))
        )
        return Wiring(
            stages,
            relays,
            tuple(self._fifos),
            tuple(self._pipes),
            is_graph=bool(relays)
            or any(n.name or n.is_coproc for n in self._job.links),
        )

    def _stage(self, position: int, opened: set[int]) -> StageWiring:
        stage = self._job.stages[position]
        stdin = self._inlets.get((position, None))
        outlets = [
            self._outlets.get((position, stream)) for stream in ("stdout", "stderr")
        ]
        named = tuple(
            (name, end)
            for (target, name), end in self._inlets.items()
            if target == position and name is not None
        )
        by_path = {fifo.pipe for fifo in self._fifos}
        passed = [end for _, end in named if end.pipe not in by_path]
        ends = tuple(end for end in (stdin, *passed, *outlets) if end is not None)
        return StageWiring(
            _unopened(ends, opened),
            stdin or stage.stdin,
            outlets[0] or stage.stdout,
            outlets[1] or stage.stderr,
            ends,
            named,
        )

    def _pipe(self, name: str) -> int:
        self._pipes.append(name)
        return len(self._pipes) - 1

    def _fan(self, group: Sequence[Link], heads: dict[Link, int]) -> int:
        """One pipe to a relay, and one from it for each link; the former."""
        source = source_name(self._job, group[0])
        trunk = self._pipe(f"{source} -> its {len(group)} readers")
        for link in group:
            heads[link] = self._pipe(edge_name(self._job, link))
        self._relays.append(
            RelayWiring(
                "fan",
                f"fan-out of {source}",
                (),
                (PipeEnd(trunk, "r"),),
                tuple(PipeEnd(heads[link], "w") for link in group),
                tuple(self._pipes[heads[link]] for link in group),
                stops=tuple(link.on_close == "stop" for link in group),
            ),
        )
        return trunk

    def _spool(self, link: Link, head: int) -> int:
        """A relay that has the disk to keep what is not yet read; what it writes to."""
        name = edge_name(self._job, link)
        pipe = self._pipe(name)
        self._relays.append(
            RelayWiring(
                "spool",
                f"buffer of {name}",
                (),
                (PipeEnd(head, "r"),),
                (PipeEnd(pipe, "w"),),
                (name,),
                quota_bytes=link.quota_bytes,
            ),
        )
        return pipe

    def _merge(self, group: Sequence[Link], heads: dict[Link, int]) -> int:
        """A relay that reads all of `group`; what it writes to."""
        target = target_name(self._job, group[0])
        pipe = self._pipe(f"what leads to {target}")
        self._relays.append(
            RelayWiring(
                "merge",
                f"merge into {target}",
                (),
                tuple(PipeEnd(heads[link], "r") for link in group),
                (PipeEnd(pipe, "w"),),
                tuple(edge_name(self._job, link) for link in group),
                framing=group[0].framing,
            ),
        )
        return pipe


def _grouped(
    links: Iterable[Link],
    key: Callable[[Link], Hashable],
) -> Iterable[list[Link]]:
    """The links of each place, in the order in which the places first occur."""
    groups: dict[Hashable, list[Link]] = {}
    for link in links:
        groups.setdefault(key(link), []).append(link)
    return groups.values()


def _unopened(ends: Sequence[PipeEnd], opened: set[int]) -> tuple[int, ...]:
    """The pipes of `ends` that are not open yet; they are from now on."""
    found = tuple(dict.fromkeys(end.pipe for end in ends if end.pipe not in opened))
    opened.update(found)
    return found

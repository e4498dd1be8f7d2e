"""What there is to tell of the edges of a job, and of the relays at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from penstock.clock import Clock
from penstock.model.outcome import (
    EdgeOutcome,
    Exited,
    Lost,
    StageOutcome,
)
from penstock.model.wiring import Fifo, Wiring
from penstock.proc.files import Files
from penstock.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.proc.relay import Relay

_UNOPENED = "its reader has ended, and had never opened it"


def start_relays(
    wiring: Wiring,
    files: Files,
    started: list[Relay],
    clock: Clock,
) -> None:
    """Start every relay of a job, before any command.

    Args:
        wiring: of the job.
        files: has the pipes.
        started: receives each as it starts, so that nothing is lost on failure.
        clock: for when.

    Raises:
        OSError: one cannot be started.
    """
    if not wiring.relays:
        return
    from penstock.proc.relay import Relay  # noqa: PLC0415 (most jobs have none)

    now = clock.now()
    for plan in wiring.relays:
        started.append(Relay(plan, now))
        started[-1].start(files.ends)
        files.release_ends(plan.closes)


def relay_outcome(relay: Relay) -> StageOutcome:
    """How a relay ended."""
    ending = relay.status or Lost("it could not be killed")
    ok = ending == Exited(0)
    return StageOutcome(
        relay.plan.name,
        ending,
        ok,
        relay.pid or None,
        relay.elapsed,
        relay.usage,
        relay.meter.reason.encode(),
    )


def trouble_of(relay: Relay) -> str | None:
    """Why bytes may be missing though no command says so; None if there are none."""
    if relay.status == Exited(0) or relay.was_ended:
        return None
    return f"{relay.plan.name} failed: {relay.meter.reason or 'it was killed'}"


def edge_outcomes(
    sampled: Sequence[EdgeOutcome],
    relays: Sequence[Relay],
    unopened: Sequence[Fifo],
    notes: Iterable[tuple[str, str]] = (),
) -> tuple[EdgeOutcome, ...]:
    """What is known of edges.

    Args:
        sampled: edges that were looked at now and then.
        relays: what passed through them was counted, which is better.
        unopened: FIFOs that nobody opened.
        notes: names of edges, and what there is to say of each.
    """
    known = {edge.name: edge for edge in (*sampled, *_counted(relays))}
    for name, note in [*((fifo.edge, _UNOPENED) for fifo in unopened), *notes]:
        edge = known.get(name, EdgeOutcome(name))
        before = () if edge.note is None else (edge.note,)
        known[name] = edge._replace(note=", ".join((*before, note)))
    return tuple(known.values())


def _counted(relays: Sequence[Relay]) -> Iterator[EdgeOutcome]:
    """What passed through relays."""
    for relay in relays:
        for entry, name in enumerate(relay.plan.edges, start=1):
            for_single, for_one = relay.meter.waited(0), relay.meter.waited(entry)
            is_merge = relay.plan.kind == "merge"
            yield EdgeOutcome(
                name,
                relay.meter.moved_bytes(entry),
                source_waited=for_single if is_merge else for_one,
                target_waited=for_one if is_merge else for_single,
            )

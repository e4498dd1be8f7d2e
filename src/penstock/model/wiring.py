"""Wiring: which descriptor goes where, and who closes it, as a value.

The worker carries it out line by line; nothing about pipes is decided there.
"""

from __future__ import annotations

from penstock.model.link import Framing
from penstock.model.stream import Stderr, Stdin, Stdout
from penstock.typed import Literal, NamedTuple


class PipeEnd(NamedTuple):
    """One end of one kernel pipe of a job.

    Attributes:
        pipe: number of the pipe; in a job without relays, that of its `Link`.
        side: "r" or "w".
    """

    pipe: int
    side: str


class Fifo(NamedTuple):
    """A pipe with a name in the file system, which the reader opens by itself.

    Attributes:
        pipe: its number.
        name: what the command calls it.
        target: position of the stage that is to open it.
        edge: what it joins, in words.
    """

    pipe: int
    name: str
    target: int
    edge: str


class StageWiring(NamedTuple):
    """What the worker does with descriptors around the start of one stage.

    Attributes:
        opens: pipes to make before the start.
        stdin, stdout, stderr: what the command gets as 0, 1 and 2.
        closes: ends that nobody else needs once this stage has been started.
        named: further ends that the command gets, by the name it has for each.
    """

    opens: tuple[int, ...]
    stdin: Stdin | PipeEnd
    stdout: Stdout | PipeEnd
    stderr: Stderr | PipeEnd
    closes: tuple[PipeEnd, ...]
    named: tuple[tuple[str, PipeEnd], ...] = ()


RelayKind = Literal["fan", "merge", "spool"]
"""One stream to many; many to one; or one to one, by way of the disk."""


class RelayWiring(NamedTuple):
    """A process of penstock's own between the stages of a job.

    Attributes:
        kind: what it does.
        name: in words, for messages.
        opens: pipes to make before the start.
        inputs, outputs: the ends it has, and no others: closed once it has started.
        edges: names of what leads to or from it on the side where there are many.
        stops: for each output, whether the end of that reader ends all.
        framing: where a record ends.
        quota_bytes: how much may wait on disk.
    """

    kind: RelayKind
    name: str
    opens: tuple[int, ...]
    inputs: tuple[PipeEnd, ...]
    outputs: tuple[PipeEnd, ...]
    edges: tuple[str, ...]
    stops: tuple[bool, ...] = ()
    framing: Framing = "lines"
    quota_bytes: int = 0

    @property
    def closes(self) -> tuple[PipeEnd, ...]:
        """All its ends, which nobody else needs."""
        return (*self.inputs, *self.outputs)


class Wiring(NamedTuple):
    """All descriptors of a job.

    Attributes:
        stages: one for each, in the order in which they start.
        relays: started before them.
        fifos: made before anything is started.
        pipes: what each pipe joins, in words.
        is_graph: there is more to it than chains, so that it may come to a deadlock.
        is_plain: there is one stage, and nothing to open for it, to read, or to rename.
    """

    stages: tuple[StageWiring, ...]
    relays: tuple[RelayWiring, ...] = ()
    fifos: tuple[Fifo, ...] = ()
    pipes: tuple[str, ...] = ()
    is_graph: bool = False
    is_plain: bool = False

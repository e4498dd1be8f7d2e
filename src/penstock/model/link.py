"""Link: an edge of a job's graph, from a stream of one stage to another stage.

What several links share needs no word of its own. Links from one stream are a fan-out:
each target gets all of it. Links into one stdin, or into one name, are a merge: whole
records, one after the other. A `relay` process does either.
"""

from __future__ import annotations

from penstock.typed import Literal, NamedTuple

Stream = Literal["stdout", "stderr"]

Framing = Literal["lines", "nul", "length"]
"""Where a record ends: at a newline; at a NUL; after as many bytes as the four before
it say (unsigned, big-endian)."""

OnClose = Literal["drop", "stop"]
"""What follows when one of several readers of a stream is gone: the others go on; or
nobody gets any more, and the source ends by SIGPIPE."""

Buffer = Literal["pipe", "disk"]
"""What holds bytes that were written and not yet read: a pipe, 1 MiB at the most; or
also a file without a name, up to the link's quota."""

QUOTA_BYTES = 1 << 30


class Link(NamedTuple):
    """An edge from one stage to another.

    Attributes:
        source: position in `Job.stages` of the stage that writes.
        target: position of the stage that reads.
        stream: which one of the source.
        name: of the FIFO that the target's command opens; None: its stdin.
        as_descriptor: the name stands for a path below ``/dev/fd``, which is open
            already, and not for a FIFO in the file system.
        is_coproc: it is one half of a pair that leads both ways, on purpose.
        on_close: what the end of this reader means to the others.
        buffer: where bytes wait for the reader.
        quota_bytes: how many may wait on disk.
        framing: where a record ends, if this is one of several links into one place.
    """

    source: int
    target: int
    stream: Stream = "stdout"
    name: str | None = None
    as_descriptor: bool = False
    is_coproc: bool = False
    on_close: OnClose = "drop"
    buffer: Buffer = "pipe"
    quota_bytes: int = QUOTA_BYTES
    framing: Framing = "lines"


def chain(stages: int) -> tuple[Link, ...]:
    """The links that join so many stages, each one's stdout to the next one's stdin."""
    return tuple(Link(i, i + 1) for i in range(stages - 1))


def path_token(name: str) -> str:
    """What stands in a command for the path of the FIFO `name`, until that is made.

    Only plain characters: whatever quotes stand round it do not change it, nor the
    path that takes its place.
    """
    return f"/dev/penstock-fifo/{name}/"

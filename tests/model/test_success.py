from __future__ import annotations

import pytest

from penstock.model.command import Command
from penstock.model.job import Job, Stage
from penstock.model.outcome import (
    NOTHING_KEPT,
    Exited,
    Kept,
    Outcome,
    StageOutcome,
    Usage,
)
from penstock.model.success import Succeeded, in_full

USAGE = Usage(0.1, 0.2, 4096, 3, 4)
JOB = Job("j", (Stage("s", Command(("true",), "true")),))


@pytest.mark.parametrize(
    ("out", "err", "kept"),
    [
        (b"", b"", NOTHING_KEPT),
        (b"o", b"", (Kept(b"o"), Kept())),
        (b"", b"e", (Kept(), Kept(b"e"))),
    ],
)
def test_few_words_say_the_same_as_many(out, err, kept):
    stage = StageOutcome("s", Exited(0), ok=True, pid=5, elapsed=1.0, usage=USAGE)
    full = Outcome("j", Exited(0), ok=True, stages=(stage,), elapsed=2.0, kept=kept)
    assert in_full(Succeeded("j", 5, 2.0, 1.0, USAGE, out, err), JOB) == full
    assert in_full(full, JOB) is full

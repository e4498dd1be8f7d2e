"""Lines that tell how far a run is: not too many, and none twice."""

from __future__ import annotations

from penstock.cli.ticker import Ticker
from penstock.executor.fake import VirtualClock
from penstock.model.event import JobEnded, JobStarted, RunEnded, RunStarted
from penstock.report.progress import Progress
from penstock.report.progress_line import plain_line
from tests.report.examples import job, outcome

A, B = job("true", name="a"), job("true", name="b")


def test_a_line_is_told_now_and_then_and_nothing_where_nothing_happens(capfd):
    clock = VirtualClock()
    ticker = Ticker(Progress(2), plain_line, 10.0, clock)

    def told() -> list[str]:
        assert list(ticker.attend()) == []
        lines: list[str] = capfd.readouterr().err.splitlines()
        return lines

    ticker.receive(RunStarted("r", clock.wall(), (), 2, None))
    clock.move(20.0)
    assert (ticker.due(), told()) == (None, [])
    ticker.receive(JobStarted(A, clock.wall()))
    due = ticker.due()
    assert due is not None
    assert due <= clock.now()
    assert told() == ["penstock: 0/2 jobs  1 running  20s"]
    ticker.receive(JobEnded(A, outcome(A), clock.wall()))
    ticker.receive(JobStarted(B, clock.wall()))
    assert (ticker.due(), told()) == (clock.now() + 10.0, [])
    clock.move(30.0)
    assert told() == ["penstock: 1/2 jobs  1 running  30s"]
    assert (ticker.due(), told()) == (None, [])
    ticker.receive(JobEnded(B, outcome(B), clock.wall()))
    ticker.receive(RunEnded(0, clock.wall(), 30.0))
    assert told() == ["penstock: 2/2 jobs  0 running  30s"]
    assert ticker.due() is None

from __future__ import annotations

from penstock.engine import Engine
from penstock.executor.fake import FakeExecutor, Role
from penstock.model.action import CancelJob, StartJob
from penstock.model.command import Command
from penstock.model.event import (
    CutShort,
    Finished,
    InputCame,
    JobEnded,
    RunStarted,
    SlotsChanged,
)
from penstock.model.job import Job, Stage
from penstock.model.outcome import Exited, Outcome
from penstock.plan.feed import Feed, Rules
from penstock.plan.halt import Halt

FAILS = Role(Exited(1))


class Numbered:
    """So many jobs, each named by its number; notes which slots they were made for."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.made = 0
        self.slots: list[int] = []

    @property
    def is_over(self) -> bool:
        return self.made == self.left

    def next(self, slot: int) -> Job | None:
        if self.is_over:
            return None
        self.made += 1
        self.slots.append(slot)
        return Job(str(self.made), (Stage("s", Command(("s",), "s")),))


def carry_out(executor: FakeExecutor, jobs: Numbered, rules: Rules) -> list[str]:
    """The names of the jobs that ended, in order."""
    ended: list[str] = []

    class Sink:
        def receive(self, event: object) -> None:
            if isinstance(event, JobEnded):
                ended.append(event.job.name)

    engine = Engine(executor, [Sink()], clock=executor.clock, interrupts=executor)
    feed = Feed(jobs, lambda: executor.slots - len(executor._alive), rules)
    engine.carry_out(feed, name="run")
    assert feed.is_done
    return ended


def test_jobs_are_asked_for_as_slots_become_free():
    executor, jobs = FakeExecutor(slots=3), Numbered(100)
    assert len(carry_out(executor, jobs, Rules())) == 100
    assert executor.most_alive == 3


def test_a_job_that_fails_is_tried_again_before_new_ones():
    executor = FakeExecutor({"1": FAILS})
    assert carry_out(executor, Numbered(2), Rules(tries=3)) == ["1", "2"]
    assert [job.name for job in executor.submitted] == ["1", "1", "1", "2"]


def test_halt_soon_starts_no_more():
    executor = FakeExecutor({"2": FAILS._replace(seconds=0.5)}, slots=2)
    rules = Rules(halt=Halt(now=False, on="fail"))
    assert carry_out(executor, Numbered(9), rules) == ["2", "1"]


def test_halt_now_ends_what_runs():
    executor = FakeExecutor({"1": FAILS, "2": Role(seconds=1000)}, slots=2)
    rules = Rules(halt=Halt(now=True, on="fail"))
    assert carry_out(executor, Numbered(9), rules) == ["1", "2"]
    assert [name for name, *_ in executor.cancelled] == ["2"]


def test_slots_that_come_later_are_numbered_too():
    jobs = Numbered(4)
    room = [1]
    feed = Feed(jobs, lambda: room[0] - len(feed._running), Rules(slots=1))
    assert [*feed.handle(RunStarted("run", 0.0, (), 1, None))]
    room[0] = 3
    assert len([*feed.handle(SlotsChanged(3))]) == 2
    assert jobs.slots == [1, 2, 3]


def test_room_that_is_there_before_its_news_waits_for_a_number():
    jobs = Numbered(9)
    room = [2]
    feed = Feed(jobs, lambda: room[0] - len(feed._running), Rules(slots=2))
    first, second = feed.handle(RunStarted("run", 0.0, (), 2, None))
    assert isinstance(first, StartJob)
    assert isinstance(second, StartJob)
    room[0] = 4  # both have ended, and are told of one after the other
    for job in (second.job, first.job):
        outcome = Outcome(job.name, Exited(0), ok=True)
        assert len([*feed.handle(Finished(job, outcome))]) == 2  # its end, and a start
    assert [*feed.handle(InputCame())] == []
    assert len([*feed.handle(SlotsChanged(4))]) == 2
    assert jobs.slots == [1, 2, 2, 1, 3, 4]


def test_a_share_counts_once_three_have_ended():
    assert not Halt(now=True, on="fail", number=0, share=0.5).is_reached(0, 2)
    assert Halt(now=True, on="fail", number=0, share=0.5).is_reached(1, 2)


def test_a_share_is_of_all_jobs_where_it_is_known_how_many_there_are():
    for on, ok, failed in (("fail", 9, 2), ("success", 2, 9), ("done", 1, 1)):
        halt = Halt(now=True, on=on, number=0, share=0.2)
        assert halt.is_reached(ok, failed, 10)
        assert not halt.is_reached(ok, failed, 11)
        assert halt.is_reached(ok, failed) is False


def test_a_delay_keeps_starts_apart():
    executor = FakeExecutor(slots=10)
    carry_out(executor, Numbered(4), Rules(delay=5.0))
    assert executor.clock.now() >= 15.0
    assert executor.most_alive == 1


def test_slots_have_the_lowest_free_number():
    jobs = Numbered(5)
    carry_out(FakeExecutor({"2": Role(seconds=10)}, slots=2), jobs, Rules(slots=2))
    assert jobs.slots == [1, 2, 1, 1, 1]


def test_a_signal_ends_all_and_starts_nothing():
    executor = FakeExecutor({"1": Role(seconds=50)}, signals=[(2.0, 2)])
    assert carry_out(executor, Numbered(9), Rules()) == ["1"]


def test_what_cuts_the_run_short_ends_all_at_once():
    feed = Feed(Numbered(9), lambda: 2 - len(feed._running), Rules())
    started = list(feed.handle(RunStarted("run", 0.0, (), 2, None)))
    assert len(started) == 2
    assert list(feed.handle(CutShort("the disk is full", 125))) == [
        CancelJob("1", "the disk is full", now=True),
        CancelJob("2", "the disk is full", now=True),
    ]


def test_what_waits_to_be_tried_again_has_failed_once_the_feed_is_halted():
    roles = {"1": Role(seconds=1.5), "2": Role(Exited(1), seconds=0.1)}
    executor = FakeExecutor(roles, slots=2)
    rules = Rules(tries=3, delay=1.0, halt=Halt(now=False, on="success"))
    assert carry_out(executor, Numbered(9), rules) == ["1", "2"]
    assert [job.name for job in executor.submitted] == ["1", "2"]


def test_what_waits_to_be_tried_again_has_failed_at_a_signal():
    roles = {"1": Role(seconds=9.0), "2": Role(Exited(1), seconds=0.1)}
    executor = FakeExecutor(roles, slots=2, signals=[(1.5, 15)])
    assert carry_out(executor, Numbered(9), Rules(tries=3, delay=1.0)) == ["2", "1"]
    assert executor.cancelled == [("1", "interrupted by SIGTERM", False)]

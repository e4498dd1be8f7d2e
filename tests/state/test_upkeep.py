"""What is passed over and what is run: with real files, and with jobs that only play.

The dispatch behind `Upkeep` does what the commands of a job would do, so that every
order of events can be tried without a process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from penstock.clock import MonotonicClock
from penstock.engine import Engine
from penstock.errors import UsageError
from penstock.executor.fake import FOREVER, FakeExecutor, Role
from penstock.model.command import Command
from penstock.model.event import Event, JobEnded, JobPassed
from penstock.model.job import Family, Job, Pipeline, Stage
from penstock.model.outcome import Exited, Lost, Outcome
from penstock.model.policy import Policy, Service
from penstock.model.stream import Output
from penstock.plan.frame import spare_slots
from penstock.state.inputs import Inputs
from penstock.state.memory import Memory, Site
from penstock.state.record import last_run
from penstock.state.upkeep import Upkeep

FAIL = Role(Exited(1))


class Killed(BaseException):
    """penstock is killed: nothing more is done."""


class Plays:
    """The dispatch behind: runs the functions that stand for the commands."""

    def __init__(self, acts: dict[str, Callable[[], object]]) -> None:
        self.acts = acts
        self.ran: list[str] = []

    def before(self, job: Job) -> tuple[Job, Sequence[int]]:
        self.ran.append(job.name)
        for path in job.policy.outputs:
            if job.name not in self.acts:
                Path(path).write_text("".join(map(_read, job.policy.inputs)))
        self.acts.get(job.name, str)()
        return job, ()

    def after(self, job: Job, outcome: Outcome) -> Outcome:
        del job
        return outcome


def _read(path: str) -> str:
    return Path(path).read_text()


class Flags:
    """Tells to stop when it was asked so often."""

    def __init__(self) -> None:
        self.patience = sys.maxsize

    def fileno(self) -> int:
        return 0

    def ask_to_stop(self) -> bool:
        self.patience -= 1
        return self.patience < 0


class World:
    """A directory in which runs follow one another."""

    def __init__(self) -> None:
        self.troubles: list[str] = []
        self.flags = Flags()
        self.runs = 0
        self.outcomes: dict[str, Outcome] = {}
        self.passed: dict[str, str] = {}
        self.acts: dict[str, Callable[[], object]] = {}
        self.roles: dict[str, Role] = {}

    def receive(self, event: Event) -> None:
        if isinstance(event, JobEnded):
            self.outcomes[event.job.name] = event.outcome
        if isinstance(event, JobPassed):
            self.passed[event.job.name] = event.because

    def run(self, *jobs: Job, **options) -> str:
        """The names of what was run, in order."""
        return self.run_all(Pipeline(jobs, "p.yaml"), **options)

    def run_all(
        self, pipeline: Pipeline, *, fresh: bool = False, resume: bool = False
    ) -> str:
        inner = Plays(self.acts)
        self.runs += 1
        directory = f".penstock/runs/20261121-091500-{self.runs}"
        Path(directory).mkdir(parents=True)
        site = Site(
            root=".penstock",
            run=os.path.basename(directory),
            directory=directory,
            definition="p.yaml",
            command="penstock run",
            fresh=fresh,
            stop=self.flags,
            warn=self.troubles.append,
        )
        past = last_run(".penstock/runs", "p.yaml") if resume else None
        memory = Memory(site, MonotonicClock(), past)
        upkeep = Upkeep(inner, pipeline, memory)
        fake = FakeExecutor(self.roles, slots=1 + spare_slots(pipeline))
        try:
            with closing(upkeep):
                upkeep.open(pipeline.jobs)
                engine = Engine(fake, [self], clock=fake.clock, dispatch=upkeep)
                engine.run(pipeline, name="run")
        except Killed:
            pass
        return " ".join(inner.ran)

    def be_killed(self, *jobs: Job, **options) -> str:
        """As `run`, but at the end nothing is tidied up, as after SIGKILL."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Upkeep, "close", lambda upkeep: upkeep._memory.close())
            return self.run(*jobs, **options)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    Path("in").write_text("1")
    world = World()
    yield world
    assert world.troubles == []


def job(
    name: str,
    outputs: str = "",
    inputs: str = "",
    needs: str = "",
    text: str = "x",
) -> Job:
    stage = Stage("x", Command(("/bin/sh", "-c", text), text))
    policy = Policy(outputs=tuple(outputs.split()), inputs=tuple(inputs.split()))
    return Job(name, (stage,), needs=tuple(needs.split()), policy=policy)


MAKE = job("a", "out", "in")


def kill() -> None:
    raise Killed


def write_half() -> None:
    Path("out").write_text("half")
    raise Killed


# --- up to date ---------------------------------------------------------------------


def test_what_is_unchanged_is_passed_over(world: World):
    assert world.run(MAKE) == "a"
    assert world.run(MAKE) == ""
    assert world.run(MAKE, fresh=True) == "a"
    assert world.run(MAKE) == ""


def test_without_outputs_a_job_is_run_each_time(world: World):
    assert [world.run(job("a", "", "in")) for _ in range(2)] == ["a", "a"]


CHANGES: dict[str, tuple[Callable[[], object], Job]] = {
    "an input": (lambda: Path("in").write_text("2"), MAKE),
    "an input is gone": (lambda: Path("in").rename("old"), job("a", "out", "")),
    "the command": (str, job("a", "out", "in", text="y")),
    "another output": (str, job("a", "out other", "in")),
    "an output is gone": (lambda: Path("out").unlink(), MAKE),
    "an output was changed": (lambda: Path("out").write_text("by hand"), MAKE),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_changed_is_run(world: World, change: str):
    world.run(MAKE)
    act, now = CHANGES[change]
    act()
    assert world.run(now) == "a"
    assert world.run(now) == ""


def test_a_file_that_was_only_touched_is_the_same(world: World):
    world.run(MAKE)
    os.utime("in", (5, 5))
    assert world.run(MAKE) == ""


def test_patterns_stand_for_what_is_there(world: World):
    make = job("a", "out", "*.txt ** no[pe]")
    world.acts["a"] = lambda: Path("out").touch()
    world.run(make)
    assert world.run(make) == ""
    Path("b.txt").touch()
    assert world.run(make) == "a"
    Path("b.txt").unlink()
    assert world.run(make) == "a"


def test_the_outputs_of_what_it_needs_are_inputs(world: World):
    jobs = (MAKE, job("b", "last", "", "a"))
    assert world.run(*jobs) == "a b"
    assert world.run(*jobs) == ""
    Path("in").write_text("2")
    assert world.run(*jobs) == "a b"
    other = job("a", "out", "in", text="to the same end")
    assert world.run(other, jobs[1]) == "a"


def test_so_are_those_of_a_family():
    members = tuple(job(f"f[{n}]", f"f{n}", "in") for n in range(3))
    family = Family("f", (), lambda: iter(members))
    last = job("b", "last", "", "f")
    pipeline = Pipeline((last,), "p.yaml", (family,))
    assert Inputs(pipeline).of(last) == ("f0", "f1", "f2")


def test_a_service_that_nobody_needs_is_never_passed_over(world: World):
    policy = MAKE.policy._replace(service=Service())
    assert [world.run(MAKE._replace(policy=policy)) for _ in range(2)] == ["a", "a"]


def test_what_a_family_makes_is_looked_up_after_it(world: World):
    """Also where there is a service, whose turn is before that of the family."""
    made = ["out0"]
    serve = job("db")._replace(policy=Policy(service=Service()))
    world.roles["db"] = Role(seconds=FOREVER)
    world.acts["split"] = lambda: made.extend(["out1"] * (world.runs == 3))
    family = Family(
        "f", ("split",), lambda: (job(f"f[{path}]", path, "in") for path in made)
    )
    jobs = (serve, job("split"), job("b", "total", needs="f db"))
    pipeline = Pipeline(jobs, "p.yaml", (family,))
    ran = [world.run_all(pipeline) for _ in range(3)]
    assert ran == ["db split f[out0] b", "db split", "db split f[out1] b"]


def test_a_service_is_passed_over_if_all_that_needs_it_is_done(world: World):
    serve = job("db", "")
    serve = serve._replace(policy=serve.policy._replace(service=Service()))
    jobs = (serve, MAKE._replace(needs=("db",)))
    assert [world.run(*jobs) for _ in range(2)] == ["db a", ""]
    Path("out").unlink()
    assert world.run(*jobs) == "db a"


# --- outputs that are not whole -----------------------------------------------------


def test_outputs_that_were_not_made_are_a_failure(world: World):
    world.acts["a"] = lambda: Path("out").touch()
    world.run(job("a", "out gone lost", "in"))
    outcome = world.outcomes["a"]
    assert (outcome.ok, outcome.status) == (False, 1)
    assert outcome.remark == "did not make gone, lost"
    assert not Path("out").exists()


def test_an_output_below_the_directory_of_its_command_is_told(world: World):
    Path("sub").mkdir()
    world.acts["a"] = lambda: Path("sub/out").touch()
    made = job("a", "out", "in")
    (stage,) = made.stages
    below = stage._replace(command=stage.command._replace(cwd="sub"))
    world.run(made._replace(stages=(below,)))
    assert world.outcomes["a"].remark == (
        "did not make out, but there is sub/out: "
        "outputs are relative to the directory that penstock runs in"
    )


def test_what_a_failed_job_wrote_does_not_stand(world: World):
    world.roles["a"] = FAIL
    world.run(MAKE)
    assert not Path("out").exists()
    world.roles.clear()
    assert world.run(MAKE) == "a"


def test_after_a_failure_what_was_good_before_is_not_up_to_date(world: World):
    world.run(MAKE)
    world.acts["a"] = str  # writes nothing
    world.roles["a"] = FAIL
    world.run(MAKE, fresh=True)
    assert Path("out").read_text() == "1"
    world.roles.clear()
    assert world.run(MAKE) == "a"


def test_a_lost_job_leaves_nothing_even_if_it_lives_a_little_longer(world: World):
    world.roles["a"] = Role(Lost("killed"))
    late = job("b", "", "", "")
    world.acts["b"] = lambda: Path("out").write_text("late")
    world.run_all(Pipeline((MAKE, late), "p.yaml"))
    assert not Path("out").exists()


def test_what_is_running_when_penstock_gives_up_does_not_stand(world: World):
    world.acts["a"] = write_half
    world.run(MAKE)
    assert not Path("out").exists()


def test_what_a_killed_run_left_half_made_goes(world: World):
    world.acts["a"] = write_half
    world.be_killed(MAKE)
    assert Path("out").read_text() == "half"
    other = job("b", "other", "in")
    assert world.run(other) == "b"
    assert not Path("out").exists()
    world.acts.clear()
    assert world.run(MAKE) == "a"


@pytest.mark.parametrize("inputs", ["ou*", "**", "{here}/out", "in link"])
def test_an_input_stays_though_it_is_an_output_too(world: World, inputs: str):
    Path("out").write_text("precious")
    Path("link").symlink_to("out")
    changes = job("a", "out new", inputs.format(here=Path.cwd()))

    def write() -> None:
        Path("new").touch()
        write_half()

    world.acts["a"] = write
    world.run(changes)
    assert Path("out").read_text() == "half"
    assert not Path("new").exists()
    world.be_killed(changes)
    world.run(job("b", "other", "in"))
    assert Path("out").read_text() == "half"


# --- resume -------------------------------------------------------------------------

NEVER = job("f[0]")._replace(policy=Policy(when=Command(("false",), "false")))
ONE, TWO, THREE = job("a"), job("b", needs="a"), job("c", needs="b")


def test_resume_keeps_what_succeeded_and_runs_the_rest(world: World):
    world.acts["b"] = kill
    assert world.be_killed(ONE, TWO, THREE) == "a b"
    world.acts.clear()
    assert world.run(ONE, TWO, THREE, resume=True) == "b c"
    assert world.run(ONE, TWO, THREE, resume=True) == ""
    assert world.run(ONE, TWO, THREE) == "a b c"


def test_a_resumed_run_that_is_killed_too_can_be_resumed(world: World):
    for name in "bc":
        world.acts = {name: kill}
        world.be_killed(ONE, TWO, THREE, resume=True)
    world.acts.clear()
    assert world.run(ONE, TWO, THREE, resume=True) == "c"


def test_what_was_done_is_not_forgotten_when_a_resumed_run_is_killed_early(
    world: World,
):
    first, others = job("d"), (ONE, TWO, THREE)
    world.roles["d"] = FAIL
    world.run(*others, first)
    world.acts["d"] = kill
    assert world.be_killed(first, *others, resume=True) == "d"
    world.acts.clear()
    world.roles.clear()
    assert world.run(first, *others, resume=True) == "d"


def test_what_needs_a_job_that_was_run_again_is_run_again_whenever(world: World):
    world.run(ONE, TWO, THREE)
    changed = job("a", text="y")
    world.acts["b"] = kill
    assert world.be_killed(changed, TWO, THREE, resume=True) == "a b"
    world.acts.clear()
    assert world.run(changed, TWO, THREE, resume=True) == "b c"


def test_so_is_what_needs_a_member_of_a_family_that_was(world: World):
    def pipeline(text: str) -> Pipeline:
        members = (job("f[0]"), job("f[1]", text=text))
        family = Family("f", (), lambda: iter(members))
        return Pipeline((job("b", needs="f"),), "p.yaml", (family,))

    def run(text: str) -> str:
        return world.run_all(pipeline(text), resume=True)

    assert [run("x"), run("x"), run("y")] == ["f[0] f[1] b", "", "f[1] b"]


def test_what_changed_is_run_again_and_so_is_what_needs_it(world: World):
    world.run(ONE, TWO, THREE, job("d"))
    changed = job("b", needs="a", text="y")
    assert world.run(ONE, changed, THREE, job("d"), resume=True) == "b c"


def test_what_changed_among_its_inputs_is_seen_without_outputs_too(world: World):
    reads = job("a", "", "in")
    world.run(reads)
    assert world.run(reads, resume=True) == ""
    Path("in").write_text("22")
    assert world.run(reads, resume=True) == "a"


def test_so_is_what_changed_below_a_directory(world: World):
    Path("tree/sub").mkdir(parents=True)
    Path("tree/sub/file").write_text("1")
    Path("tree/link").symlink_to("sub")
    reads = job("a", "", "tree")
    world.run(reads)
    assert world.run(reads, resume=True) == ""
    changes: tuple[Callable[[], object], ...] = (
        lambda: Path("tree/sub/file").write_text("22"),
        lambda: os.utime("tree/sub/file", (5, 5)),
        lambda: Path("tree/sub/new").touch(),
        lambda: Path("tree/sub/new").rename("tree/sub/renamed"),
        lambda: Path("tree/link").unlink(),
        lambda: Path("tree/link").symlink_to("."),
    )
    for change in changes:
        change()
        assert world.run(reads, resume=True) == "a"
        assert world.run(reads, resume=True) == ""


def test_a_job_whose_stdout_file_is_gone_is_run_again(world: World):
    stage = ONE.stages[0]._replace(stdout=Output("o", ".o.part"))
    writes = ONE._replace(stages=(stage,))
    world.acts["a"] = lambda: Path("o").touch()
    world.run(writes)
    assert world.run(writes, resume=True) == ""
    Path("o").unlink()
    assert world.run(writes, resume=True) == "a"


def test_a_fresh_run_that_is_resumed_stays_fresh(world: World):
    jobs = (MAKE, job("b", "last", "", "a"))
    world.run(*jobs)
    world.acts["b"] = kill
    assert world.be_killed(*jobs, fresh=True) == "a b"
    assert world.be_killed(*jobs, resume=True) == "b"
    world.acts.clear()
    assert world.run(*jobs, resume=True) == "b"


def test_a_failed_job_is_run_again(world: World):
    world.roles["b"] = FAIL
    world.run(ONE, TWO, THREE)
    world.roles.clear()
    assert world.run(ONE, TWO, THREE, resume=True) == "b c"


def test_what_failed_since_is_run_again_though_all_is_as_it_was(world: World):
    jobs = (job("a", "", "in"), job("b", needs="a"))
    before = os.stat("in")
    world.run(*jobs)
    Path("in").write_text("22")
    world.roles["a"] = FAIL
    assert world.run(*jobs, resume=True) == "a"
    Path("in").write_text("1")
    os.utime("in", ns=(before.st_atime_ns, before.st_mtime_ns))
    world.acts["a"] = kill  # it was run, and nobody knows how that ended
    assert world.be_killed(*jobs, resume=True) == "a"
    world.acts.clear()
    world.roles.clear()
    assert world.run(*jobs, resume=True) == "a b"
    assert world.run(*jobs, resume=True) == ""


def test_the_run_is_told_in_which_a_job_succeeded(world: World):
    world.run(ONE)
    world.run(ONE, TWO, resume=True)
    world.run(ONE, TWO, resume=True)
    assert world.run(ONE, TWO, resume=True) == ""
    assert world.passed == {
        "a": "it succeeded in 20261121-091500-1",
        "b": "it succeeded in 20261121-091500-2",
    }


@pytest.mark.parametrize("members", [(), (NEVER,)], ids=["none", "skipped"])
def test_what_needs_a_family_that_had_nothing_to_do_is_kept(world: World, members):
    family = Family("f", (), lambda: iter(members))
    pipeline = Pipeline((job("b", needs="f"),), "p.yaml", (family,))
    world.roles |= {f"-when {member.name}": FAIL for member in members}
    assert "b" in world.run_all(pipeline).split()
    assert "b" not in world.run_all(pipeline, resume=True).split()
    assert all("when" in world.passed[job.name] for job in members)
    assert world.passed["b"] == "it succeeded in 20261121-091500-1"


# --- who makes what -----------------------------------------------------------------


def test_two_jobs_that_make_the_same_file_are_refused(world: World, tmp_path: Path):
    Path("link").symlink_to(".")
    for name in ("./out", "link/out", str(tmp_path / "out")):
        with pytest.raises(UsageError, match="jobs a and b make the same file: out"):
            world.run(MAKE, job("b", name))


def test_errands_are_always_run_and_never_remembered(world: World):
    errand = job("-when a")
    assert world.run(errand) == "-when a"
    assert world.run(errand, resume=True) == "-when a"


def test_what_serves_the_run_is_part_of_each(world: World):
    pipeline = Pipeline((ONE,), "p.yaml", setup=job("setup"))
    ran = [world.run_all(pipeline, resume=True) for _ in range(2)]
    assert ran == ["setup a", "setup"]


def test_reading_a_large_input_stops_when_the_run_does(world: World):
    Path("in").write_bytes(b"x" * (3 << 20))
    world.flags.patience = 1
    assert world.run(MAKE) == ""
    world.flags.patience = sys.maxsize
    assert world.run(MAKE, resume=True) == "a"

"""Console: a run told on a text stream, as it happens. Lines only, no animation."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.model.event import (
    ErrandEnded,
    Event,
    Interrupted,
    JobEnded,
    JobEvent,
    JobPassed,
    JobRetried,
    JobSkipped,
    JobStarted,
    RanShort,
    RunEnded,
    RunStarted,
)
from penstock.model.job import Job, Stage
from penstock.model.outcome import Cancelled, Exited, Outcome, StageOutcome
from penstock.model.signals import signal_name
from penstock.model.tally import Tally, count
from penstock.report.edges import edge_lines
from penstock.report.failure import (
    format_failure,
    format_root,
    leftovers,
    place_of,
    said,
)
from penstock.report.plain import visible
from penstock.report.words import (
    describe_ending,
    describe_shortage,
    duration,
    plural,
    size,
)
from penstock.typed import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from typing import TextIO

Verbosity = Literal["quiet", "normal", "verbose"]

_GREEN, _RED, _YELLOW = "\x1b[32m", "\x1b[31m", "\x1b[33m"
_DEFAULT = "\x1b[0m"
_MARK = 6
_WIDEST_NAME = 32
_MOST_NAMES = 10
_TEARDOWN = "teardown"
_AGAIN = "again to end it at once"


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to colour: NO_COLOR, FORCE_COLOR, then whether it is a terminal.

    Either variable counts when it is not empty (no-color.org, force-color.org).
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM") != "dumb"


class Console:
    """A `Sink` for people.

    Args:
        stream: gets whole lines. Should it break, the run is told to nobody further.
        verbosity: "quiet" tells failures only; "verbose" adds starts and stages.
        colour: as `wants_colour` says.
        search_path: PATH, for the hint about a command that was not found.
        leads_with_place: a failure begins with the file and the line where what failed
            is defined, as a compiler's message does.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        verbosity: Verbosity = "normal",
        colour: bool = False,
        search_path: str | None = None,
        leads_with_place: bool = False,
    ) -> None:
        self._stream = stream
        self._verbosity = verbosity
        self._colour = colour
        self._search_path = search_path
        self._leads_with_place = leads_with_place
        self._width = 0
        self._tally = Tally()
        self._failed: list[str] = []
        self._root = ""
        self._interruptions = 0
        self._has_such_job = False  # one of the jobs has the name of the teardown
        self._is_torn_down = False  # the teardown runs
        self._is_broken = False

    def receive(self, event: Event) -> None:
        """Tell `event`, if it is worth telling at this verbosity."""
        self._tally = count(self._tally, event)
        text = self._tell(event)
        if text:
            self._write(text)

    def _tell(self, event: Event) -> str:
        match event:
            case RunStarted(_, _, jobs):
                self._width = min(max(map(len, jobs), default=0), _WIDEST_NAME)
                self._has_such_job = _TEARDOWN in jobs
                return ""
            case Interrupted(signal):
                self._interruptions += 1
                if self._interruptions == 1 and self._is_torn_down:
                    return f"{signal_name(signal)}: {_TEARDOWN} goes on; {_AGAIN}\n"
                return _interruption(signal, self._interruptions)
            case RanShort():
                text = self._mark("warn", _YELLOW) + describe_shortage(event)
                return self._unless_quiet(text + "\n")
            case RunEnded(_, _, elapsed):
                return self._summary(elapsed)
            case _:
                return self._tell_of_job(event)

    def _tell_of_job(self, event: JobEvent) -> str:
        match event:
            case JobStarted(job, _, attempt):
                self._is_torn_down = job.name == _TEARDOWN and not self._has_such_job
                tried = f"attempt {attempt}" if attempt > 1 else ""
                line = self._line("start", "", job.name, tried)
                return line if self._is_verbose else ""
            case JobRetried(job, outcome):
                line = self._line("retry", _YELLOW, job.name, _retry(event))
                return self._unless_quiet(line + self._notes(job, outcome))
            case JobEnded(job, outcome):
                self._is_torn_down = False
                text = self._tell_outcome(job, outcome)
                return text and text + _attempts(event)
            case JobSkipped() | JobPassed():
                return self._unless_quiet(self._not_run(event))
            case ErrandEnded(job, kind, outcome):
                return self._tell_errand(job, kind, outcome)

    def _not_run(self, event: JobSkipped | JobPassed) -> str:
        mark = ("skip", _YELLOW) if isinstance(event, JobSkipped) else ("pass", "")
        return self._line(*mark, event.job.name, event.because)

    def _tell_outcome(self, job: Job, outcome: Outcome) -> str:
        if outcome.ok:
            text = self._line("ok", _GREEN, job.name, _cost(outcome))
            text += self._notes(job, outcome)
            warned = job.leaks == "warn" and outcome.stragglers
            return text if warned else self._unless_quiet(text)
        own = outcome.remark or outcome.trouble
        if isinstance(outcome.ending, Cancelled) and own is None:
            ending = describe_ending(outcome.ending, job.limits.grace)
            text = self._line("stop", _YELLOW, job.name, ending) + self._notes(
                job, outcome
            )
            return text if outcome.survivors else self._unless_quiet(text)
        if not self._failed:
            self._root = format_root(job, outcome)
        self._failed.append(job.name)
        text = self._mark("FAIL", _RED) + format_failure(
            job, outcome, self._search_path
        )
        place = place_of(job, outcome) if self._leads_with_place else None
        if place is not None:
            text = f"{visible(place.file)}:{place.line}: {text}"
        return text + self._stages(job, outcome)

    def _tell_errand(self, job: Job, kind: str, outcome: Outcome) -> str:
        """A notice that failed; and everything else, if that is wanted."""
        ending = describe_ending(outcome.ending, job.limits.grace)
        if kind == "notice" and not outcome.ok:
            details = f"{ending}; that changes nothing in how the run ended"
            told = self._line("warn", _YELLOW, job.name, details)
            return told + self._notes(job, outcome)
        mark = "note" if kind == "notice" else kind
        line = self._line(mark, "", job.name.removeprefix(f"-{kind} "), ending)
        return line if self._is_verbose else ""

    def _notes(self, job: Job, outcome: Outcome) -> str:
        """What else there is to know of a job that did not fail."""
        told = (*said(job, outcome), *leftovers(outcome))
        notes = (text.replace("\n", "\n" + " " * _MARK) for _, text in told)
        shown = "".join(f"{'':{_MARK}}{note}\n" for note in notes)
        return shown + self._stages(job, outcome)

    def _stages(self, job: Job, outcome: Outcome) -> str:
        """What each stage did, if that is wanted."""
        if not self._is_verbose:
            return ""
        pairs = zip(job.stages, outcome.stages, strict=False)
        stages = (_stage_line(stage, result) for stage, result in pairs)
        lines = (*stages, *edge_lines(job, outcome))
        return "".join(f"{'':{_MARK}}{line}\n" for line in lines)

    def _summary(self, elapsed: float) -> str:
        tally = self._tally
        if tally.jobs == 1 or (self._verbosity == "quiet" and not self._failed):
            return ""
        counts = (
            (tally.succeeded, "ok"),
            (tally.failed, "failed"),
            (tally.timed_out, "timed out"),
            (tally.cancelled, "cancelled"),
            (tally.skipped, "skipped"),
            (tally.passed, "passed over"),
        )
        told = ", ".join(f"{number} {how}" for number, how in counts if number)
        jobs = plural(tally.jobs, "job")
        text = f"{jobs}: {told or 'nothing to do'} in {duration(elapsed)}\n"
        if len(self._failed) > 1:
            text += _names(self._failed)
        return text + self._root

    @property
    def _is_verbose(self) -> bool:
        return self._verbosity == "verbose"

    def _unless_quiet(self, text: str) -> str:
        return "" if self._verbosity == "quiet" else text

    def _line(self, mark: str, colour: str, name: str, details: str) -> str:
        name = f"{visible(name):<{self._width}}"
        return f"{self._mark(mark, colour)}{name}  {visible(details)}".rstrip() + "\n"

    def _mark(self, mark: str, colour: str) -> str:
        padded = f"{mark:<{_MARK}}"
        return f"{colour}{padded}{_DEFAULT}" if self._colour and colour else padded

    def _write(self, text: str) -> None:
        if self._is_broken:
            return
        encoding = self._stream.encoding or "utf-8"  # None for an io.StringIO
        try:
            self._stream.write(
                text.encode(encoding, "backslashreplace").decode(encoding)
            )
            self._stream.flush()
        except BlockingIOError:
            pass  # a terminal that another program made non-blocking; it may recover
        except (OSError, ValueError):  # ValueError: it was closed
            self._is_broken = True


def _retry(event: JobRetried) -> str:
    """Which attempt failed, of what, and when there will be another."""
    job, outcome, attempt, after, _ = event
    ending = describe_ending(outcome.ending, job.limits.grace)
    again = f"again in {duration(after)}" if after > 0 else "again"
    return f"attempt {attempt} of {job.policy.retry.times + 1} {ending}; {again}"


def _attempts(event: JobEnded) -> str:
    """That it was not the first attempt, in a line of its own."""
    if event.attempt == 1:
        return ""
    attempts = event.job.policy.retry.times + 1
    return f"{'':{_MARK}}this was attempt {event.attempt} of {attempts}\n"


def _interruption(signal: int, times: int) -> str:
    if times == 1:
        return f"{signal_name(signal)}: ending all jobs; again to end them at once\n"
    return f"{signal_name(signal)}: ending all jobs at once\n"


def _cost(outcome: Outcome) -> str:
    """Elapsed time, CPU time, and the memory of the largest process."""
    usages = [stage.usage for stage in outcome.stages if stage.usage is not None]
    if not usages:
        return duration(outcome.elapsed)
    cpu = sum(usage.user + usage.system for usage in usages)
    parts = [duration(outcome.elapsed), f"cpu {duration(cpu)}"]
    largest = max(usage.maxrss_bytes or 0 for usage in usages)
    return "  ".join([*parts, size(largest)] if largest else parts)


def _stage_line(stage: Stage, result: StageOutcome) -> str:
    ending = describe_ending(result.ending, stage.limits.grace)
    if result.ok and result.ending != Exited(0):
        ending = f"{ending}, which is fine here"
    parts = [visible(stage.name), duration(result.elapsed)]
    if result.usage is not None:
        parts.append(f"cpu {duration(result.usage.user + result.usage.system)}")
        if result.usage.maxrss_bytes is not None:
            parts.append(size(result.usage.maxrss_bytes))
    return "  ".join([*parts, visible(ending)])


def _names(failed: list[str]) -> str:
    """All that failed, in order."""
    names = ", ".join(visible(name) for name in failed[:_MOST_NAMES])
    more = len(failed) - _MOST_NAMES
    return f"failed: {names}" + (f" and {more} more" if more > 0 else "") + "\n"

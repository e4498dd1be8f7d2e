"""What every test gets: a leak guard, a marker, and ways to run the program.

Import the shared pieces as ``from tests.commands import ignore_term, wait_until``.
"""

from __future__ import annotations

import compileall
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

import penstock
from penstock.proc.signals import SignalFlags
from tests.commands import MARKER, kill_all, wait_until
from tests.leaks import Snapshot

SLOW_REAPER = 10.0
"""Seconds in which what is ending anyway may end after a test."""

# A limit for an example would fail on a loaded machine; pytest's own remains. In CI the
# examples are the same each time: the others are sought wherever it is not set.
settings.register_profile(
    "penstock",
    settings.get_profile("default"),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "ci", settings.get_profile("penstock"), derandomize=True, database=None
)
settings.load_profile("ci" if os.environ.get("CI") else "penstock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="run tests marked slow")
    parser.addoption("--run-long", action="store_true", help="those marked long, too")


def pytest_configure(config: pytest.Config) -> None:
    """Compile penstock once, before the workers of xdist are there.

    Where PYTHONDONTWRITEBYTECODE is set, each of its starts would compile all anew.
    """
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(os.path.dirname(penstock.__file__), quiet=2)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out slow tests, but in CI and if asked for, and long ones if not."""
    chosen = config.getoption("markexpr")
    every = config.getoption("--run-slow") or os.environ.get("CI")
    long = config.getoption("--run-long")
    for item in items:
        if item.get_closest_marker("long"):
            if not long and "long" not in chosen:
                item.add_marker(pytest.mark.skip(reason="long: --run-long"))
        elif item.get_closest_marker("slow") and not every and "slow" not in chosen:
            item.add_marker(pytest.mark.skip(reason="slow: --run-slow"))


# --- the leak guard -----------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _own_temporary_directory(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """Temporary files of this run where no other run makes any."""
    tmp_path_factory.getbasetemp()  # `tmp_path` stays where pytest keeps it
    before = tempfile.gettempdir(), os.environ.get("TMPDIR")
    directory = tempfile.mkdtemp(prefix="penstock-tests-")
    tempfile.tempdir = os.environ["TMPDIR"] = directory
    yield
    tempfile.tempdir = before[0]
    _set_variable("TMPDIR", before[1])
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _no_signal_is_ignored() -> Iterator[None]:
    """As if started from a terminal: nohup(1) and `&` leave signals ignored.

    penstock keeps what is ignored ignored, and so would not hear what a test sends.
    """
    stopping = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    ignored = [n for n in stopping if signal.getsignal(n) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(autouse=True)
def marker() -> Iterator[str]:
    """A word that no other test has, in the environment of all that this test starts.

    Afterwards nothing may be left of the test: no process (found by the marker, even
    if it has changed its parents), zombie, descriptor, thread, handler, or file.
    """
    word = f"test-{uuid.uuid4().hex}"
    outer = os.environ.get(MARKER)
    os.environ[MARKER] = word
    before = Snapshot.take(word)
    yield word
    try:
        changes = _settle(before, word)
    finally:
        kill_all(word)  # so that the next test does not suffer
        _set_variable(MARKER, outer)
    if changes:
        pytest.fail("the test left something behind:\n" + "\n".join(changes))


def _settle(before: Snapshot, word: str) -> list[str]:
    try:
        wait_until(lambda: not before.changes(Snapshot.take(word)), SLOW_REAPER)
    except TimeoutError:
        return before.changes(Snapshot.take(word))
    return []


def _set_variable(name: str, value: str | None) -> None:
    os.environ.pop(name, None)
    if value is not None:
        os.environ[name] = value


# --- running the program ------------------------------------------------------------


class Done(NamedTuple):
    """How a program ended: status as in `subprocess`, negative for a signal."""

    status: int
    out: bytes
    err: bytes


class PenstockCli:
    """Runs the installed ``penstock``, in its own session, in the test's directory."""

    def __init__(self, cwd: Path, marker: str) -> None:
        self.cwd = cwd
        self.marker = marker
        self.program = Path(sys.executable).with_name("penstock")

    def __call__(
        self,
        *args: str | os.PathLike[str],
        stdin: bytes = b"",
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Done:
        """Run it to its end.

        Args:
            args: after the program's name.
            stdin: all that it can read.
            cwd: the test's `tmp_path` if not given.
            env: put over the inherited environment.
            timeout: in seconds; then everything is killed, and the test fails.
        """
        with self.start(*args, cwd=cwd, env=env) as process:
            try:
                out, err = process.communicate(stdin, timeout)
            except subprocess.TimeoutExpired:
                kill_all(self.marker)
                out, err = process.communicate()
                pytest.fail(f"penstock {args} took {timeout} s\n{out!r}\n{err!r}")
            except BaseException:  # pytest's own timeout: leaving `with` would wait
                kill_all(self.marker)
                raise
        return Done(process.returncode, out, err)

    def start(
        self,
        *args: str | os.PathLike[str],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start it with three pipes; use the process as a context manager."""
        assert self.program.exists(), "penstock is not installed: use scripts/test"
        return subprocess.Popen(
            [self.program, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd or self.cwd,
            env=plain_environment() | dict(env or {}),
            start_new_session=True,
        )


def plain_environment() -> dict[str, str]:
    """The environment without what changes penstock: as if not under make or CI."""
    dropped = {"CI", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "NO_COLOR", "FORCE_COLOR"}
    return {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and (name == MARKER or not name.startswith("PENSTOCK_"))
    }


@pytest.fixture
def penstock_cli(tmp_path: Path, marker: str) -> PenstockCli:
    """``penstock_cli("exec", "--", "true").status``; see `PenstockCli`."""
    return PenstockCli(tmp_path, marker)


@pytest.fixture
def flags() -> Iterator[SignalFlags]:
    """The signals that come in this test; afterwards all is as it was."""
    before = {number: signal.getsignal(number) for number in SignalFlags.heeded}
    made = SignalFlags()
    yield made
    made.close()
    for number, handler in before.items():
        signal.signal(number, handler)


# --- dangerous tests ----------------------------------------------------------------

_CAGES = (
    ("unshare", "-fp", "--mount-proc", "--kill-child"),
    ("unshare", "-Urfp", "--mount-proc", "--kill-child"),
)


@pytest.fixture(scope="session")
def _cage_argv() -> tuple[str, ...] | None:
    if shutil.which("unshare") is None:
        return None
    for cage in _CAGES:
        tried = subprocess.run([*cage, "true"], capture_output=True, check=False)
        if tried.returncode == 0:
            return cage
    return None


@pytest.fixture
def cage(_cage_argv: tuple[str, ...] | None, tmp_path: Path) -> Callable[..., Done]:
    """``cage(*argv, timeout=60)``: run argv in a PID namespace of its own.

    Nothing in it can reach a process outside, and nothing of it survives.
    """
    if _cage_argv is None:
        pytest.skip("no PID namespaces here: unshare(1) is missing or not permitted")

    def run(*argv: str, stdin: bytes = b"", timeout: float = 60) -> Done:
        done = subprocess.run(
            [*_cage_argv, *argv],
            input=stdin,
            capture_output=True,
            cwd=tmp_path,
            env=plain_environment(),
            timeout=timeout,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run

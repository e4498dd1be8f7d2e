"""From the first statement to the exit status; and what comes up to the top."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from errno import EMFILE, ENOSPC

import pytest

import penstock
from penstock import __version__
from penstock.cli.main import RUNNING, answer_for
from penstock.cli.table import subcommands
from penstock.errors import DefinitionError, NurseryLost, PenstockError, UsageError

SUBCOMMANDS = subcommands()

PENSTOCK = [sys.executable, "-m", "penstock"]
TYPER = {"pydantic", "typer"}


def shell(line: str, *program: str) -> subprocess.CompletedProcess[str]:
    """What `line` does, in which "$@" is penstock, or the program given."""
    return subprocess.run(
        ["sh", "-c", line, "sh", *(program or PENSTOCK)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def loaded_by(*argv: str) -> set[str]:
    """The modules that a whole run of penstock imports."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "penstock", *argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [
        line for line in told.stderr.splitlines() if line.startswith("import time")
    ]
    return {line.rsplit("|", 1)[1].strip() for line in lines[1:]}


# --- what comes up to the top -------------------------------------------------------


def failing(error: Exception) -> Callable[[], int]:
    def fail() -> int:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status"),
    [(UsageError("no"), 2), (PenstockError("no"), 125), (NurseryLost("no"), 125)],
)
def test_what_is_expected_is_told_in_a_line(capfd, error, status):
    assert answer_for(failing(error)) == status
    assert capfd.readouterr() == ("", "penstock: no\n")


def test_a_message_cannot_give_orders_to_the_terminal(capfd):
    answer_for(failing(UsageError("no \x1b[2J \udcff")))
    assert capfd.readouterr().err == "penstock: no \\x1b[2J \\xff\n"


def test_every_mistake_of_a_definition_is_told_with_its_place_first(capfd):
    error = DefinitionError(("a.yaml:1:2: this", "a.yaml:3:4: that"))
    assert answer_for(failing(error)) == 2
    assert capfd.readouterr().err == (
        "a.yaml:1:2: this\na.yaml:3:4: that\npenstock: 2 mistakes, nothing was run\n"
    )


def test_a_single_mistake_is_counted_as_one(capfd):
    answer_for(failing(DefinitionError(("a.yaml:1:2: this",))))
    assert "penstock: 1 mistake, nothing was run\n" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError(EMFILE, "Too many", "a\x1b"),
            "Too many: a\\x1b\nhint: raise `ulimit -n`",
        ),
        (OSError(ENOSPC, "No space"), "No space\nhint: make room"),
        (MemoryError(), "Cannot allocate memory\nhint: free some memory, or raise"),
    ],
)
def test_what_the_machine_lacks_is_no_bug(capfd, error, told):
    assert answer_for(failing(error)) == 125
    assert capfd.readouterr().err.startswith(f"penstock: {told}")


STARVED = """
import resource, sys
from penstock.cli.main import answer_for
from penstock.errors import PenstockError
def fail():
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    raise PenstockError("no \\x1b")
sys.exit(answer_for(fail))
"""


def test_an_error_is_told_without_a_descriptor_to_load_anything():
    done = shell('"$@"', sys.executable, "-c", STARVED)
    assert (done.returncode, done.stderr) == (125, "penstock: no \\x1b\n")


def test_anything_else_is_a_bug_to_be_reported_with_version_and_traceback(capfd):
    assert answer_for(failing(ZeroDivisionError("of \udcff"))) == 125
    first, *rest = capfd.readouterr().err.splitlines()
    assert first.startswith(f"penstock: this is a bug in penstock {__version__} (")
    assert "please report it" in first
    assert rest[0] == "Traceback (most recent call last):"
    assert rest[-1] == "ZeroDivisionError: of \\udcff"


FAILING = """
import sys
from penstock.cli.main import answer_for
def fail():
    raise ValueError("no")
sys.exit(answer_for(fail))
"""


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_a_standard_error_that_cannot_be_written_changes_nothing(redirection):
    done = shell(f'"$@" {redirection}', sys.executable, "-c", FAILING)
    assert (done.returncode, done.stdout) == (125, "")


# --- standard output ----------------------------------------------------------------


def test_the_version_is_told_without_typer():
    done = shell('"$@" --version')
    assert (done.returncode, done.stdout) == (0, f"penstock {__version__}\n")
    assert loaded_by("--version") & TYPER == set()


@pytest.mark.parametrize("words", ["--version", "--help", "check --json nothing.yaml"])
def test_a_full_disk_is_told(words, tmp_path):
    (tmp_path / "nothing.yaml").touch()
    done = shell(f'cd {tmp_path}; "$@" {words} >/dev/full')
    assert done.returncode == 125
    assert done.stderr == (
        "penstock: cannot write to standard output: No space left on device\n"
    )


def test_penstock_ends_silently_if_nobody_reads():
    with subprocess.Popen(
        [*PENSTOCK, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.communicate()[1] == b""
        assert process.returncode == 128 + signal.SIGPIPE


def test_an_error_is_not_printed_as_data_when_standard_error_is_closed():
    done = shell('"$@" exec -t5x true 2>&-')
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


# --- dispatch -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "exec -- true",
        "pipe true 'cat >&2'",
        "exec -- true -h",  # a word of the command is not a cry for help
    ],
)
def test_a_plain_line_is_run_without_typer(line):
    done = shell(f'"$@" {line}')
    assert (done.returncode, done.stderr) == (0, "")
    assert loaded_by(*line.replace("'", "").split()) & TYPER == set()


@pytest.mark.parametrize(
    ("line", "more"),
    [("exec -- true", ["report", "source"]), ("map true ::: a", ["report.console"])],
)
def test_what_ends_well_pays_for_nothing_that_it_does_not_use(line, more):
    unused = ["make", "state", "proc.idle", "proc.lean", "proc.memory", *more]
    names = tuple(f"penstock.{name}" for name in unused)
    assert [m for m in loaded_by(*line.split()) if m.startswith(names)] == []


@pytest.mark.parametrize("line", ["exec -- true", "pipe true true"])
def test_what_ends_well_imports_little_of_the_library_of_python(line):
    heavy = {"pickle", "socket", "typing"}  # `subprocess` imports its share of the rest
    assert loaded_by(*line.split()) & heavy == set()


def test_a_line_that_only_typer_reads_is_run_too():
    done = shell('"$@" -- exec -- echo read')
    assert (done.returncode, done.stdout) == (0, "read\n")


def test_what_only_looks_like_a_cry_for_help_is_run_too(tmp_path):
    file = tmp_path / "-h"
    file.write_text("read")
    done = shell(f'cd {tmp_path} && "$@" exec --stdin -h -- cat')
    assert (done.returncode, done.stdout) == (0, "read")


@pytest.mark.parametrize("words", ["exec", "exec -h", "run --help", "pipe -t 5x true"])
def test_nothing_is_left_of_a_line_that_is_not_run(words):
    # The guard around every test finds a nursery that goes on.
    assert shell(f'"$@" {words}').returncode in (0, 2)


def test_check_is_run_without_a_nursery():
    done = shell('"$@" check nowhere.yaml')
    assert done.returncode == 2
    assert done.stderr.startswith("penstock: cannot read nowhere.yaml: No such file")
    assert "penstock.executor.nursery" not in loaded_by("check", "nowhere.yaml")


def test_run_is_run():
    assert shell('"$@" run nowhere.yaml').returncode == 2


ONE_DESCRIPTOR = """
import os, resource, sys
from penstock.cli.main import main
free = os.dup(0)
os.close(free)
before = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, before[1]))
status = main(["exec", "true"])
resource.setrlimit(resource.RLIMIT_NOFILE, before)
sys.exit(status)
"""


def test_a_process_that_cannot_be_started_is_told():
    done = shell('"$@"', sys.executable, "-c", ONE_DESCRIPTOR)
    assert (done.returncode, done.stdout) == (125, "")
    assert done.stderr == "penstock: cannot start a process: Too many open files\n"


def test_closed_descriptors_do_not_mix_with_those_of_penstock():
    done = shell('"$@" exec -- sh -c "echo out; echo err >&2" <&-')
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")
    assert shell('"$@" exec -- true <&- >&- 2>&-').returncode == 0


@pytest.mark.parametrize(
    ("disposition", "told"), [("SIG_IGN", "SIG_IGN"), ("SIG_DFL", "SIG_DFL")]
)
def test_ctrl_c_during_start_up_ends_penstock_unless_it_is_ignored(disposition, told):
    text = (
        "import signal, penstock.__main__\nprint(signal.getsignal(signal.SIGINT).name)"
    )
    starter = (
        "import os, signal, sys\n"
        f"signal.signal(signal.SIGINT, signal.{disposition})\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    )
    argv = [sys.executable, "-c", starter, "-c", text]
    assert subprocess.check_output(argv, text=True) == f"{told}\n"


# --- the package --------------------------------------------------------------------


def test_every_public_name_is_there_and_in_order():
    assert penstock.__all__ == sorted(penstock.__all__)
    assert all(hasattr(penstock, name) for name in penstock.__all__)
    assert set(penstock.__all__) <= set(dir(penstock))
    assert penstock.UsageError is UsageError


def test_every_error_is_public():
    from penstock import errors  # noqa: PLC0415 (only here)

    defined = {name for name in vars(errors) if isinstance(vars(errors)[name], type)}
    assert defined == set(penstock.__all__) - {"__version__"}


def test_another_name_is_an_attribute_error():
    name = "Pol"
    with pytest.raises(AttributeError, match="'penstock' has no attribute 'Pol'"):
        getattr(penstock, name)


def test_importing_the_package_imports_nothing_else():
    text = (
        "import sys; before = {*sys.modules}; import penstock\n"
        "print(*{*sys.modules} - before)"
    )
    out = subprocess.check_output([sys.executable, "-c", text], text=True)
    assert set(out.split()) == {"penstock", "penstock._version"}


def test_what_forks_a_nursery_is_what_the_table_says_runs():
    assert [sub.name for sub in SUBCOMMANDS if sub.runs] == sorted(
        RUNNING, key=[sub.name for sub in SUBCOMMANDS].index
    )

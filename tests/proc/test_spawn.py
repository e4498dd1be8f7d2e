from __future__ import annotations

import errno
import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from signal import SIGKILL

import pytest

from penstock.model.command import Command
from penstock.model.outcome import NotStarted, shell_status
from penstock.proc.spawn import CannotStart, Streams, find_program, spawn
from tests.leaks import Snapshot


def command(*argv: str, cwd: Path | None = None, **env: str) -> Command:
    directory = None if cwd is None else str(cwd)
    return Command(argv, " ".join(argv), tuple(env.items()), directory)


_later = itertools.count(step=10)


def find(what: Command) -> str:
    """The program of `what`, looked for so late that nothing is believed any more."""
    return find_program(what, next(_later))


def make_file(path: Path, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@pytest.fixture
def null() -> Iterator[Streams]:
    with open(os.devnull, "r+b", buffering=0) as device:
        number = device.fileno()
        yield Streams(number, number, number)


@pytest.fixture
def output(tmp_path: Path) -> Iterator[Callable[[Command], bytes]]:
    """What a command prints until its end."""
    path = tmp_path / "output"
    with open(path, "wb") as file, open(os.devnull, "rb") as device:
        streams = Streams(device.fileno(), file.fileno(), file.fileno())

        def run(what: Command) -> bytes:
            spawn(what, find(what), streams).wait()
            return path.read_bytes()

        yield run


def refusal(call: Callable[[], object]) -> NotStarted:
    with pytest.raises(CannotStart) as caught:
        call()
    return caught.value.ending


# --- finding it ---------------------------------------------------------------------


def test_a_directory_is_told_as_one(tmp_path: Path):
    for path in (str(tmp_path), "./"):
        ending = refusal(lambda: find(command(path)))  # noqa: B023 (called at once)
        assert (ending.errno, shell_status(ending)) == (errno.EISDIR, 126)
        assert ending.reason == f"{path}: is a directory"


def test_a_name_with_a_slash_is_not_looked_for(tmp_path: Path):
    make_file(tmp_path / "y")
    assert find(command(f"./../{tmp_path.name}/y", cwd=tmp_path)) == (
        f"./../{tmp_path.name}/y"
    )


def test_a_name_with_a_slash_is_missed_before_anything_is_started():
    with pytest.raises(CannotStart) as refused:
        find(command("./no/such/program"))
    assert refused.value.ending.errno == errno.ENOENT


def test_the_first_directory_of_path_that_has_it_wins(tmp_path: Path):
    first = make_file(tmp_path / "1" / "tool")
    make_file(tmp_path / "2" / "tool")
    path = f"{tmp_path}/none:{tmp_path}/1:{tmp_path}/2"
    assert find(command("tool", PATH=path)) == first


@pytest.mark.parametrize("path", ["", ":/bin", "/none:", "/none::/bin"])
def test_an_empty_entry_is_the_working_directory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
):
    make_file(tmp_path / "tool")
    monkeypatch.chdir(tmp_path)
    assert find(command("tool", PATH=path)) == "./tool"


def test_an_empty_entry_is_the_directory_that_the_command_runs_in(
    tmp_path: Path,
    output: Callable[[Command], bytes],
):
    make_file(tmp_path / "there" / "tool", "#!/bin/sh\necho hello\n")
    assert output(command("tool", cwd=tmp_path / "there", PATH="")) == b"hello\n"


def test_a_relative_entry_counts_from_the_directory_that_the_command_runs_in(
    tmp_path: Path,
    output: Callable[[Command], bytes],
):
    make_file(tmp_path / "bin" / "tool", "#!/bin/sh\necho hello\n")
    assert output(command("tool", cwd=tmp_path, PATH="bin")) == b"hello\n"


def test_the_path_of_the_command_counts_and_not_our_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    theirs = make_file(tmp_path / "theirs" / "tool")
    make_file(tmp_path / "ours" / "tool")
    monkeypatch.setenv("PATH", f"{tmp_path}/ours")
    assert find(command("tool", PATH=f"{tmp_path}/theirs")) == theirs


def test_without_a_path_the_system_directories_serve(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PATH")
    assert find(command("sh")) == "/bin/sh"


def test_a_directory_of_that_name_is_passed_over(tmp_path: Path):
    (tmp_path / "1" / "tool").mkdir(parents=True)
    file = make_file(tmp_path / "2" / "tool")
    assert find(command("tool", PATH=f"{tmp_path}/1:{tmp_path}/2")) == file


def test_what_may_not_be_executed_is_passed_over(tmp_path: Path):
    make_file(tmp_path / "1" / "tool", mode=0o644)
    file = make_file(tmp_path / "2" / "tool")
    assert find(command("tool", PATH=f"{tmp_path}/1:{tmp_path}/2")) == file


def test_only_what_may_not_be_executed_is_permission_denied(tmp_path: Path):
    found = make_file(tmp_path / "1" / "tool", mode=0o644)
    wanted = command("tool", PATH=f"{tmp_path}/1")
    ending = refusal(lambda: find(wanted))
    assert (ending.errno, shell_status(ending)) == (errno.EACCES, 126)
    assert ending.program == found


def test_only_a_directory_of_that_name_is_not_found(tmp_path: Path):
    (tmp_path / "1" / "tool").mkdir(parents=True)
    wanted = command("tool", PATH=f"{tmp_path}/1")
    assert refusal(lambda: find(wanted)).errno == errno.ENOENT


def test_what_is_nowhere_is_not_found_and_the_name_is_told():
    ending = refusal(lambda: find(command("no-such-tool")))
    assert (ending.errno, shell_status(ending)) == (errno.ENOENT, 127)
    assert "no-such-tool" in ending.reason


def test_the_empty_name_is_not_found():
    assert refusal(lambda: find(command(""))).errno == errno.ENOENT


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_name_that_no_file_can_have_is_refused(name: str):
    assert shell_status(refusal(lambda: find(command(name)))) in (126, 127)


def test_what_was_found_is_believed_for_a_second_at_most(tmp_path: Path):
    wanted = command("tool", PATH=f"{tmp_path}/1:{tmp_path}/2")
    second = make_file(tmp_path / "2" / "tool")
    assert find_program(wanted, 0.0) == second
    first = make_file(tmp_path / "1" / "tool")
    assert find_program(wanted, 1.1) == first


def test_what_was_found_may_be_believed_without_a_look(tmp_path: Path):
    wanted = command("tool", PATH=f"{tmp_path}")
    gone = make_file(tmp_path / "tool")
    assert find_program(wanted, 0.0) == gone
    (tmp_path / "tool").unlink()
    assert find_program(wanted, 0.5, surely=False) == gone
    assert refusal(lambda: find_program(wanted, 0.5)).errno == errno.ENOENT


def test_what_was_wrongly_believed_is_looked_for_again(tmp_path: Path, null: Streams):
    wanted = command("tool", PATH=f"{tmp_path}/1:{tmp_path}/2")
    believed = make_file(tmp_path / "1" / "tool", "#!/bin/sh\nexit 1")
    assert find_program(wanted, 0.0) == believed
    make_file(tmp_path / "2" / "tool", "#!/bin/sh\nexit 2")
    os.unlink(believed)
    assert spawn(wanted, find_program(wanted, 0.5, surely=False), null).wait() == 2


@pytest.mark.parametrize(
    "change", [os.unlink, lambda path: os.chmod(path, 0)], ids=["gone", "forbidden"]
)
@pytest.mark.parametrize("name", ["tool", "./tool"])
def test_what_is_gone_is_told_as_if_it_had_never_been_believed(
    tmp_path: Path, null: Streams, name: str, change: Callable[[str], None]
):
    wanted = command(name, cwd=tmp_path, PATH=str(tmp_path))
    path = make_file(tmp_path / "tool")
    find(wanted)
    change(path)
    if os.access(path, os.X_OK):
        pytest.skip("nothing is forbidden to this user")
    believed = find_program(wanted, next(_later) - 9.5, surely=False)
    ending = refusal(lambda: spawn(wanted, believed, null))
    assert ending == refusal(lambda: find(wanted))


# --- starting it --------------------------------------------------------------------


def test_it_leads_a_session_of_its_own(null: Streams):
    process = spawn(command("sleep", "1000"), "/bin/sleep", null)
    assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid
    os.kill(process.pid, SIGKILL)
    assert process.wait() == -SIGKILL


def test_it_is_given_its_arguments_environment_and_directory(
    tmp_path: Path,
    output: Callable[[Command], bytes],
):
    script = 'printf "%s\\n" "$0" "$1" "$NAME"; pwd'
    argv = ("/bin/sh", "-c", script, "zero", "a  b\n\udcff")
    seen = output(command(*argv, cwd=tmp_path, NAME="value"))
    assert seen == b"zero\na  b\n\xff\nvalue\n" + os.fsencode(tmp_path) + b"\n"


def test_argv_0_is_as_it_was_typed(output: Callable[[Command], bytes]):
    seen = output(command("cat", "/proc/self/cmdline"))
    assert seen == b"cat\0/proc/self/cmdline\0"


def test_a_script_without_an_interpreter_line_is_run_by_the_shell(
    tmp_path: Path,
    output: Callable[[Command], bytes],
):
    script = make_file(tmp_path / "script", 'echo "$0" "$1"\n')
    seen = output(command(script, "one"))
    assert seen == f"{script} one\n".encode()


@pytest.mark.parametrize("content", ["", "\0\0\0\0"])
def test_what_no_one_can_run_ends_as_the_shell_says(
    tmp_path: Path,
    null: Streams,
    content: str,
):
    path = make_file(tmp_path / "odd", content)
    status = spawn(command(path), path, null).wait()
    expected = subprocess.run(["/bin/sh", path], check=False, capture_output=True)
    assert status == expected.returncode


def test_a_missing_interpreter_is_told_apart_from_a_missing_file(
    tmp_path: Path,
    null: Streams,
):
    path = make_file(tmp_path / "script", "#!/no/such/interpreter\n")
    ending = refusal(lambda: spawn(command(path), path, null))
    assert (ending.errno, shell_status(ending)) == (errno.ENOENT, 127)
    assert "interpreter" in ending.reason
    assert ending.program == path
    ending = refusal(lambda: spawn(command("/no/such/file"), "/no/such/file", null))
    assert "interpreter" not in ending.reason
    assert ending.program is None


def test_a_directory_cannot_be_executed(tmp_path: Path, null: Streams):
    path = str(tmp_path)
    ending = refusal(lambda: spawn(command(path), path, null))
    assert (ending.errno, shell_status(ending)) == (errno.EACCES, 126)


def test_a_file_where_a_directory_is_needed_is_not_found(
    tmp_path: Path,
    null: Streams,
):
    path = make_file(tmp_path / "file") + "/tool"
    ending = refusal(lambda: spawn(command(path), path, null))
    assert (ending.errno, shell_status(ending)) == (errno.ENOTDIR, 127)


def test_an_argument_that_is_too_long_is_trouble(null: Streams):
    ending = refusal(lambda: spawn(command("true", "x" * (1 << 17)), "/bin/true", null))
    assert (ending.errno, shell_status(ending)) == (errno.E2BIG, 125)


def test_the_longest_argument_that_there_may_be_is_passed_on(null: Streams):
    longest = "x" * ((1 << 17) - 1)
    assert spawn(command("true", longest), "/bin/true", null).wait() == 0


@pytest.mark.parametrize(
    "odd",
    [
        command("true", "a\0b"),
        command("true", "\ud800"),
        Command(("true",), "true", (("A=B", "c"),)),
        Command(("true",), "true", (("A", "b\0c"),)),
        Command(("true",), "true", cwd="a\0b"),
    ],
    ids=["NUL in argument", "no bytes", "name with =", "NUL in value", "NUL in cwd"],
)
def test_what_execve_cannot_be_given_is_refused(null: Streams, odd: Command):
    ending = refusal(lambda: spawn(odd, "/bin/true", null))
    assert (ending.errno, shell_status(ending)) == (errno.EINVAL, 126)


def test_a_directory_that_is_not_there_is_told_by_name(tmp_path: Path, null: Streams):
    nowhere = command("true", cwd=tmp_path / "nowhere")
    ending = refusal(lambda: spawn(nowhere, "/bin/true", null))
    assert (ending.errno, ending.culprit) == (errno.ENOENT, "file")
    assert f"{tmp_path}/nowhere" in ending.reason


def test_nothing_is_left_open_or_running_after_a_failure(null: Streams):
    before = Snapshot.take()
    for argv in (("/no/such",), ("/tmp",), ("true", "x" * (1 << 17)), ("true", "\0")):
        refusal(partial(spawn, command(*argv), argv[0], null))
    assert before.changes(Snapshot.take()) == []

"""Commands see the environment as it was given to penstock."""

from __future__ import annotations

import subprocess

import pytest

ODD = {
    "BASH_FUNC_f%%": '() { echo it\\\'s "$1";\n}',  # as by `export -f f`
    "A-B": " a  b \n",
    "1": "\\ $x `y`",
    "naïve": "é",
}
NO_LOCALE = {"LANG": "", "LC_ALL": ""}


def environment_in(penstock_cli, env: dict[str, str]) -> dict[str, str]:
    done = penstock_cli("exec", "env", "-0", env=env)
    assert (done.status, done.err) == (0, b"")
    items = done.out.decode().rstrip("\0").split("\0")
    return dict(item.split("=", 1) for item in items)


def test_variables_whose_names_a_shell_cannot_have_are_passed_on(penstock_cli):
    seen = environment_in(penstock_cli, ODD | {"PLAIN": "x"})
    assert {name: seen.get(name) for name in ODD} == ODD
    assert seen["PLAIN"] == "x"


def test_a_function_of_bash_is_passed_on(penstock_cli):
    assert penstock_cli("exec", "bash", "-c", "f 'a  b'", env=ODD).out == b"it's a  b\n"


@pytest.mark.parametrize("given", ["", "C", "POSIX", "C.UTF-8"])
def test_what_python_makes_of_the_locale_is_not_passed_on(penstock_cli, given):
    seen = environment_in(penstock_cli, NO_LOCALE | {"LC_CTYPE": given})
    assert seen["LC_CTYPE"] == given


def test_a_log_that_is_not_utf_8_is_text_without_a_locale(penstock_cli):
    done = penstock_cli("pipe", "printf 'caf\\351\\n'", "grep caf", env=NO_LOCALE)
    assert (done.status, done.out) == (0, b"caf\xe9\n")


@pytest.mark.parametrize("name", ["penstock", "penstock-sh"])
def test_a_directory_to_read_from_is_refused_in_words(penstock_cli, name):
    program = penstock_cli.program.with_name(name)
    line = ["sh", "-c", 'exec "$0" -c true < /', str(program)]
    done = subprocess.run(line, capture_output=True, check=False)
    said = "the standard input is a directory, from which nothing can be read"
    assert (done.returncode, done.stderr) == (2, f"{name}: {said}\n".encode())

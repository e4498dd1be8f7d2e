"""Whatever the fast reader reads, Typer reads alike.

And so what Typer refuses, the fast reader has not read.
"""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from penstock.cli.app import parse
from penstock.cli.fast import parse_fast
from penstock.cli.table import subcommands

SUBCOMMANDS = subcommands()

OPTIONS = {option for each in SUBCOMMANDS for option in each.options}
NAMES = sorted({name for option in OPTIONS for name in option.names})
LETTERS = sorted(name[1] for name in NAMES if len(name) == 2)

RIGHT = {
    "STYLE": ["off", "fifo", "pipe"],
    "DURATION": ["0", "5", "0.5", "500ms", "1h30m"],
    "N": ["4", "50%", "+1", "-1"],
    "LAYER": ["none", "pidns", "cgroup"],
    "FILE": ["-", "--", "-q", "a b", "\udcff"],
    "SIGNAL": ["INT", "SIGUSR1", "rtmin+1", "15"],
    "DIR": ["d", "d/{1}", "a b"],
    "PROGRAM": ["bash", "bash -o pipefail", "/bin/sh"],
    "NICENESS": ["0", "19", "-20", "+5"],
    "SIZE": ["1B", "64MiB", "1.5GB"],
    "kill|warn|fail|allow": ["kill", "warn", "fail", "allow"],
    "NUMBER": ["1", "12"],
    "TEXT": [",", "{}", "\\n", "a b"],
    "REGEX": [",", " +"],
    ":": [":"],
    "WHEN": ["auto", "never", "always"],
    "WHEN,WHAT": ["never", "now,fail=1", "soon,success=3", "now,done=20%"],
    "NAME=VALUE": ["a=1", "a=", "b==", "-q=x", "\udcff=\udcfe"],
    "NAME=FILE": ["a=f", "b==", "-q=x", "\udcff=\udcfe"],
    "FORMAT": ["text", "dot"],
    "MODE": ["group", "line", "live", "quiet"],
}
WRONG = ["", " ", "=", "5x", "-5", "inf", "1e3", "٣", "%", "+", "é", "\udcff", "--x"]
OPERANDS = ["ls", "-", "", " ", "a/b", "x.yaml", "head -5", "\udcff", "exec", "a=b"]
NOT_NAMES = ["--tim", "--no-quiet", "---", "-x", "-h", "--help", "--", "--version"]

names = st.sampled_from(NAMES + NOT_NAMES)
texts = st.sampled_from([*chain(*RIGHT.values()), *WRONG]) | st.text(max_size=4)
clusters = st.text([*LETTERS, *"=-hx5"], min_size=1, max_size=4)
odd_words = st.one_of(
    names,
    texts,
    st.sampled_from(OPERANDS),
    st.sampled_from([f"{name}=" for name in NAMES]),
    st.builds("{}={}".format, names, texts),
    st.builds("{}{}".format, names, texts),
    st.builds("-{}".format, clusters),
)


@st.composite
def option_of(draw, subcommand) -> list[str]:
    """One option, and a text for it if it takes one, in one of the ways to do so."""
    option = draw(st.sampled_from(subcommand.options))
    name = draw(st.sampled_from(option.names))
    if option.metavar is None:
        return [name]
    text = draw(st.sampled_from(RIGHT[option.metavar]))
    attached = f"{name}={text}" if name.startswith("--") else name + text
    return [attached] if draw(st.booleans()) else [name, text]


@st.composite
def right_line(draw) -> list[str]:
    """A line in order: options, perhaps a ``--``, operands."""
    subcommand = draw(st.sampled_from(SUBCOMMANDS))
    most_options = 4 if subcommand.options else 0
    options = draw(st.lists(option_of(subcommand), max_size=most_options))
    dashes = draw(st.sampled_from([[], ["--"]]))
    most = next(n for n in (3, 1, 0) if subcommand.operand.allows(n))
    words = st.sampled_from(["a", "b.yaml"])
    operands = draw(st.lists(words, min_size=min(1, most), max_size=most))
    return [subcommand.name, *chain(*options), *dashes, *operands]


@st.composite
def any_line(draw) -> list[str]:
    """A right line into which odd words have got, or out of which words were lost."""
    line: list[str] = draw(right_line())
    for word in draw(st.lists(odd_words, max_size=2)):
        line.insert(draw(st.integers(0, len(line))), word)
    if draw(st.booleans()):
        del line[draw(st.integers(0, len(line) - 1))]
    return line


def agree(argv: list[str]) -> None:
    fast = parse_fast(argv)
    event("read fast" if fast else "left to Typer")
    if fast is not None:
        slow = parse(argv)
        assert (type(slow), slow) == (type(fast), fast)


def test_there_is_a_right_text_for_each_option():
    assert {option.metavar for option in OPTIONS} - {None} <= RIGHT.keys()


@given(any_line())
@settings(max_examples=100, deadline=None)
def test_what_is_read_fast_is_read_alike_by_typer(argv):
    agree(argv)


@pytest.mark.slow
@pytest.mark.timeout(120)  # to make a counterexample short takes long
@given(any_line())
@settings(max_examples=1500, deadline=None)
def test_many_more_lines_are_read_alike(argv):
    agree(argv)


@given(right_line())
@settings(max_examples=50, deadline=None)
def test_a_line_without_mistakes_is_read_fast(argv):
    assert parse_fast(argv) is not None
    agree(argv)

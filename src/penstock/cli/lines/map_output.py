"""The options of ``penstock map`` about what becomes of what jobs print."""

from __future__ import annotations

from penstock.cli.options import read_path, read_text
from penstock.cli.syntax import Option

OUTPUT_OPTIONS = (
    Option(
        "keep_order",
        ("-k", "--keep-order"),
        "Print the outputs in the order of the values.",
    ),
    Option(
        "group",
        ("--group",),
        "Print what a job has written when it is over, whole. This is the default.",
    ),
    Option(
        "ungroup",
        ("-u", "--ungroup"),
        "Let commands print at once; the outputs of two may mix.",
    ),
    Option(
        "line_buffer",
        ("--line-buffer", "--lb"),
        "Print each line as soon as it is whole; lines of jobs take turns.",
    ),
    Option("tag", ("--tag",), "Begin each line of output with the value."),
    Option(
        "tagstring",
        ("--tagstring",),
        "Begin each line of output with this text, filled in as COMMAND is.",
        read_text,
        "TEXT",
    ),
    Option(
        "results",
        ("--results", "--res"),
        "Save what each job prints instead of printing it: as stdout, stderr and seq "
        "below DIR/1/VALUE/; with {} in DIR, which is filled in as COMMAND is, as DIR, "
        "DIR.err and DIR.seq, or, if it ends in /, below it.",
        read_path,
        "DIR",
    ),
    Option(
        "bar",
        ("--bar", "--eta"),
        "Draw on the terminal how far it is, and about how long it will take, once the "
        "end of the input is known; elsewhere, tell it every ten seconds.",
    ),
    Option(
        "progress",
        ("--progress",),
        "Tell in JSON how far it is, every second in which something happened.",
    ),
)

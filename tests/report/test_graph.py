from __future__ import annotations

import functools
import re
import subprocess
import xml.etree.ElementTree as ET

import pytest

from penstock.errors import DefinitionError
from penstock.model.command import Command
from penstock.model.job import Family, Job, Link, Pipeline, Stage, chain
from penstock.model.link import path_token
from penstock.model.policy import Policy, Service
from penstock.model.stream import Output
from penstock.report.graph import draw_dot, draw_mermaid, draw_text
from penstock.report.graph_svg import draw_svg
from penstock.report.shell import in_order, shell_script
from penstock.spec.words import command_from_text


def job(name, *commands, needs=(), links=None, **more):
    stages = [Stage(f"{n}", command_from_text(text)) for n, text in enumerate(commands)]
    joined = chain(len(stages)) if links is None else links
    return Job(name, tuple(stages), joined, tuple(needs), **more)


def squares():
    return (job(f"sq[{n}]", f"square {n}", needs=["db"]) for n in range(30))


FAN = (Link(0, 1), Link(0, 2))
PIPELINE = Pipeline(
    (
        job("report", "cat a b", needs=["words", "sq", "fan"]),
        job("words", "tr a-z A-Z", 'sort "$x" <&-', needs=["fetch"]),
        job("fetch", "curl 'a & <b>'"),
        job("db", "serve", policy=Policy(service=Service())),
        job(
            "fan", "seq 9", "wc", "cat", links=(Link(0, 1), Link(0, 2)), needs=["fetch"]
        ),
    ),
    "file.yaml",
    families=(Family("sq", ("db",), squares),),
)


def test_a_tree_shows_what_each_job_needs():
    assert (
        draw_text(PIPELINE)
        == """\
report: cat a b
├─ words: tr a-z A-Z | sort "$x" <&-
│  └─ fetch: curl 'a & <b>'
├─ sq[...] (family): square 0
│  └─ db (service): serve
└─ fan
   │  0: seq 9
   │  0 -> 1: wc
   │  0 -> 2: cat
   └─ fetch: curl 'a & <b>'
"""
    )


def test_what_stands_above_is_not_repeated():
    needs = {"b": [], "a": ["b"], "x": ["a"], "y": ["a"], "top": ["x", "y"]}
    jobs = tuple(job(name, "do", needs=needs[name]) for name in needs)
    lines = draw_text(Pipeline(jobs)).splitlines()
    assert lines[-2:] == ["└─ y: do", "   └─ a: do  (see above)"]


@pytest.mark.parametrize("draw", [draw_text, draw_mermaid, draw_dot, draw_svg])
def test_a_long_chain_is_no_trouble(draw):
    jobs = [job("j0", "x")]
    jobs += [job(f"j{n}", "x", needs=[f"j{n - 1}"]) for n in range(1, 2000)]
    assert "j1999" in draw(Pipeline(tuple(reversed(jobs))))


def test_mermaid_has_a_subgraph_for_each_job():
    text = draw_mermaid(PIPELINE)
    assert text.count("subgraph") == text.count("  end") == 6
    assert '["curl #39;a #38; #60;b#62;#39;"]' in text
    assert "j0 ==> j1" in text


def test_dot_escapes_what_is_syntax():
    text = draw_dot(PIPELINE)
    assert 'label="sort \\"$x\\" <&-"' in text
    assert text.count("subgraph cluster_") == 6
    assert text.count("{") == text.count("}")


def test_an_svg_is_xml_with_every_stage_inside_its_job():
    root = ET.fromstring(draw_svg(PIPELINE))
    name = "{http://www.w3.org/2000/svg}"
    boxes = [r for r in root.iter(f"{name}rect") if r.get("class") != "stage"]
    stages = [r for r in root.iter(f"{name}rect") if r.get("class") == "stage"]
    assert (len(boxes), len(stages)) == (6, 9)
    texts = [text.text for text in root.iter(f"{name}text")]
    assert "curl 'a & <b>'" in texts
    for stage in stages:
        assert sum(_is_inside(stage, box) for box in boxes) == 1
    for one in boxes:
        assert sum(_is_inside(one, other) for other in boxes) == 1  # itself


def _is_inside(inner, outer):
    x, y, w, h = (float(inner.get(key)) for key in ("x", "y", "width", "height"))
    left, top, width, height = (
        float(outer.get(key)) for key in ("x", "y", "width", "height")
    )
    return left <= x and top <= y and x + w <= left + width and y + h <= top + height


def test_jobs_stand_after_those_that_they_need():
    names = [unit.name for unit in in_order(PIPELINE)]
    assert names == ["fetch", "words", "db", "sq", "fan", "report"]


def test_a_script_does_what_the_jobs_do(tmp_path):
    commands = ("printf '%s\\n' b \"$v\" a", "sort")
    first = job("first", *commands)
    last = first.stages[1]._replace(
        command=Command(("sort",), "sort", env=(("v", "it's"), ("LC_ALL", "C"))),
        stdout=Output("out file", ".part"),
    )
    head = first.stages[0]
    head = head._replace(command=head.command._replace(env=(("v", "it's"),)))
    made = first._replace(stages=(head, last))
    show = job("show", "cat 'out file'", needs=["first"])
    cwd = show.stages[0].command._replace(cwd="/", argv=("pwd",), nice=1)
    where = show._replace(name="where", stages=(Stage("pwd", cwd),))
    pipeline = Pipeline(
        (show, made, where),
        setup=job("setup", "echo begin"),
        teardown=job("teardown", "echo end"),
        on_failure=job("on_failure", "echo never"),
    )
    script = shell_script(pipeline)
    run = functools.partial(subprocess.run, capture_output=True, text=True)
    done = run(["/bin/sh"], input=script, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("begin\na\nb\nit's\n/\nend\n", "")


@pytest.mark.parametrize(
    ("text", "ok", "status", "printed"),
    [
        ("exit 3", (3,), 0, "next\n"),
        ("exit 0", (0, 3), 0, "next\n"),
        ("exit 4", (0, 3), 4, ""),
        ("exit 0", (3,), 1, ""),
    ],
)
def test_a_script_accepts_what_a_job_does(text, ok, status, printed):
    shell = Command(("/bin/sh", "-c", text), text, ok=ok)
    ended = Stage("ended", shell)
    alone = Job("alone", (ended,), ())
    piped = Job("piped", (Stage("true", command_from_text("true")), ended), chain(2))
    for first in (alone, piped):
        script = shell_script(Pipeline((first, job("next", "echo next"))))
        done = subprocess.run(
            ["/bin/sh"], input=script, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (status, printed)


def test_what_a_script_stops_is_the_service_itself():
    server = Stage("server", Command(("serve",), "serve", ok=(3,)))
    service = Job("db", (server,), (), policy=Policy(service=Service()))
    assert "\nserve </dev/null &\n" in shell_script(Pipeline((service,)))


def test_no_line_of_a_value_leaves_its_comment():
    evil = Stage("x", Command(("echo", "a\ntouch evil"), "echo"))
    graph = Job("g", (evil, evil, evil), (Link(0, 1), Link(0, 2)))
    pipeline = Pipeline((graph,), always=Job("always", (evil,), ()))
    lines = shell_script(pipeline).splitlines()
    assert all(line.startswith("#") or not line for line in lines[2:])


def test_a_reason_of_several_lines_is_one_comment():
    pipeline, why = Pipeline((job("a", "true"),)), "command changed: was `a\nrm x\n`"
    lines = shell_script(pipeline, lambda _: (why,)).splitlines()
    assert "# a: needs no other; command changed: was `a rm x `" in lines
    assert "rm x" not in lines


def test_a_script_says_why():
    script = shell_script(PIPELINE)
    assert "# report: after words, sq, fan\n" in script
    assert "# db: needs no other; a service: runs while others need it\n" in script
    assert "# sq: and so on, from sq[20]\n" in script
    assert re.search(
        r"# a graph of commands.*\n#   0: seq 9 </dev/null\n#   1: wc\n", script
    )


def _not_there():
    raise DefinitionError(("file.yaml:1:1: cannot read `ids`",))


@pytest.mark.parametrize("members", [lambda: iter(()), _not_there])
def test_a_family_that_has_no_members_yet_is_told_of(members):
    family = Family("sq", ("fetch",), members)
    pipeline = Pipeline((job("fetch", "curl"),), families=(family,))
    assert "# sq: after fetch; its `for` finds nothing now\n" in shell_script(pipeline)
    assert draw_text(pipeline) == "sq[...] (family)\n└─ fetch: curl\n"


def test_fifos_have_their_names_in_a_script():
    stages = [
        Stage("a", Command(("cat",), "cat")),
        Stage("b", Command(("cmp", path_token("fifo.a")), "cmp {{fifo.a}}")),
    ]
    graph = Job("g", tuple(stages), (Link(0, 1, name="fifo.a"),))
    assert "#   b: cmp {{fifo.a}}\n" in shell_script(Pipeline((graph,)))

"""Every file in `pipelines/` runs from nothing, as `docs/gallery.md` shows it."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess

import pytest

from tests.e2e.dialogue import ROOT, blocks, replay, steps

FILES = sorted((ROOT / "pipelines").glob("*.yaml"))
GALLERY = (ROOT / "docs" / "gallery.md").read_text()
TOOLS = {
    "thumbnails": ("pamscale", "jpegtopnm", "ppmpat")
}  # that not all machines have

LOG = "".join(
    f"10.0.0.{i % 7} - - [01/Jan/2024:00:00:00 +0000] "
    f'"GET /p{i % 5} HTTP/1.1" {200 + i % 3} {size}\n'
    for i, size in enumerate([10, 4_000_000_000, "-", 7, 0] * 20)
)

_VARYING = (
    (re.compile(r"\b\d+(\.\d+)?(ms|s)\b"), "TIME"),
    (re.compile(r"  \d+ MiB"), ""),  # told only where it is more than the worker's own
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "DATE"),
    (re.compile(r" +"), " "),  # columns are as wide as what stands in them
)
_COUNT = re.compile(r"^ ?\d+ \S+$", re.MULTILINE)
_OF_THIS_MACHINE = ("identifiers", "packages")


def settled(text, block):
    """The lines without what differs from machine to machine, in no order."""
    for pattern, word in _VARYING:
        text = pattern.sub(word, text)
    if any(f"pipelines/{name}.yaml" in block for name in _OF_THIS_MACHINE):
        text = _COUNT.sub("COUNT", text)
    return sorted(text.splitlines())


def subject(block):
    """The file that a block is about, by name."""
    (name,) = set(re.findall(r"pipelines/([\w-]+)\.yaml", block))
    return name


def need_tools(name):
    for tool in TOOLS.get(name, ()):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing: apt-get install netpbm")


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("block", blocks(GALLERY), ids=subject)
def test_what_the_gallery_shows_is_what_happens(block, tmp_path, penstock_cli, cage):
    need_tools(subject(block))
    (tmp_path / "pipelines").symlink_to(ROOT / "pipelines")
    path = f"PATH={penstock_cli.program.parent}:{os.environ['PATH']}"

    def shell(script):
        return cage("env", path, "bash", "-c", script, timeout=100).out.decode()

    printed = replay(block, shell)
    told = [out for _, out in steps(block)]
    assert [settled(out, block) for out in printed] == [settled(o, block) for o in told]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_is_in_the_gallery_with_its_first_line(path):
    first, second = path.read_text().splitlines()[:2]
    assert re.fullmatch(r"# \S.*\.", first)
    assert second.startswith(f"# penstock run pipelines/{path.name} ")
    assert any(subject(block) == path.stem for block in blocks(GALLERY))
    assert first.removeprefix("# ") in GALLERY.replace("\n", " ")


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_the_gallery_writes_where_it_is_told_only(
    path, tmp_path, penstock_cli
):
    need_tools(path.stem)
    done = penstock_cli("run", "-q", path, timeout=60)
    assert done.status == 0, done
    assert {child.name for child in tmp_path.iterdir()} <= {".penstock", "build"}


@pytest.mark.parametrize("packed", [False, True])
def test_an_access_log_is_counted(packed, tmp_path, penstock_cli):
    log = tmp_path / "it's; a log"
    log.write_bytes(gzip.compress(LOG.encode()) if packed else LOG.encode())
    path = ROOT / "pipelines" / "access-log.yaml"
    done = penstock_cli("run", path, "-s", f"log={log.name}", "-s", "top=2")
    assert done.out.decode().splitlines() == [
        "==> clients.txt <==",
        "     15 10.0.0.0",
        "     15 10.0.0.1",
        "",
        "==> statuses.txt <==",
        "     34 200",
        "     33 201",
        "     33 202",
        "",
        "==> paths.txt <==",
        "80000000000 /p1",
        "200 /p0",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_a_dry_run_prints_is_read_by_a_shell(path, penstock_cli):
    script = penstock_cli("run", "--dry-run", path).out
    subprocess.run(["sh", "-n"], input=script, check=True)


@pytest.mark.slow
def test_the_lines_of_a_dry_run_can_be_pasted(penstock_cli, cage):
    path = ROOT / "pipelines" / "service.yaml"
    script = penstock_cli("run", "--dry-run", path).out
    done = cage("sh", stdin=script)
    assert done.status == 0, done
    assert done.out.splitlines()[-1] == b"9"

"""A pipeline as an SVG: jobs in columns, each right of all that it needs.

A simple layered layout: the column of a job is its distance from those that need
nothing, and its place in the column the mean of the places of what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from penstock.model.job import Pipeline
from penstock.report.graph import Box, boxes_of
from penstock.typed import NamedTuple

_LETTER = 7.3  # pixels of a monospaced letter at 12
_ROW = 26
_HEAD = 24
_PAD = 12
_GAP = 60  # between columns
_SPACE = 22  # between jobs of a column
_DETOUR = 14

_STYLE = """\
<style>
text{font:12px ui-monospace,monospace;fill:#1b1f24}
.name{font-weight:bold}
.job{fill:#f6f8fa;stroke:#57606a}
.family{fill:#eef6ff;stroke:#0969da;stroke-dasharray:4 2}
.service{fill:#f0fff4;stroke:#1a7f37}
.stage{fill:#fff;stroke:#8c959f}
path{fill:none;stroke:#57606a;stroke-width:1.5;marker-end:url(#tip)}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" \
markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#57606a;\
stroke:none;marker-end:none"/></marker></defs>"""


class _Spot(NamedTuple):
    """Where a box stands, in pixels."""

    left: float
    top: float
    width: float
    height: float


def draw_svg(pipeline: Pipeline) -> str:
    """The picture, as a document of its own."""
    boxes = boxes_of(pipeline)
    spots = _layout(boxes)
    width = max((spot.left + spot.width for spot in spots), default=0) + _PAD
    height = max((spot.top + spot.height for spot in spots), default=0) + _PAD
    size = f'width="{width:.0f}" height="{height:.0f}"'
    view = f'viewBox="0 0 {width:.0f} {height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} {size} role="img">',
        f"<title>{escape(pipeline.file or 'pipeline')}</title>",
        _STYLE,
    ]
    for at, box in enumerate(boxes):
        lines += [_edge(spots[need], spots[at]) for need in box.needs]
    for box, spot in zip(boxes, spots, strict=True):
        lines += _drawn(box, spot)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _layout(boxes: tuple[Box, ...]) -> tuple[_Spot, ...]:
    columns: dict[int, list[int]] = {}
    column: list[int] = []
    for at, box in enumerate(boxes):  # each stands after those that it needs
        column.append(1 + max((column[need] for need in box.needs), default=-1))
        columns.setdefault(column[at], []).append(at)
    spots: dict[int, _Spot] = {}
    left = float(_PAD)
    for number in sorted(columns):
        members = sorted(columns[number], key=lambda at: _wish(boxes[at], spots))
        width = max(_width(boxes[at]) for at in members)
        top = float(_PAD)
        for at in members:
            height = _HEAD + _PAD + _ROW * len(boxes[at].stages)
            spots[at] = _Spot(left, top, width, height)
            top += height + _SPACE
        left += width + _GAP
    return tuple(spots[at] for at in range(len(boxes)))


def _wish(box: Box, spots: dict[int, _Spot]) -> float:
    """Where a job would like to stand: level with what it needs."""
    tops = [spots[need].top for need in box.needs]
    return sum(tops) / len(tops) if tops else 0.0


def _width(box: Box) -> float:
    longest = max(map(len, (box.name, *box.stages)))
    detour = _DETOUR * 2 if box.names else 0
    return longest * _LETTER + 4 * _PAD + detour


def _edge(source: _Spot, target: _Spot) -> str:
    """A curve from one box to another."""
    x, y = source.left + source.width, source.top + source.height / 2
    to_x, to_y = target.left - 1, target.top + target.height / 2
    middle = (x + to_x) / 2
    return (
        f'<path d="M{x:.0f} {y:.0f}C{middle:.0f} {y:.0f} {middle:.0f} {to_y:.0f} '
        f'{to_x:.0f} {to_y:.0f}"/>'
    )


def _drawn(box: Box, spot: _Spot) -> Iterator[str]:
    """A box, its stages, and the pipes between them."""
    left, top, width, height = spot
    yield (
        f'<rect class="{box.kind}" x="{left:.0f}" y="{top:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" rx="6"/>'
    )
    yield _text(left + _PAD, top + 16, box.name, "name")
    for position, stage in enumerate(box.stages):
        y = top + _HEAD + position * _ROW
        inner = width - 2 * _PAD - (_DETOUR * 2 if box.names else 0)
        yield (
            f'<rect class="stage" x="{left + _PAD:.0f}" y="{y:.0f}" '
            f'width="{inner:.0f}" height="{_ROW - 8}" rx="3"/>'
        )
        yield _text(left + 2 * _PAD, y + 13, stage, "")
    for source, target in box.links:
        yield _pipe(spot, source, target)


def _pipe(spot: _Spot, source: int, target: int) -> str:
    """From one stage to the next straight down; to another, round the right side."""
    start = spot.top + _HEAD + source * _ROW + _ROW - 8
    end = spot.top + _HEAD + target * _ROW
    if target == source + 1:
        x = spot.left + spot.width / 2
        return f'<path d="M{x:.0f} {start:.0f}V{end - 1:.0f}"/>'
    x = spot.left + spot.width - _PAD - _DETOUR * 2
    out = x + _DETOUR * 2
    start, end = start - _ROW / 2 + 4, end + _ROW / 2 - 4
    return (
        f'<path d="M{x:.0f} {start:.0f}C{out:.0f} {start:.0f} {out:.0f} {end:.0f} '
        f'{x + 1:.0f} {end:.0f}"/>'
    )


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'

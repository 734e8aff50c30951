# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Pictures as SVG text, without any library: panels of a fixed, small width, so that they are as readable on a telephone as on a wall.

A result that isn't sure is never drawn as if it were: its mark is hollow, its interval dashed, no line leads to it, a cell is hatched.
Every mark says its number, its interval and its job when the pointer rests on it.
"""

import math
from dataclasses import dataclass
from html import escape

WIDTH = 340
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5195", "#8a6d00", "#56808f", "#444444")
LEFT, RIGHT, TOP, BOTTOM = 58, 10, 8, 34
LINE = 13  # height of a line of text


@dataclass(frozen=True)
class Mark:
    """One estimate in a picture."""
    x: float
    estimate: float
    low: float
    high: float
    stable: bool
    title: str  # what a reader gets to know about it


@dataclass(frozen=True)
class Series:
    name: str
    marks: tuple[Mark, ...]


def number(value: float) -> str:
    """Three digits that count."""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.3g} M" if size < 1e9 else f"{value / 1e9:.3g} G"
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def element(name: str, inside: str = "", **attributes) -> str:
    words = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(_attribute(value))}"' for key, value in attributes.items())
    return f"<{name}{words}>{inside}</{name}>" if inside else f"<{name}{words}/>"


def _attribute(value) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text(x: float, y: float, words: str, anchor: str = "start", **attributes) -> str:
    return element("text", escape(words), x=x, y=y, text_anchor=anchor, **attributes) if words else ""


def title(words: str) -> str:
    return f"<title>{escape(words)}</title>"


def picture(height: float, parts: list[str], label: str, kind: str, width: float = WIDTH) -> str:
    return element("svg", title(label) + "".join(parts), viewBox=f"0 0 {width:g} {height:g}", width=float(width), height=float(height),
                   role="img", class_=f"chart {kind}", xmlns="http://www.w3.org/2000/svg")


# ---- Axes -------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Scale:
    """From values to places; logarithmic if `log`."""
    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        low, high, value = (math.log(v) for v in (self.low, self.high, max(value, self.low))) if self.log else (self.low, self.high, value)
        return self.start + (value - low) / (high - low or 1) * (self.end - self.start)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers from low to high."""
    step = 10 ** math.floor(math.log10((high - low) / wanted))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= wanted)
    first = math.ceil(low / step - 1e-9)
    return [index * step for index in range(first, math.floor(high / step + 1e-9) + 1)]


def decades(low: float, high: float) -> list[float]:
    whole = [10.0**power for power in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)]
    if len(whole) >= 3:
        return whole
    fine = [factor * 10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for factor in (1, 2, 5)]
    return [value for value in fine if low <= value <= high] or [low]


def _grid(y: Scale, values: list[float], right: float) -> list[str]:
    parts = []
    for value in values:
        place = y.at(value)
        parts.append(element("line", x1=LEFT, x2=right, y1=place, y2=place, class_="grid"))
        parts.append(text(LEFT - 5, place + 4, number(value), "end"))
    return parts


# ---- Curves -----------------------------------------------------------------------------------------------------------

def curves(series: list[Series], label: str, x_name: str, y_name: str, log_x: bool = True, log_y: bool = False, height: float = 210) -> str:
    """Estimates with their intervals against a number; the ordinate begins at 0, unless it is logarithmic."""
    marks = [mark for one in series for mark in one.marks]
    places = sorted({mark.x for mark in marks})
    log_x = log_x and places[0] > 0
    x = Scale(places[0], places[-1], LEFT + 12, WIDTH - RIGHT - 12, log_x)
    top = max(max(mark.estimate, mark.high if mark.stable else 0) for mark in marks) or 1
    bottom = min(mark.estimate for mark in marks) / 2
    log_y = log_y and bottom > 0
    y = Scale(bottom if log_y else 0, top * 1.05, height - BOTTOM, TOP + LINE, log_y)
    parts = [text(4, LINE - 2, y_name, class_="axis")]
    parts += _grid(y, decades(bottom, top) if log_y else ticks(0, top * 1.05), WIDTH - RIGHT)
    parts += _below(x, _spread(places, x), height)
    parts.append(text(WIDTH - RIGHT, height - 4, x_name, "end", class_="axis"))
    for index, one in enumerate(series):
        parts += _curve(one, x, y, COLOURS[index % len(COLOURS)], 3.0 * (index - (len(series) - 1) / 2))
    legend, grown = _legend([one.name for one in series], height)
    return picture(grown, parts + legend, label, "curves")


def _spread(places: list[float], x: Scale) -> list[float]:
    """As many of the places as have room for their numbers."""
    kept: list[float] = []
    for place in places:
        if not kept or x.at(place) - x.at(kept[-1]) >= 22:
            kept.append(place)
    return kept


def _below(x: Scale, places: list[float], height: float) -> list[str]:
    return [text(x.at(place), height - BOTTOM + LINE + 2, number(place), "middle") for place in places]


def _curve(one: Series, x: Scale, y: Scale, colour: str, shift: float) -> list[str]:
    """A line joins neighbours only if both are sure."""
    parts = []
    ordered = sorted(one.marks, key=lambda mark: mark.x)
    for a, b in zip(ordered, ordered[1:]):
        if a.stable and b.stable:
            parts.append(element("line", x1=x.at(a.x) + shift, y1=y.at(a.estimate), x2=x.at(b.x) + shift, y2=y.at(b.estimate),
                                 stroke=colour, stroke_width=1.5))
    for mark in ordered:
        parts.append(_mark(mark, x.at(mark.x) + shift, y, colour))
    return parts


def _mark(mark: Mark, at: float, y: Scale, colour: str) -> str:
    top, bottom = (min(max(y.at(v), y.end - LINE), y.start) for v in (mark.high, mark.low))
    inside = title(mark.title) + element("line", x1=at, x2=at, y1=top, y2=bottom, stroke=colour, stroke_width=1.2,
                                         **({} if mark.stable else {"stroke_dasharray": "2 2"}))
    inside += element("circle", cx=at, cy=y.at(mark.estimate), r=3.2, stroke=colour, fill=colour if mark.stable else "none")
    return element("g", inside, class_="sure" if mark.stable else "unsure")


def _legend(names: list[str], height: float) -> tuple[list[str], float]:
    """Below the picture, in as many lines as it takes; and how high that makes it."""
    if len(names) < 2:
        return [], height
    parts, x, y = [], 8.0, height + LINE
    for index, name in enumerate(names):
        wide = 18 + 6.4 * len(name)
        if x + wide > WIDTH and x > 8:
            x, y = 8.0, y + LINE + 2
        parts.append(element("circle", cx=x + 4, cy=y - 4, r=3.5, fill=COLOURS[index % len(COLOURS)]))
        parts.append(text(x + 11, y, name))
        x += wide
    return parts, y + 6


# ---- Heat map ---------------------------------------------------------------------------------------------------------

def heat(cells: dict[tuple[int, int], Mark], label: str) -> str:
    """Rows: from; columns: to. Dark is much. The shades span what is sure; numbers are in the cells where there is room."""
    rows = sorted({a for a, _ in cells})
    columns = sorted({b for _, b in cells} | {a for a, _ in cells if len(rows) > 1})
    side = max(22.0, min(36.0, (WIDTH - 40) / len(columns)))
    sure = [mark.estimate for mark in cells.values() if mark.stable] or [mark.estimate for mark in cells.values()]
    shade = Scale(min(sure), max(sure) if max(sure) > min(sure) else min(sure) + 1, 0.08, 0.9)
    parts = [_HATCH, text(4, LINE - 2, "from ↓  to →", class_="axis")]
    for column, b in enumerate(columns):
        parts.append(text(30 + side * (column + 0.5), 2 * LINE, str(b), "middle"))
    for row, a in enumerate(rows):
        parts.append(text(24, 2 * LINE + 6 + side * (row + 0.62), str(a), "end"))
        for column, b in enumerate(columns):
            if (a, b) in cells:
                parts.append(_cell(cells[a, b], 30 + side * column, 2 * LINE + 6 + side * row, side, shade))
    return picture(2 * LINE + 12 + side * len(rows), parts, label, "heat", max(WIDTH, 40 + side * len(columns)))


_HATCH = ('<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
          '<rect width="6" height="6" fill="#fff"/><line x1="0" y1="0" x2="0" y2="6" stroke="#999" stroke-width="2"/></pattern></defs>')


def _cell(mark: Mark, x: float, y: float, side: float, shade: Scale) -> str:
    depth = min(max(shade.at(mark.estimate), 0.08), 0.9)
    fill = {"fill": COLOURS[0], "fill_opacity": depth} if mark.stable else {"fill": "url(#hatch)"}
    inside = title(mark.title) + element("rect", x=x, y=y, width=side - 1, height=side - 1, **fill)
    words = _short(mark.estimate)
    if side >= 5.2 * len(words) + 2:
        inside += text(x + (side - 1) / 2, y + side / 2 + 4, words, "middle", class_="light" if mark.stable and depth > 0.5 else "dark")
    return element("g", inside, class_="sure" if mark.stable else "unsure")


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.1f}{letter}" if value < 100 * size else f"{value / size:.0f}{letter}"
    return f"{value:.3g}"


# ---- Distributions ----------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Strip:
    """Percentiles of one thing measured: min, p5, p25, p50, p75, p95, p99, max."""
    name: str
    percentiles: tuple[float, ...]
    stable: bool
    title: str


def strips(rows: list[Strip], label: str, unit: str) -> str:
    """A box from p25 to p75, a line from p5 to p95, dots at min, p99 and max."""
    least = min(max(row.percentiles[0], 1e-3) for row in rows)
    most = max(max(row.percentiles) for row in rows)
    x = Scale(least / 1.15, max(most, least) * 1.15, LEFT + 10, WIDTH - RIGHT, True)
    height = TOP + 22.0 * len(rows)
    parts = []
    for value in decades(x.low, x.high):
        parts.append(element("line", x1=x.at(value), x2=x.at(value), y1=TOP, y2=height, class_="grid"))
    parts += _below(x, _spread(decades(x.low, x.high), x), height + BOTTOM)
    parts.append(text(WIDTH - RIGHT, height + 2 * LINE + 4, unit, "end", class_="axis"))
    for index, row in enumerate(rows):
        parts.append(text(LEFT, TOP + 22 * index + 15, row.name, "end"))
        parts.append(_strip(row, TOP + 22.0 * index + 11, x))
    return picture(height + BOTTOM, parts, label, "strips")


def _strip(row: Strip, y: float, x: Scale) -> str:
    least, p5, p25, p50, p75, p95, p99, most = (x.at(value) for value in row.percentiles)
    dashed = {} if row.stable else {"stroke_dasharray": "2 2"}
    colour = COLOURS[0]
    inside = title(row.title) + element("line", x1=p5, x2=p95, y1=y, y2=y, stroke=colour, **dashed)
    inside += element("rect", x=p25, y=y - 6, width=max(p75 - p25, 1.5), height=12.0, stroke=colour,
                      fill=colour if row.stable else "none", fill_opacity=0.35, **dashed)
    inside += element("line", x1=p50, x2=p50, y1=y - 7, y2=y + 7, stroke=colour, stroke_width=2)
    for place in (least, p99, most):
        inside += element("circle", cx=place, cy=y, r=1.7, fill=colour if row.stable else "none", stroke=colour)
    return element("g", inside, class_="sure" if row.stable else "unsure")


# ---- Timeline ---------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Lane:
    """Of a core: moments with the names of what ends there."""
    name: str
    moments: tuple[Mark, ...]  # x is the index of the stretch that ends here


def timeline(lanes: list[Lane], stretches: list[str], phases: list[Mark], label: str) -> str:
    """A lane for each core; numbered lines across all of them are the phases."""
    ends = [mark.estimate for lane in lanes for mark in lane.moments] + [phase.estimate for phase in phases]
    x = Scale(0, max(ends) * 1.03, LEFT, WIDTH - RIGHT)
    step = 16.0 if len(lanes) <= 16 else 9.0
    top, bottom = 24.0, 24.0 + step * len(lanes)
    parts = []
    for index, lane in enumerate(lanes):
        parts += _lane(lane, top + step * index, step, x)
    for index, phase in enumerate(phases, 1):
        inside = title(phase.title) + element("line", x1=x.at(phase.estimate), x2=x.at(phase.estimate), y1=14, y2=bottom, class_="phase",
                                              **({} if phase.stable else {"stroke_dasharray": "3 3"}))
        inside += text(x.at(phase.estimate), 8 if index % 2 else 17, str(index), "middle")
        parts.append(element("g", inside, class_="sure" if phase.stable else "unsure"))
    parts += _below(x, ticks(0, x.high), bottom + BOTTOM)
    parts.append(text(WIDTH - RIGHT, bottom + 2 * LINE + 2, "ms", "end", class_="axis"))
    legend, height = _legend(stretches, bottom + BOTTOM - 4)
    return picture(height, parts + legend, label, "timeline")


def _lane(lane: Lane, y: float, step: float, x: Scale) -> list[str]:
    parts, begin = [text(LEFT - 5, y + step / 2 + 4, lane.name, "end")] if step > 10 or int(lane.name.split()[-1]) % 4 == 0 else [], 0.0
    for mark in lane.moments:
        colour = COLOURS[int(mark.x) % len(COLOURS)]
        fill = {"fill": colour} if mark.stable else {"fill": "none", "stroke": colour, "stroke_dasharray": "2 2"}
        parts.append(element("g", title(mark.title) + element("rect", x=x.at(begin), y=y + 1, width=max(x.at(mark.estimate) - x.at(begin), 1.0),
                                                              height=step - 2, **fill), class_="sure" if mark.stable else "unsure"))
        begin = mark.estimate
    return parts


# ---- Dots -------------------------------------------------------------------------------------------------------------

def dots(series: list[Series], label: str, x_name: str, y_name: str, places: list[float], height: float = 210) -> str:
    """As curves, without lines: the abscissa has only the given places, around which the marks lie."""
    marks = [mark for one in series for mark in one.marks]
    least, most = min(mark.x for mark in marks), max(mark.x for mark in marks)
    x = Scale(least, most if most > least else least + 1, LEFT + 14, WIDTH - RIGHT - 14)
    top = max(max(mark.estimate, mark.high if mark.stable else 0) for mark in marks) or 1
    y = Scale(0, top * 1.05, height - BOTTOM, TOP + LINE)
    parts = [text(4, LINE - 2, y_name, class_="axis"), *_grid(y, ticks(0, top * 1.05), WIDTH - RIGHT)]
    parts += _below(x, places, height)
    parts.append(text(WIDTH - RIGHT, height - 4, x_name, "end", class_="axis"))
    for index, one in enumerate(series):
        parts += [_mark(mark, x.at(mark.x), y, COLOURS[index % len(COLOURS)]) for mark in one.marks]
    legend, grown = _legend([one.name for one in series], height)
    return picture(grown, parts + legend, label, "dots")

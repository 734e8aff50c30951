# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The part of the report that `make model` makes: predictions for larger machines, and what was measured, from model.json."""

from pathlib import Path

import jobs
import svg
from pictures import Figure, Section

FORMAT = 1


def sections(path: Path, _whole: dict) -> list[Section]:
    model = jobs.read_json(path)
    if not isinstance(model, dict) or model.get("format") != FORMAT:
        raise jobs.Refused(f"{path} is of another version: run `make model` again, or remove the file.")
    try:
        section = _section(model)
    except (KeyError, TypeError) as error:
        raise jobs.Refused(f"{path} is damaged ({error}): run `make model` again, or remove the file.") from None
    return [section] if section.figures else []


def _section(whole: dict) -> Section:
    figures = []
    for lens, operation, unit in dict.fromkeys((curve["lens"], curve["operation"], curve["unit"]) for curve in whole["curves"]):
        curves = [curve for curve in whole["curves"] if (curve["lens"], curve["operation"]) == (lens, operation)]
        series = [svg.Series(curve["machine"], tuple(_predicted(curve, point) for point in curve["points"])) for curve in curves]
        seen = [svg.Mark(point["cores"], point["measured"], point["measured"], point["measured"], True,
                         f"measured: {svg.number(point['measured'])} {unit}, {point['cores']} cores")
                for curve in curves for point in curve["points"] if point.get("measured") is not None]
        series += [svg.Series("measured", tuple(seen))] if seen else []
        what = f"{unit}, logarithmic, by the cores that take part; predicted" + (", and measured where it was" if seen else "")
        figures.append(Figure(operation, what, lens, svg.curves(series, f"{operation}, {lens}", "cores", unit, log_y=True), ()))
    return Section("Machines that we don't have", " ".join(whole["text"]), tuple(figures))


def _predicted(curve: dict, point: dict) -> svg.Mark:
    words = (f"{curve['operation']} on {curve['machine']}, {point['cores']} cores: {svg.number(point['mid'])} {curve['unit']} predicted, "
             f"{svg.number(point['low'])} to {svg.number(point['high'])}")
    return svg.Mark(point["cores"], point["mid"], point["low"], point["high"], True, words)

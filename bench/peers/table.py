# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The table that a person reads: Atoll's row beside Linux's."""

import summary
from pairing import Line
from rows import BY_CORES, CAVEATS

HEADS = {"icount": "Instructions of all cores together, counted by the emulator: the length of the path, the same every time",
         "elapsed": "Elapsed cycles of the time-stamp counter, medians over turns; × is Linux's relative to Atoll's in the same turn, with its "
                    "interval of 95 %"}


def text(found: list[Line]) -> str:
    parts = [_lens(lens, [line for line in found if line.lens == lens]) for lens in dict.fromkeys(line.lens for line in found)]
    unsure = ["? marks what varied too much from turn to turn to be relied on."] if any(not line.ratio.stable for line in found) else []
    return "\n\n".join(parts + ["\n".join([*unsure, *CAVEATS])])


def _lens(lens: str, found: list[Line]) -> str:
    single = [line for line in found if line.row.where != BY_CORES]
    shared = [line for line in found if line.row.where == BY_CORES]
    parts = [[HEADS[lens]]]
    if single:
        parts.append(summary.grid([["what", "where", "Atoll", "Linux", "Atoll", "Linux", "×", ""], *_rows(single)], left=4))
    if shared:
        parts.append(summary.grid([["what", "other cores", "Atoll", "Linux", "Atoll", "Linux", "×", ""], *_rows(shared)], left=4))
    return "\n\n".join("\n".join(part) for part in parts)


def _rows(found: list[Line]) -> list[list]:
    rows, before = [], None
    for line in found:
        row = [line.row.what, line.holders or line.row.where, line.row.atoll, _linux(line), summary.number(line.atoll_value),
               summary.number(line.linux_value), *_ratio(line)]
        if (line.row, line.holders) == before:
            row[:3], row[4] = [""] * 3, ""
        rows.append(row)
        before = (line.row, line.holders)
    return rows


def _linux(line: Line) -> str:
    return line.linux if line.row.share == 1 else f"{line.linux} × {line.row.share:g}"


def _ratio(line: Line) -> list[str]:
    ratio = line.ratio
    spread = "" if ratio.low == ratio.high else f"{ratio.low:.2f}-{ratio.high:.2f}"
    return [f"{ratio.estimate:.2f}{'' if ratio.stable else '?'}", spread]

# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The tables that a person reads, made from the facts of one run (or of a kept NAME.jsonl: summary.py FILE)."""

import json
import statistics
import sys
from pathlib import Path

import bars

CAVEATS = {
    "elapsed": "Cycles of the time-stamp counter. Under an emulator that shares {host} host cores among {guest} virtual ones, "
               "compare rows and ratios of this run with each other; the absolute numbers are the host's.",
    "instructions": "Instructions of all cores together, counted by the emulator, which runs one core at a time: the length of the "
                    "path, not its time. Where both sides poll, the waiting counts too, so those rows tell nothing here.",
    "host": "Measured on two threads of the host itself, without an emulator.",
}


def tables(facts: list[dict]) -> str:
    """Everything there is to show, or an empty string."""
    parts = [_machine(facts), *_matrices(facts), _summary(facts), *_agreed(facts), _bars(facts), _lens(facts)]
    return "\n\n".join(part for part in parts if part)


def grid(rows: list[list], left: int = 0) -> list[str]:
    """Right-aligned columns, but for the first `left`; the first row is the head."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]

    def line(row: list[str]) -> str:
        cells = [cell.ljust(width) if column < left else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        return "  " + "  ".join(cells).rstrip()

    return [line(row) for row in texts]


def tagged(facts: list[dict], tag: str) -> list[dict]:
    return [fact for fact in facts if fact.get("tag") == tag]


# ---- The machine ----------------------------------------------------------------------------------------------------

def _machine(facts: list[dict]) -> str:
    found = tagged(facts, "topology")
    if not found:
        return ""
    topology = found[-1]
    boots = {boot["core"]: boot for boot in tagged(facts, "boot")}
    nodes, cores = topology["nodes"], topology["cores"]
    finder = f"as ACPICA {topology['acpica']} found it" if topology["acpica"] else "which has no ACPI tables"
    lines = [f"The machine, {finder}: {_count(len(cores), 'core')}, {_count(len(nodes), 'node')}", ""]
    lines += grid([["core", "APIC ID", "node", "up after", "image"]] + [_core_row(core, boots) for core in cores])
    lines += [""]
    names = [node["node"] for node in nodes]
    head = ["node", "memory", "distance to"] + names
    distances = topology["distances"]
    lines += grid([head] + [[node["node"], size(node["memory"]), ""] + distances[index]
                            for index, node in enumerate(nodes)])
    return "\n".join(lines + _phases(facts))


def _phases(facts: list[dict]) -> list[str]:
    """Where the time of the start goes."""
    phases = sorted((us, name.removesuffix("_us").replace("_", " ")) for fact in tagged(facts, "boot_phases")
                    for name, us in fact.items() if name.endswith("_us"))
    if not phases:
        return []
    return ["", "Since the loader's first instruction: " + ", ".join(f"{name} {us / 1000:.0f} ms" for us, name in phases)]


def _core_row(core: dict, boots: dict) -> list:
    boot = boots.get(core["core"])
    if boot is None:
        return [core["core"], core["apic"], core["node"], "not started", ""]
    return [core["core"], core["apic"], core["node"], f"{boot['us'] / 1000:.1f} ms", size(boot["image_bytes"])]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size(count: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{count} B"


# ---- Pairs of cores -------------------------------------------------------------------------------------------------

def _pairs(facts: list[dict], identifier: str) -> dict[tuple[int, int], dict]:
    return {(fact["from"], fact["to"]): fact for fact in tagged(facts, "bench")
            if fact["id"] == identifier and "from" in fact and "to" in fact}


def _matrices(facts: list[dict]) -> list[str]:
    pairs = _pairs([fact for fact in facts if fact.get("lens") != "instructions"], "channel.rtt")
    return [_matrix("channel.rtt", pairs)] if pairs else []


def _matrix(identifier: str, pairs: dict) -> str:
    cores = sorted({core for pair in pairs for core in pair})
    unit = next(iter(pairs.values()))["unit"]
    rows = [["from \\ to"] + cores]
    for a in cores:
        rows.append([a] + [number(pairs[a, b]["p50"]) if (a, b) in pairs else "-" if a == b else "?" for b in cores])
    return "\n".join([f"Round trip of a message between two cores ({identifier}), median, {unit}", ""] + grid(rows))


# ---- All measurements -----------------------------------------------------------------------------------------------

def _summary(facts: list[dict]) -> str:
    measured = [fact for fact in tagged(facts, "bench") if fact["unit"] != "ratio" and "holders" not in fact]
    if not measured:
        return ""
    rows = [["measurement", "lens", "unit", "pairs", "min", "median", "p99", "× floor", "worst pair"]]
    for key in dict.fromkeys(_kind(fact) for fact in measured):
        group = [fact for fact in measured if _kind(fact) == key]
        rows.append(_summary_row(key, group, _to_floor(facts, key)))
        if key[0] in ("floor.rtt", "channel.rtt", "ipc.remote.rtt"):
            rows.append(_one_way(rows[-1], group))
    lines = ["Over all pairs: the least minimum, the median of the medians, the greatest p99; one way is half a round trip.", ""]
    return "\n".join(lines + grid(rows, left=3))


def _to_floor(facts: list[dict], key: tuple) -> list[float]:
    """For each pair, how many times the floor. Batches that took turns say it best, else the two medians do."""
    name, lens, unit = key
    if lens == "instructions":
        return []
    same = [fact for fact in facts if fact.get("lens") == lens]
    paired = _pairs(same, f"{name}/floor.rtt")
    if paired:
        return [fact["p50"] for fact in paired.values()]
    floor = _pairs(same, "floor.rtt")
    if name == "floor.rtt" or not name.endswith(".rtt"):
        return []
    return [fact["p50"] / floor[pair]["p50"] for pair, fact in _pairs(same, name).items()
            if pair in floor and floor[pair]["unit"] == unit and floor[pair]["p50"] > 0]


def _kind(fact: dict) -> tuple:
    """Measurements in one row: same identifier and parameters, only the pair of cores differs."""
    detail = " ".join(f"{name}={value}" for name, value in fact.items() if name not in
                      ("tag", "id", "lens", "unit", "from", "to", "core", "n", "min", "p5", "p25", "p50", "p75", "p95", "p99", "max"))
    return (f"{fact['id']} {detail}".strip() if detail else fact["id"], fact["lens"], fact["unit"])


def _summary_row(key: tuple, group: list[dict], ratios: list[float]) -> list:
    return [*key, len(group), number(min(fact["min"] for fact in group)),
            number(statistics.median(fact["p50"] for fact in group)), number(max(fact["p99"] for fact in group)),
            f"{statistics.median(ratios):.2f}" if ratios else "", f"{max(ratios):.2f}" if ratios else ""]


def _one_way(row: list, group: list[dict]) -> list:
    return [f"{row[0].removesuffix('.rtt')}, one way", row[1], row[2], row[3],
            number(min(fact["min"] for fact in group) / 2),
            number(statistics.median(fact["p50"] for fact in group) / 2),
            number(max(fact["p99"] for fact in group) / 2), "", ""]


# ---- Operations that other cores have to agree to ------------------------------------------------------------------

def _agreed(facts: list[dict]) -> list[str]:
    found = [fact for fact in tagged(facts, "bench") if "holders" in fact]
    in_shapes = [fact for fact in found if fact["id"].endswith((".flat", ".tree"))]
    return [_by_others(part) for part in ([fact for fact in found if fact not in in_shapes], in_shapes) if part]


def _by_others(found: list[dict]) -> str:
    """One row for each number of cores that hold the object, besides its owner. A broadcast's number of messages is no news."""
    names = list(dict.fromkeys(fact["id"] for fact in found))
    agreed = {fact["id"] for fact in found if fact["messages"] > 0 and not fact["id"].endswith((".flat", ".tree"))}
    rows = [["holders"] + [column for name in names for column in ([name, "messages"] if name in agreed else [name])]]
    for holders in sorted({fact["holders"] for fact in found}):
        row = [holders]
        for name in names:
            fact = next((f for f in found if f["id"] == name and f["holders"] == holders), None)
            row += [number(fact["p50"]) if fact else ""]
            row += [f"{fact['messages']:.4g}" if fact else ""] if name in agreed else []
        rows.append(row)
    unit = found[0]["unit"]
    return "\n".join([f"By the number of other cores that have to do with it: median, {unit}, and messages between cores", ""]
                     + grid(rows))


def _bars(facts: list[dict]) -> str:
    verdicts = bars.verdicts(facts)
    if not verdicts:
        return ""
    rows = [["bar", "worst", "must be", "met"]]
    rows += [[verdict.name, f"{verdict.measured:,.4g}" if verdict.measured < 100 else number(verdict.measured), verdict.bar,
              "yes" if verdict.met == verdict.places else f"{verdict.met} of {verdict.places}" if verdict.places > 1 else "no"]
             for verdict in verdicts]
    return "\n".join(grid(rows, left=1))


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def _lens(facts: list[dict]) -> str:
    lenses = dict.fromkeys(fact["lens"] for fact in tagged(facts, "bench"))
    origin = (tagged(facts, "provenance") or [{}])[0]
    counts = {"host": origin.get("host", {}).get("cores", "its"), "guest": origin.get("settings", {}).get("cores", "several")}
    lines = [f"Lens {lens}: {CAVEATS[lens].format(**counts)}" for lens in lenses if lens in CAVEATS]
    if lines and origin.get("accelerator"):
        lines.append(f"Accelerator {origin['accelerator']}, {origin.get('host', {}).get('cpu', 'unknown host')}.")
    return "\n".join(lines)


if __name__ == "__main__":
    print(tables([json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]))

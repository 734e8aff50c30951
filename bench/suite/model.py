#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""A model for machines that we don't have: model.py BUILD OUT MACHINE TRACE, which `make model` calls; an empty word is the default.

From the rules by which operations spread (model_trees.py) and what their parts cost, it computes how long they take on up to 1,024 cores
(model_price.py). The costs are fitted on what a sweep has measured on small machines, and judged by how well they predict the largest
(model_fit.py). Traces (`make trace`; TRACE lists their names, else it is the newest) show whether the rules are what the system does
(model_trace.py). Machines are files (model_machine.py): without MACHINE, all of bench/machines.

OUT/model.json, for the report:

  format   1
  text     sentences, in their order: the model, what it was fitted on, its error
  shapes   [{operation, holders, seen, equal, messages, depth}]: operations of the traces, how many, how many of them are as the rule says;
           as it says, messages and the longest chain of them
  parts    [{operation, of, hop, handle, send}]: quartiles from the first of the traces that has enough
  errors   [{lens, fitted_on, of, median, worst, operations, reaches}]: relative errors of `of` predictions of what was not fitted on;
           operations, {operation: {of, median, worst}}; reaches, [{fitted, predicted, of, median, worst}], from machines of at most so
           many cores to those of so many
  curves   [{operation, machine, lens, unit, points: [{cores, low, mid, high, measured}]}]; lens is elapsed or instructions, then machine
           is "this emulated machine" and measured a number or null; or model, then measured is null. `cores` are those that take part,
           the one that asks included. `low` to `high` is the range of the machine's costs, wider by the greatest median error of all
           reaches; at many more cores than were measured the error may be larger still.
  costs    by lens, what was fitted: begin and message of each kind, wake and look of each family; in the lens's unit
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import jobs
import model_fit as fit
import model_machine as machines
import model_measured as measured
import model_trace as trace
from jobs import Refused
from model_price import HOPS, Costs, Priced, price
from model_trees import OPERATIONS, REDUCTIONS, build, looks, patience

ROOT = Path(__file__).resolve().parents[2]
MACHINES = ROOT / "bench/machines"
EMULATED = "this emulated machine"
CORES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SHOWN = (2, 8, 64, 256, 1024)  # of them, in the table
SHARE = 0.5  # of a message's cost that is the sender's, if no trace says
LIKE = {"hand over": "retype", "node broadcast": "broadcast"}  # what no benchmark measures is made of messages like these
COUNT = "`make scale CORES='2 4 8' LENS=icount BENCH='agreement spans groups'`"
REFUSED = 2

Curve = dict


@dataclass(frozen=True)
class Judged:
    lens: measured.Lens
    fitted: fit.Fit
    fitted_on: list[fit.Measured]
    predicted: list[fit.Measured]
    verdict: fit.Verdict | None
    reaches: list[fit.Reach]

    def margin(self) -> float:
        """The greatest median error that was seen, however far the prediction went."""
        return max([self.verdict.median if self.verdict else 0.0, *(reach.verdict.median for reach in self.reaches)])


def main(arguments: list[str]) -> int:
    if len(arguments) != 4:
        print("usage: model.py BUILD OUT MACHINE TRACE", file=sys.stderr)
        return REFUSED
    try:
        text = model(Path(arguments[0]), Path(arguments[1]), arguments[2], arguments[3])
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED
    print(text)
    return 0


def model(directory: Path, out: Path, machine: str, trace_name: str) -> str:
    """Writes model.json; answers what there is to say of it."""
    traced = [trace.look_at(path / "messages.json") for path in find_traces(directory, trace_name)]
    runs = [found.path.with_name("facts.jsonl") for found in traced]
    sources = [source for source in (measured.sweep(out), *map(measured.run, runs)) if source]
    hop = measured.hop(sources + newest_of_host(directory))
    parts = trace.all_parts(traced)
    judged = judge_all(sources, next(filter(None, map(measured.ticks_per_ns, runs)), None), hop, parts)
    wanted = [machines.read(path, hop) for path in machine_files(machine, hop)]
    if machine and not operations_of(wanted[0], judged):
        raise Refused(f"{wanted[0].name} is priced by counted instructions, and none were counted here: {COUNT}, or give the machine "
                      "'handler_ns' instead.")
    shapes = trace.all_shapes(traced)
    curves = [curve for one in judged for curve in measured_curves(one)]
    curves += [curve for one in wanted for curve in machine_curves(one, judged)]
    text = sentences(traced, shapes, judged, hop) + rounds(sources) + left_out(wanted, judged)
    whole = {"format": 1, "text": text, "shapes": [asdict(shape) for shape in shapes], "parts": [asdict(part) for part in parts],
             "errors": [error_of(one) for one in judged], "curves": curves, "costs": {one.lens.name: one.fitted.values for one in judged}}
    jobs.write(out / "model.json", json.dumps(whole, separators=(",", ":")) + "\n")
    return "\n".join([*text, "", *table_of_shapes(shapes), *table_of_errors(judged), *table_of_curves(curves), *breakdown(wanted, judged), "",
                      f"The curves are in {out / 'model.json'}."])


# ---- What there is ----------------------------------------------------------------------------------------------------

def find_traces(directory: Path, names: str) -> list[Path]:
    paths = [directory / "trace" / name for name in dict.fromkeys(names.replace(",", " ").split())]
    for path in paths:
        if not path.is_dir():
            raise Refused(f"There is no trace {path.name} in {path.parent}: `make trace NAME={path.name}` makes one.")
    found = sorted((directory / "trace").glob("*/messages.json"), key=lambda path: path.stat().st_mtime)
    return paths or [path.parent for path in found[-1:]]


def newest_of_host(directory: Path) -> list[measured.Source]:
    """What `make bench-host` has left."""
    found = sorted((directory / "results").glob("host*.jsonl"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [source for source in map(measured.run, found[:1]) if source]


def machine_files(name: str, hop: machines.Range | None) -> list[Path]:
    """The one that was asked for; or all examples, but for those that need what has not been measured."""
    if not name:
        return [path for path in sorted(MACHINES.glob("*.json")) if hop or machines.BENCH_HOST not in path.read_text(encoding="utf-8")]
    for path in (Path(name), MACHINES / name, MACHINES / f"{name}.json"):
        if path.is_file():
            return [path]
    known = ", ".join(sorted(path.stem for path in MACHINES.glob("*.json")))
    raise Refused(f"There is no machine file {name}: give a path, or one of {known}.")


# ---- Fitting ----------------------------------------------------------------------------------------------------------

def judge_all(sources: list[measured.Source], cycles_per_ns: float | None, hop: machines.Range | None, parts: list[trace.Part]) -> list[Judged]:
    shares = {fit.kind(operation): SHARE for operation in OPERATIONS} | {fit.kind(part.operation): part.share() for part in parts}
    found = []
    for lens in measured.lenses(sources, cycles_per_ns).values():
        counted = lens.unit == fit.INSTRUCTIONS
        fitted_on, predicted = fit.divide(lens.points)
        if all(m.operation in REDUCTIONS for m in fitted_on):
            continue
        # The emulated machine's memory is the host's, so all of its cores are equally far; the emulator counts one core at a time.
        hops = (0.0,) * 3 if counted or hop is None else (hop[1],) * 3
        fitted = fit.fit_on(fitted_on, lens.unit, 1 if counted else lens.source.host_cores, shares, hops, equally_far)
        predicted = [m for m in predicted if fit.predictable(fitted, m.operation)]
        found.append(Judged(lens, fitted, fitted_on, predicted, fit.judge(fitted, predicted, equally_far),
                            fit.reaches(fitted, lens.points, equally_far)))
    return found


def equally_far(_a: int, _b: int) -> str:
    return HOPS[0]


def error_of(one: Judged) -> dict:
    verdict = one.verdict
    return {"lens": one.lens.name, "fitted_on": f"{len(one.fitted_on)} measurements on up to {max(m.cores for m in one.fitted_on)} cores",
            "of": verdict.of if verdict else 0, "median": verdict.median if verdict else None, "worst": verdict.worst if verdict else None,
            "operations": {operation: asdict(found) for operation, found in fit.by_operation(one.fitted, one.predicted, equally_far).items()},
            "reaches": [{"fitted": reach.fitted, "predicted": reach.predicted, **asdict(reach.verdict)} for reach in one.reaches]}


# ---- Curves -----------------------------------------------------------------------------------------------------------

def measured_curves(one: Judged) -> list[Curve]:
    """The largest machine measured, with ever more of its cores; then larger ones, with all of theirs."""
    largest = max(m.cores for m in one.lens.points)
    curves = []
    for operation in sorted({m.operation for m in one.lens.points if fit.predictable(one.fitted, m.operation)}):
        known = {m.holders + 1: m.value for m in one.lens.points if m.operation == operation and m.cores == largest}
        counts = sorted({*known, *(cores for cores in CORES if cores > largest)})
        points = []
        for cores in counts:
            mid = fit.predict(one.fitted, operation, max(cores, largest), cores - 1, equally_far)
            points.append(point(cores, (mid, mid, mid), one.margin(), known.get(cores)))
        curves.append({"operation": operation, "machine": EMULATED, "lens": one.lens.name, "unit": one.lens.unit, "points": points})
    return curves


def machine_curves(machine: machines.Machine, judged: list[Judged]) -> list[Curve]:
    margin = 0.0 if machine.handler else next((one.margin() for one in judged if one.lens.unit == fit.INSTRUCTIONS), 0.0)
    curves = []
    for operation in operations_of(machine, judged):
        points = [point(cores, tuple(predict(machine, operation, cores, judged, level) for level in range(3)), margin, None)
                  for cores in CORES if cores <= machine.cores()]
        curves.append({"operation": operation, "machine": machine.name, "lens": "model", "unit": "ns", "points": points})
    return curves


def point(cores: int, range_: machines.Range, margin: float, value: float | None) -> dict:
    return {"cores": cores, "low": round(range_[0] * max(0.0, 1 - margin), 1), "mid": round(range_[1], 1),
            "high": round(range_[2] * (1 + margin), 1), "measured": None if value is None else round(value, 1)}


def predict(machine: machines.Machine, operation: str, cores: int, judged: list[Judged], level: int) -> float:
    return priced(machine, operation, cores, costs_of(machine, operation, judged, level)).total


def priced(machine: machines.Machine, operation: str, cores: int, costs: Costs) -> Priced:
    graph = build(operation, 0, tuple(range(1, cores)), machine.socket_of)
    return price(graph, costs, machine.hop_of, looks(operation, graph, cores - 1), patience=patience(operation, alone=True))


def counted(judged: list[Judged]) -> fit.Fit | None:
    return next((one.fitted for one in judged if one.lens.unit == fit.INSTRUCTIONS), None)


def operations_of(machine: machines.Machine, judged: list[Judged]) -> list[str]:
    """Those that can be priced."""
    if machine.handler:
        return list(OPERATIONS)
    known = counted(judged)
    return [operation for operation in OPERATIONS if known and known.knows(LIKE.get(operation, operation))]


def costs_of(machine: machines.Machine, operation: str, judged: list[Judged], level: int) -> Costs:
    """`level`: low, middle or high."""
    hops = tuple(hop[level] for hop in machine.hops)
    if machine.handler:
        return Costs(0, machine.send[level], machine.handler[level], machine.wake[level], 0, hops)
    # The fastest instructions make the lowest costs.
    rate = machine.instructions_per_ns[2 - level]
    costs = counted(judged).costs(LIKE.get(operation, operation))
    return Costs(costs.begin / rate, costs.send / rate, costs.handle / rate, costs.wake / rate + machine.wake[level], costs.look / rate, hops)


# ---- What is said -----------------------------------------------------------------------------------------------------

def sentences(traced: list[trace.Seen], shapes: list[trace.Shape], judged: list[Judged], hop: machines.Range | None) -> list[str]:
    found = ["An operation is a graph of messages, made by the system's own rules. Each core does one thing at a time; a message costs its "
             "sender and its receiver something, a hop takes a time, a sleeping core wakes and looks at its channels. The prediction is the "
             "time until whoever asked is done."]
    if traced:
        seen, equal = sum(shape.seen for shape in shapes), sum(shape.equal for shape in shapes)
        where = f"trace {traced[0].name}" if len(traced) == 1 else f"traces {', '.join(one.name for one in traced)}"
        found.append(f"Of {seen:,} operations in the {where}, {equal:,} have the messages and the depth that the rules say; "
                     f"{sum(sum(one.torn.values()) for one in traced):,} were torn and not compared. Operations that went on at the same time "
                     "are not always told apart.")
        unseen = [operation for operation in trace.KINDS if operation not in {shape.operation for shape in shapes}]
        found += [f"No trace shows {', '.join(unseen)}: there the rules are not held against a run."] if unseen else []
    else:
        found.append("There is no trace, so nothing shows that the rules are what the system does, and a message's cost is divided evenly "
                     "between its sender and its receiver.")
    found.append(f"A hop between two bare threads of this host takes {hop[1]:,.0f} ns, half of {measured.HOP} (minimum {hop[0]:,.0f}, 99 % "
                 f"{hop[2]:,.0f})." if hop else "Hops were not measured on the bare host, and count as nothing here: `make bench-host`.")
    found += [_of_lens(one) for one in judged] or ["Nothing was measured here, so nothing was fitted and the error is unknown: `make scale`."]
    return found


def rounds(sources: list[measured.Source]) -> list[str]:
    equal, of = measured.agreeing_counts(sources)
    return [f"Of {of:,} numbers of messages and rounds that benchmarks counted, {equal:,} are as the rules say."] if of else []


def left_out(wanted: list[machines.Machine], judged: list[Judged]) -> list[str]:
    """What the predictions lack, or were not measured on."""
    if not any(machine.instructions_per_ns for machine in wanted):
        return []
    known, found = counted(judged), []
    missing = [operation for machine in wanted for operation in OPERATIONS if operation not in operations_of(machine, judged)]
    if missing:
        found.append(f"Machines that are priced by counted instructions lack {', '.join(dict.fromkeys(missing))}, of which none were counted "
                     f"here: {COUNT}.")
    found += [f"No benchmark measures {operation}: its messages are priced as those of {like}." for operation, like in LIKE.items()
              if operation not in missing]
    if known and not any(name.startswith("look") for name in known.values):
        found.append("What it costs to look at a channel can't be told from machines of one size, and counts as nothing here, which is "
                     f"far too little for many cores: {COUNT}.")
    return found


def _of_lens(one: Judged) -> str:
    error = error_of(one)
    how = f"Lens {one.lens.name}: costs were fitted on {error['fitted_on']} ({one.lens.source.path})"
    if one.verdict is None:
        return f"{how}; nothing was left to predict, so the error is unknown."
    told = f"{how}; {error['of']} others are predicted with a relative error of {error['median']:.1%} (median), {error['worst']:.1%} (worst)."
    told += " By operation: " + "; ".join(f"{operation} {found['median']:.1%}, {found['worst']:.1%}"
                                          for operation, found in error["operations"].items()) + "."
    if not one.reaches:
        return told
    far = "; ".join(f"{r.predicted} cores from up to {r.fitted}: {r.verdict.median:.1%}, {r.verdict.worst:.1%}" for r in one.reaches)
    return (f"{told} By distance, median and worst: {far}. Nothing was measured on more than {one.reaches[-1].predicted} cores, and nothing "
            "says how large the error is there.")


def table_of_shapes(shapes: list[trace.Shape]) -> list[str]:
    if not shapes:
        return []
    lines = ["Operations in the traces", "  operation       holders     seen  as the rule says  messages  one behind the other"]
    lines += [f"  {s.operation:14}  {s.holders:7}  {s.seen:7,}  {s.equal:16,}  {s.messages:8}  {s.depth:21}" for s in shapes]
    return [*lines, ""]


def table_of_errors(judged: list[Judged]) -> list[str]:
    lines = []
    for one in judged:
        lines += [f"Lens {one.lens.name}, {one.lens.unit}: what was not fitted on",
                  "  operation       cores  holders      measured     predicted   error"]
        for m in sorted(one.predicted, key=lambda m: (m.operation, m.cores, m.holders)):
            value = fit.predict(one.fitted, m.operation, m.cores, m.holders, equally_far)
            lines.append(f"  {m.operation:14}  {m.cores:5}  {m.holders:7}  {m.value:12,.0f}  {value:12,.0f}  {value / m.value - 1:+6.1%}")
        lines.append("")
    return lines


def table_of_curves(curves: list[Curve]) -> list[str]:
    """Of machines that we don't have: microseconds."""
    lines, last = [], None
    for curve in (curve for curve in curves if curve["lens"] == "model"):
        if curve["machine"] != last:
            last = curve["machine"]
            lines += [f"{last}: us, low to high, by cores that take part", "  " + " " * 14 + "".join(f"{cores:>30,}" for cores in SHOWN)]
        cells = {p["cores"]: f"{p['mid'] / 1000:,.1f} ({p['low'] / 1000:,.1f} to {p['high'] / 1000:,.1f})" for p in curve["points"]}
        lines.append(f"  {curve['operation']:14}" + "".join(f"{cells.get(cores, ''):>30}" for cores in SHOWN).rstrip())
    return [*lines, ""] if lines else []


def breakdown(wanted: list[machines.Machine], judged: list[Judged]) -> list[str]:
    """What the critical chain is made of, on each whole machine."""
    lines = []
    for machine in (machine for machine in wanted if operations_of(machine, judged)):
        lines.append(f"{machine.name}: what the critical path is made of, with all {machine.cores():,} cores")
        for operation in operations_of(machine, judged):
            costs = costs_of(machine, operation, judged, 1)
            graph = build(operation, 0, tuple(range(1, machine.cores())), machine.socket_of)
            found = priced(machine, operation, machine.cores(), costs)
            shares = {"begin": ("begin",), "sending": ("send",), "handling": ("handle",), "waking": ("wake",), "looking": ("look",), "hops": HOPS}
            text = ", ".join(f"{name} {sum(found.chain[what] * costs.of(what) for what in whats) / max(found.total, 1e-9):.0%}"
                             for name, whats in shares.items())
            lines.append(f"  {operation:14} {graph.size():6,} messages, {graph.depth():3} one behind the other: {text}")
    return lines


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`make model`: what it makes of traces and measurements, and what it refuses; and a traced run of the system, held against the rules."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from made import ROOT

import model_fit as fit
import model_trace as trace
from model_price import HOPS, Costs, price
from model_trees import REDUCTIONS, build, looks, patience

BUILD = Path(os.environ.get("ATOLL_BUILD", ROOT / "build"))
MONITORS, STREAMS = {"wake": 900, "look": 60}, {"wake": 1500, "look": 25}
TRUE = {"retype": Costs(4000, 500, 2000, **MONITORS), "revoke": Costs(6000, 700, 3000, **MONITORS), "delete": Costs(7000, 0, 0, **MONITORS),
        "unmap": Costs(2500, 250, 1100, wake=600, look=150)}
TRUE |= {operation: Costs(300, 140, 560, **STREAMS) for operation in ("broadcast", "flat broadcast", "barrier", "flat barrier")}
IDS = {"retype": "cap.retype.remote", "revoke": "cap.revoke.remote", "unmap": "unmap", "delete": "cap.delete.remote",
       "broadcast": "broadcast.tree", "flat broadcast": "broadcast.flat", "barrier": "barrier.tree", "flat barrier": "barrier.flat",
       "reduction": "reduce.tree", "flat reduction": "reduce.flat"}
MACHINE = {"sockets": 2, "dies_per_socket": 2, "cores_per_die": 4, "handler_ns": [100, 200, 400], "wake_ns": 1000,
           "hop_ns": {"same_die": 50, "cross_die": 100, "cross_socket": [200, 300, 500]}}


def near(_a, _b):
    return HOPS[0]


def counted(operation, cores, holders):
    """By costs that are known to this test only."""
    if operation in REDUCTIONS:
        return counted(REDUCTIONS[operation][0], cores, holders) - counted(REDUCTIONS[operation][1], cores, holders)
    graph = build(operation, 0, tuple(range(1, holders + 1)))
    return price(graph, TRUE[operation], near, looks(operation, graph, cores - 1), 1, patience(operation, alone=False)).total


def points(sizes=(2, 4, 8)):
    return [{"id": IDS[operation], "lens": "instructions", "unit": "instructions", "cores": cores, "nodes": 2, "holders": holders,
             "estimate": counted(operation, cores, holders), "low": 0, "high": 0, "stable": True, "values": [], "job": "j"}
            for operation in IDS for cores in sizes for holders in range(1, cores)]


def messages_of(operation, count, times=30):
    """A trace of so many operations, one after the other; each message takes 10 ns, and so does each answer."""
    question, answer = trace.KINDS[operation]
    found, now = [], 0.0
    for _ in range(times):
        graph, indices, received = build(operation, 0, tuple(range(1, count))), {}, {}
        for index, step in enumerate(graph.steps):
            senders = [before for before in step.after if graph.steps[before].core != step.core]
            now += 10
            if senders:
                sender = graph.steps[senders[0]].core
                record = {"from": sender, "to": step.core, "send_ns": now - 5, "receive_ns": now, "cause": received.get(sender),
                          "kind": answer if (step.core, sender) in indices else question}
                indices[sender, step.core] = index
                received[step.core] = len(found)
                found.append(record)
    return found


@pytest.fixture(name="place")
def place_of_files(tmp_path):
    class Place:
        build, out = tmp_path, tmp_path / "bench"

        def sweep(self, *more, sizes=(2, 4, 8)):
            whole = {"format": 1, "image": "", "missing": [], "provenance": [{"host": {"cores": 2}}], "points": points(sizes) + list(more)}
            self.out.mkdir(exist_ok=True)
            (self.out / "results.json").write_text(json.dumps(whole))

        def trace(self, records, name="t"):
            path = self.build / "trace" / name / "messages.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(records if isinstance(records, str) else json.dumps(records))
            return path

        def machine(self, **changes):
            path = self.build / "machine.json"
            path.write_text(json.dumps({name: value for name, value in {**MACHINE, **changes}.items() if value is not None}))
            return str(path)

        def model(self, machine="", name=""):
            return subprocess.run([sys.executable, "bench/suite/model.py", self.build, self.out, machine, name], cwd=ROOT,
                                  capture_output=True, text=True, timeout=100, check=False)

        def refused(self, *words, **more):
            answer = self.model(*words, **more)
            assert answer.returncode == 2 and answer.stdout == ""
            assert answer.stderr.count("\n") == 1 and "Traceback" not in answer.stderr
            return answer.stderr

        def written(self):
            return json.loads((self.out / "model.json").read_text())

    return Place()


# ---- Fits -------------------------------------------------------------------------------------------------------------

def test_costs_fitted_on_small_machines_predict_large_ones():
    measured = [fit.Measured(o, cores, holders, counted(o, cores, holders)) for o in IDS for cores in (2, 4, 8) for holders in range(1, cores)]
    fitted_on, predicted = fit.divide(measured)
    assert {m.cores for m in fitted_on} == {2, 4} and {m.cores for m in predicted} == {8} and len(fitted_on) + len(predicted) == len(measured)
    found = fit.fit_on(fitted_on, "instructions", 1, {fit.kind(o): 0.2 for o in TRUE}, (0, 0, 0), near)
    verdicts = fit.by_operation(found, predicted, near)
    assert verdicts.keys() == IDS.keys() and all(verdict.of == 7 for verdict in verdicts.values())
    assert all(verdict.worst < (0.15 if operation in REDUCTIONS else 0.06) for operation, verdict in verdicts.items()), verdicts
    assert found.values["look monitors"] == pytest.approx(60, rel=0.2)
    assert found.values["look spans"] == pytest.approx(150, rel=0.2)  # whose code is another's costs another's
    assert found.values["look streams"] == pytest.approx(25, rel=0.3)


def test_the_error_is_told_by_distance(place):
    """A cost that grows with the square of the cores is missed by more, the farther away it is; and bands are as wide as the worst."""
    place.sweep(sizes=(2, 4, 8, 16))
    whole = json.loads((place.out / "results.json").read_text())
    for point in whole["points"]:
        point["estimate"] += 40 * point["cores"] ** 2
    (place.out / "results.json").write_text(json.dumps(whole))
    answer = place.model()
    (error,) = place.written()["errors"]
    found = {(reach["fitted"], reach["predicted"]): reach["median"] for reach in error["reaches"]}
    assert found.keys() == {(4, 8), (4, 16), (8, 16)} and found[4, 16] > found[4, 8] and found[4, 16] > found[8, 16]
    assert "Nothing was measured on more than 16 cores" in answer.stdout
    own = next(curve for curve in place.written()["curves"] if curve["lens"] == "instructions")["points"][-1]
    assert own["high"] / own["mid"] - 1 == pytest.approx(max(found.values()), rel=0.01)


def test_of_one_machine_half_is_predicted():
    measured = [fit.Measured("unmap", 8, holders, counted("unmap", 8, holders)) for holders in range(1, 8)]
    fitted_on, predicted = fit.divide(measured)
    assert [m.holders for m in fitted_on] == [1, 2, 3] and [m.holders for m in predicted] == [4, 5, 6, 7]


def test_a_wrong_law_shows_in_the_error():
    """If cost grew with the square of the holders, the model would have to say that it is wrong."""
    measured = [fit.Measured("retype", cores, holders, 1000.0 * holders**2) for cores in (2, 4, 8) for holders in range(1, cores)]
    fitted_on, predicted = fit.divide(measured)
    found = fit.fit_on(fitted_on, "instructions", 1, {"retype": 0.5}, (0, 0, 0), near)
    assert fit.judge(found, predicted, near).worst > 0.3


# ---- Traces -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("operation", ["revoke", "unmap", "retype", "barrier", "flat barrier"])
@pytest.mark.parametrize("count", [2, 3, 6, 8])
def test_operations_are_found_and_compared(place, operation, count):
    messages = trace.read(place.trace(messages_of(operation, count)))
    shapes, torn = trace.shapes(messages)
    rule = build(operation, 0, tuple(range(1, count)))
    assert shapes == [trace.Shape(operation, count - 1, 30, 30, len(rule.messages()), rule.depth())]
    assert not any(torn.values())


def test_another_tree_is_seen(place):
    """A star has as many messages as the tree."""
    star = [{**record, "kind": record["kind"].replace("find", "sweep").replace("found", "swept")} for record in messages_of("retype", 6)]
    shapes, _ = trace.shapes(trace.read(place.trace(star)))
    assert [(shape.seen, shape.equal) for shape in shapes] == [(30, 0)]


def test_traces_are_counted_together(place):
    place.trace(messages_of("revoke", 6, times=30), "one")
    place.trace(messages_of("revoke", 6, times=7) + [], "other")
    place.trace(messages_of("barrier", 3, times=5), "third")
    answer = place.model(name="one, other third")
    assert answer.returncode == 0, answer.stderr
    assert "Of 42 operations in the traces one, other, third, 42 have" in answer.stdout
    assert [(s["operation"], s["holders"], s["seen"]) for s in place.written()["shapes"]] == [("revoke", 5, 37), ("barrier", 2, 5)]
    assert "no trace fourth" in place.refused(name="one fourth")


def test_a_torn_operation_is_not_compared(place):
    records = messages_of("revoke", 6, times=3)
    each = len(records) // 3
    del records[each + 2:]  # the second one, and what came after
    shapes, torn = trace.shapes(trace.read(place.trace(records)))
    assert torn["revoke"] == 1 and [(shape.seen, shape.equal) for shape in shapes] == [(1, 1)]


@pytest.mark.parametrize("change, said", [
    (lambda r: r[5].update(cause=5), "is among its own causes"),
    (lambda r: r[3].update(cause=10**6), "it is truncated"),
    (lambda r: r[3].update(cause="x"), "it is truncated"),
    (lambda r: r[3].pop("cause"), "lacks its cause"),
    (lambda r: r[3].update(send_ns=None), "no proper 'send_ns'"),
    (lambda r: r[3].update({"from": 1024}), "at most 1,024 cores"),
])
def test_bad_traces_are_refused(place, change, said):
    records = messages_of("retype", 3)
    records[5] = {**records[5], "from": 1, "to": 1}
    change(records)
    place.trace(records)
    assert said in place.refused(name="t")


def test_causes_in_a_circle_are_refused(place):
    one = {"send_ns": 0, "receive_ns": 1, "kind": "x"}
    place.trace([{**one, "from": 0, "to": 1, "cause": 1}, {**one, "from": 1, "to": 0, "cause": 0}])
    assert "is among its own causes" in place.refused()


def test_a_cause_that_came_to_another_core_is_refused(place):
    one = {"send_ns": 0, "receive_ns": 1, "kind": "x"}
    place.trace([{**one, "from": 0, "to": 1, "cause": None}, {**one, "from": 2, "to": 0, "cause": 0}])
    assert "from core 2, but its cause went to core 1" in place.refused()


def test_a_truncated_trace_is_refused(place):
    place.trace(json.dumps(messages_of("retype", 3))[:-200])
    assert "damaged or truncated" in place.refused()
    assert "no trace other" in place.refused(name="other")


# ---- Machines ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("changes, said", [
    ({"sockets": 0}, "'sockets'"), ({"cores_per_die": 2.5}, "'cores_per_die'"), ({"sockets": 129}, "1,032 cores"),
    ({"handler_ns": -1}, "'handler_ns'"), ({"handler_ns": [3, 2, 1]}, "rise from low to high"), ({"wake_ns": "fast"}, "'wake_ns'"),
    ({"handler_ns": None}, "must have one of"), ({"instructions_per_ns": 4}, "not both"), ({"speed": 1}, "'speed'"),
    ({"hop_ns": {"same_die": 1}}, "'hop_ns'"), ({"hop_ns": {**MACHINE["hop_ns"], "cross_die": -5}}, "'cross_die'"),
    ({"hop_ns": {**MACHINE["hop_ns"], "same_die": "bench-host"}}, "make bench-host"), ({"wake_ns": float("nan")}, "'wake_ns'"),
    ({"handler_ns": None, "instructions_per_ns": 0}, "more than 0"),
    ({"handler_ns": None, "instructions_per_ns": 4}, "none were counted here"),
])
def test_bad_machines_are_refused(place, changes, said):
    assert said in place.refused(place.machine(**changes))


def test_files_that_are_no_machines_are_refused(place):
    assert "no machine file nowhere: give a path, or one of eight-sockets-1024" in place.refused("nowhere")
    broken = place.build / "broken.json"
    broken.write_text('{"sockets": ')
    assert "damaged or truncated" in place.refused(str(broken))
    broken.write_text("[]")
    assert "not a JSON object" in place.refused(str(broken))


def test_a_results_file_of_another_version_is_refused(place):
    place.sweep()
    (place.out / "results.json").write_text((place.out / "results.json").read_text().replace('"format": 1', '"format": 2'))
    assert "of another version of the suite" in place.refused()


def test_a_machine_with_handler_costs_needs_no_measurement(place):
    answer = place.model(place.machine())
    assert answer.returncode == 0, answer.stderr
    curves = {curve["operation"]: curve for curve in place.written()["curves"]}
    assert [p["cores"] for p in curves["revoke"]["points"]] == [2, 4, 8, 16]
    first = curves["retype"]["points"][0]
    # The holder wakes, the owner has looked on.
    assert (first["low"], first["mid"], first["high"]) == tuple(2 * 50 + 1000 + 2 * handler for handler in MACHINE["handler_ns"])
    assert "the error is unknown" in answer.stdout


# ---- The whole --------------------------------------------------------------------------------------------------------

def test_measured_and_predicted_lie_side_by_side(place):
    place.sweep({"id": "channel.rtt", "lens": "host", "unit": "ns", "cores": 0, "nodes": 0, "estimate": 90, "low": 88, "high": 92, "min": 80,
                 "p99": 130, "stable": True, "values": [], "job": "j"})
    place.trace(messages_of("revoke", 8))
    answer = place.model()
    assert answer.returncode == 0, answer.stderr
    whole = place.written()
    assert whole["format"] == 1 and whole["text"] == answer.stdout.splitlines()[:len(whole["text"])]
    assert any("takes 45 ns" in line for line in whole["text"])
    assert any("No trace shows retype, unmap, hand over, barrier, flat barrier:" in line for line in whole["text"])
    (error,) = whole["errors"]
    assert error["of"] == 7 * len(IDS) and error["median"] < 0.05 and f"{error['median']:.1%} (median)" in answer.stdout
    assert error["operations"].keys() == IDS.keys() and all(found["of"] == 7 for found in error["operations"].values())
    assert f"By operation: barrier {error['operations']['barrier']['median']:.1%}" in answer.stdout
    own = [curve for curve in whole["curves"] if curve["lens"] == "instructions"]
    assert {curve["operation"] for curve in own} == set(IDS)
    for curve in own:
        for p in curve["points"]:
            assert p["low"] <= p["mid"] <= p["high"]
            assert (p["measured"] == pytest.approx(counted(curve["operation"], 8, p["cores"] - 1))) if p["cores"] <= 8 else p["measured"] is None
    largest = [c for c in whole["curves"] if c["machine"].startswith("1,024 cores")]
    assert {c["operation"] for c in largest} == {*TRUE, "hand over", "node broadcast"}
    assert all(c["points"][-1]["cores"] == 1024 and c["unit"] == "ns" and c["lens"] == "model" for c in largest)
    assert any(c["machine"].startswith("16 cores on one die") for c in whole["curves"])


def test_with_one_size_of_machine_it_says_what_it_does_not_know(place):
    place.sweep(sizes=(8,))
    answer = place.model()
    assert "can't be told from machines of one size" in answer.stdout
    assert not any(name.startswith("look") for name in place.written()["costs"]["instructions"])


def test_a_traced_run_of_the_system_is_as_the_rules_say(tmp_path):
    """Six cores, so that trees branch; counted instructions, so that nothing is lost to a busy host."""
    done = subprocess.run([sys.executable, "boot/launch/run.py", "trace", f"BUILD={BUILD}", "TIMEOUT=120", "CORES=6", "LENS=icount",
                           "NAME=test-model", "APP=groupbench --quick ; capbench --quick ; spanbench --quick"], cwd=ROOT, capture_output=True,
                          text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = subprocess.run([sys.executable, "bench/suite/model.py", BUILD, tmp_path, "", "test-model"], cwd=ROOT, capture_output=True,
                            text=True, timeout=100, check=False)
    assert answer.returncode == 0, answer.stderr
    whole = json.loads((tmp_path / "model.json").read_text())
    found = {(shape["operation"], shape["holders"]): shape for shape in whole["shapes"]}
    assert {(operation, holders) for operation in ("revoke", "unmap", "barrier", "flat barrier") for holders in range(1, 6)} <= found.keys()
    assert {("retype", holders) for holders in range(2, 6)} <= found.keys()  # the first ones may have been overwritten
    assert [shape for shape in found.values() if shape["equal"] != shape["seen"]] == []
    (error,) = whole["errors"]
    assert error["lens"] == "instructions" and error["of"] == 33 and error["worst"] < 0.5


def test_numbers_that_benchmarks_count_are_held_against_the_rules(place):
    """A tree that is deeper than the rule says, and a message too many."""
    rounds = {"id": "unmap.rounds", "lens": "elapsed", "unit": "messages", "cores": 8, "nodes": 2, "holders": 7, "low": 0, "high": 0,
              "stable": True, "values": [], "job": "j"}
    place.sweep({**rounds, "estimate": 3}, {**rounds, "estimate": 4},
                {**rounds, "id": "cap.revoke.remote", "unit": "us", "holders": 3, "estimate": 90, "messages": 7},
                {**rounds, "id": "broadcast.tree", "unit": "us", "holders": 1, "estimate": 90, "messages": 1},
                {**rounds, "id": "barrier.flat", "unit": "us", "holders": 5, "estimate": 90, "messages": 10},
                {**rounds, "id": "cap.delete.remote", "unit": "us", "holders": 5, "estimate": 90, "messages": 0})
    answer = place.model()
    assert answer.returncode == 0, answer.stderr
    assert "Of 6 numbers of messages and rounds that benchmarks counted, 4 are as the rules say." in answer.stdout


def test_what_was_not_measured_on_small_machines_is_not_predicted(place):
    place.sweep()
    whole = json.loads((place.out / "results.json").read_text())
    whole["points"] = [point for point in whole["points"] if point["id"] != "unmap" or point["cores"] == 8]
    (place.out / "results.json").write_text(json.dumps(whole))
    answer = place.model()
    assert answer.returncode == 0, answer.stderr
    assert place.written()["errors"][0]["of"] == 7 * (len(IDS) - 1) and "lack give up, unmap" in answer.stdout

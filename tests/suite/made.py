# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What a made-up sweep is made of."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/suite"))

import jobs  # noqa: E402

PROVENANCE = {"tag": "provenance", "revision": "0123456789abcdef", "dirty": False, "date": "2026-01-02T03:04:05Z", "command": ["qemu"],
              "host": {"cpu": "A processor", "cores": 2, "kernel": "6.1", "load": 0.5}, "qemu": "QEMU 0", "accelerator": "tcg"}
TOPOLOGY = {"tag": "topology", "cores": [{"core": 0, "apic": 0, "node": 0}, {"core": 1, "apic": 2, "node": 1}],
            "nodes": [{"node": 0, "memory": 1 << 30}, {"node": 1, "memory": 1 << 30}], "distances": [[10, 20], [20, 10]], "acpica": "1"}
BOOTS = [{"tag": "boot", "core": core, "apic": core, "node": core, "us": 3000 + core, "entered_us": 1000, "driver_us": 2000,
          "image_bytes": 1} for core in (0, 1)]
PHASES = {"tag": "boot_phases", "first_ready_us": 3000, "complete_us": 4000}


def bench(name, value, lens="elapsed", unit="cycles", a=0, b=1, **more):
    spread = {"min": value * 0.9, "p5": value * 0.95, "p25": value * 0.98, "p50": value, "p75": value * 1.02, "p95": value * 1.1,
              "p99": value * 1.5, "max": value * 3}
    return {"tag": "bench", "id": name, "lens": lens, "unit": unit, "from": a, "to": b, **more, "n": 100, **spread}


def line(fact):
    return json.dumps(fact, separators=(",", ":"))


class Sweep:
    """A directory of a sweep, written by hand."""

    def __init__(self, directory: Path, job_list: list[jobs.Job], image="0" * 64):
        self.directory = directory
        self.plan = jobs.JobList(directory, directory.parent, image, tuple(job_list))
        jobs.save(self.plan)

    def keep(self, job: jobs.Job, repetition: int, facts: list[dict], code=0, **end):
        file = self.plan.file(job, repetition)
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = [PROVENANCE, TOPOLOGY, *facts, {"tag": "end", "code": code, "seconds": 2.5, **end}]
        file.write_text("".join(line(fact) + "\n" for fact in lines), encoding="utf-8")
        return file


def job(lens="elapsed", cores=2, nodes=2, family="pairs", repetitions=6):
    return jobs.Job(f"{lens}-c{cores}-n{nodes}-{family}", lens, family, cores, nodes, "ipcbench", repetitions, 60)


SERIAL = "\n".join(["Atoll starts.", *(f"@{fact['tag']} {line({k: v for k, v in fact.items() if k != 'tag'})}" for fact in
                                       [TOPOLOGY, *BOOTS, PHASES, bench("channel.rtt", 1000), bench("channel.rtt", 1100, a=1, b=0),
                                        bench("call.null", 80, "instructions", "instructions", 0, 0)]),
                    '@event {"event":"poweroff","status":0}', "Good night."]) + "\n"

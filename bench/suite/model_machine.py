# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Machines that we don't have, as their files say: bench/machines/NAME.json or any other.

  {"name": "Two sockets of 64 cores",
   "sockets": 2, "dies_per_socket": 8, "cores_per_die": 8,
   "hop_ns": {"same_die": [30, 50, 80], "cross_die": [90, 120, 180], "cross_socket": 250},
   "wake_ns": [500, 1000, 3000],
   "instructions_per_ns": [2, 4, 6]}

A hop is a message's way in one direction, from its last store to the load that finds it. Each cost is a number, or [low, middle, high]. A hop
may also be "bench-host": half of channel.rtt as `make bench-host` found it here (minimum, median, 99 %). `wake_ns` (0 if left out) is what
it takes until a sleeping core runs. What cores do with messages is either priced by what was counted here, at `instructions_per_ns`; or it
is `handler_ns`, for each message that a core receives, and `send_ns` (0 if left out), for each that it sends. `why` says where the numbers
are from. Cores are numbered through dies and sockets; a socket is a NUMA node.
"""

from dataclasses import dataclass
from pathlib import Path

from jobs import Refused, read_json
from model_price import HOPS
from model_trace import CORES_MOST

Range = tuple[float, float, float]
BENCH_HOST = "bench-host"
COUNTS = ("sockets", "dies_per_socket", "cores_per_die")
KNOWN = {"name", "why", *COUNTS, "hop_ns", "wake_ns", "instructions_per_ns", "handler_ns", "send_ns"}


@dataclass(frozen=True)
class Machine:
    name: str
    sockets: int
    dies_per_socket: int
    cores_per_die: int
    hops: tuple[Range, Range, Range]  # same_die, cross_die, cross_socket
    wake: Range
    instructions_per_ns: Range | None
    handler: Range | None
    send: Range

    def cores(self) -> int:
        return self.sockets * self.dies_per_socket * self.cores_per_die

    def socket_of(self, core: int) -> int:
        return core // (self.dies_per_socket * self.cores_per_die)

    def hop_of(self, a: int, b: int) -> str:
        if a // self.cores_per_die == b // self.cores_per_die:
            return HOPS[0]
        return HOPS[1] if self.socket_of(a) == self.socket_of(b) else HOPS[2]


def read(path: Path, bench_host: Range | None) -> Machine:
    """`bench_host`: what a hop is if the file refers to it."""
    told = read_json(path)
    if not isinstance(told, dict):
        raise Refused(f"The machine file {path} is not a JSON object.")
    unknown = sorted(told.keys() - KNOWN)
    if unknown:
        raise Refused(f"The machine file {path} has {unknown[0]!r}, which the model does not know.")
    return _machine(path, told, bench_host)


def _machine(path: Path, told: dict, bench_host: Range | None) -> Machine:
    counts = {name: _count(path, told, name) for name in COUNTS}
    cores = counts["sockets"] * counts["dies_per_socket"] * counts["cores_per_die"]
    if cores > CORES_MOST:
        raise Refused(f"The machine of {path} has {cores:,} cores: the model has at most {CORES_MOST:,}.")
    if ("handler_ns" in told) == ("instructions_per_ns" in told):
        raise Refused(f"The machine file {path} must have one of 'handler_ns' and 'instructions_per_ns', and not both.")
    hops = told.get("hop_ns")
    if not isinstance(hops, dict) or hops.keys() != set(HOPS):
        raise Refused(f"The machine file {path} must say in 'hop_ns' what {', '.join(HOPS)} are, and nothing else.")
    rate = _cost(path, told, "instructions_per_ns") if "instructions_per_ns" in told else None
    if rate and rate[0] == 0:
        raise Refused(f"'instructions_per_ns' in {path} must be more than 0.")
    return Machine(str(told.get("name", path.stem)), **counts, hops=tuple(_hop(path, hops, name, bench_host) for name in HOPS),
                   wake=_cost(path, {"wake_ns": 0, **told}, "wake_ns"), instructions_per_ns=rate,
                   handler=_cost(path, told, "handler_ns") if "handler_ns" in told else None,
                   send=_cost(path, {"send_ns": 0, **told}, "send_ns"))


def _count(path: Path, told: dict, name: str) -> int:
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Refused(f"{name!r} in {path} must be a whole number from 1 on, not {value!r}.")
    return value


def _hop(path: Path, hops: dict, name: str, bench_host: Range | None) -> Range:
    if hops[name] != BENCH_HOST:
        return _cost(path, hops, name)
    if bench_host is None:
        raise Refused(f"{name!r} in {path} is what `make bench-host` finds, which has not been run in this build directory.")
    return bench_host


def _cost(path: Path, told: dict, name: str) -> Range:
    values = told[name] if isinstance(told[name], list) else [told[name]] * 3
    if len(values) != 3 or not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        raise Refused(f"{name!r} in {path} must be a number or [low, middle, high], not {told[name]!r}.")
    if values[0] < 0 or not values[0] <= values[1] <= values[2] < float("inf"):
        raise Refused(f"{name!r} in {path} must be 0 or more, and rise from low to high: {told[name]!r}.")
    return tuple(float(value) for value in values)

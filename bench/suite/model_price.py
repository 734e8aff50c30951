# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""How long a graph of steps takes on a machine, and what that time is made of.

Each core does one step at a time, in the order in which they become ready. A core with nothing to do sleeps; what comes then wakes it.
Whoever wakes looks at its channels, and so does whoever begins and is to wait for an answer, before it sleeps. For a while (monitor/main.c:
AWAY_US if others run on its processor meanwhile, else ANSWER_PATIENCE_US) a monitor looks on for an answer instead of sleeping. A machine
has as many workers as it has real cores: an emulated one has fewer than it has virtual cores, then a core that wants to run waits for its
turn, and keeps the worker until it sleeps. The instruction lens is a machine of one worker.

The time is the sum over the critical chain: back from the last step, over whatever made it begin when it did. So it is linear in the costs
as long as the chain stays the same, which is what model_fit.py makes use of.
"""

import heapq
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from model_trees import Graph

HOPS = ("same_die", "cross_die", "cross_socket")


@dataclass(frozen=True)
class Costs:
    """In one unit, of time or instructions."""
    begin: float  # on the core that asks, all that is not a message
    send: float
    handle: float
    wake: float
    look: float  # for each channel, by whoever wakes
    hops: tuple[float, float, float] = (0, 0, 0)

    def of(self, what: str) -> float:
        return self.hops[HOPS.index(what)] if what in HOPS else 0 if what == "end" else getattr(self, what)


@dataclass(frozen=True)
class Priced:
    total: float
    chain: Counter  # how many of each cost the critical chain has


@dataclass(slots=True)
class _Begun:
    start: float
    because: int | None  # the step before it in the chain
    charged: tuple[tuple[str, int], ...]  # beside its own cost: a hop, a wake-up
    finish: float = 0


def price(graph: Graph, costs: Costs, hop_of: Callable[[int, int], str], looks: Callable[[int], int], workers: int | None = None,
          patience: float = 0) -> Priced:
    """`looks`: how many channels a core looks at when it wakes; `workers`: None for a machine that has all its cores; `patience`: how long
    whoever waits for an answer looks on before it sleeps."""
    begun = _Run(graph, costs, hop_of, looks, workers, patience).run()
    last = max(graph.ends, key=lambda step: begun[step].finish)
    chain: Counter = Counter()
    at: int | None = last
    while at is not None:
        chain[graph.steps[at].what] += 1
        for what, count in begun[at].charged:
            chain[what] += count
        at = begun[at].because
    return Priced(begun[last].finish, chain)


class _Run:
    """One run of the graph: a queue of what happens when."""

    def __init__(self, graph: Graph, costs: Costs, hop_of: Callable[[int, int], str], looks: Callable[[int], int], workers: int | None,
                 patience: float):
        self.graph, self.costs, self.hop_of, self.looks, self.patience = graph, costs, hop_of, looks, patience
        self.waits_since: dict[int, float] = {}
        self.awaits = {step.core for step in graph.steps if step.what == "handle"}
        self.left = [len(step.after) for step in graph.steps]
        self.followers: list[list[int]] = [[] for _ in graph.steps]
        for index, step in enumerate(graph.steps):
            for before in step.after:
                self.followers[before].append(index)
        self.arrival: list[tuple[float, int | None, str | None]] = [(0.0, None, None)] * len(graph.steps)  # when, after whom, which hop
        self.begun: list[_Begun] = [_Begun(0, None, ())] * len(graph.steps)
        self.ready: dict[int, list[tuple[float, int]]] = {step.core: [] for step in graph.steps}
        self.running: set[int] = set()
        self.wanting: deque[int] = deque()
        self.free = len(self.ready) if workers is None else workers
        self.events: list[tuple[float, int, bool]] = []  # when, step, whether it ends: else it arrives

    def run(self) -> list[_Begun]:
        for index, step in enumerate(self.graph.steps):
            if not step.after:
                heapq.heappush(self.events, (0.0, index, False))
        while self.events:
            now, step, ends = heapq.heappop(self.events)
            if ends:
                self._finish(now, step)
            else:
                self._arrive(now, step)
        return self.begun

    def _arrive(self, now: float, step: int) -> None:
        core = self.graph.steps[step].core
        heapq.heappush(self.ready[core], (now, step))
        if core not in self.running and core not in self.wanting:
            self.wanting.append(core)
            self._hand_out(now, None)

    def _hand_out(self, now: float, freed_by: int | None) -> None:
        """Workers to those that have waited longest; `freed_by` is the step whose end made one free just now."""
        while self.free and self.wanting:
            core = self.wanting.popleft()
            self.free -= 1
            self.running.add(core)
            self._begin(now, core, freed_by, woken=True)

    def _begin(self, now: float, core: int, behind: int | None, woken: bool) -> None:
        """The core's next step; `behind` is the one for whose end it has waited, if it has."""
        _, step = heapq.heappop(self.ready[core])
        _, after, hop = self.arrival[step]
        charged = [] if behind is not None or hop is None else [(hop, 1)]
        if woken and now - self.waits_since.get(core, -math.inf) < self.patience:
            pass  # it has not slept
        elif woken and self.graph.steps[step].what != "begin":
            charged += [("wake", 1), ("look", self.looks(core))]
        elif woken and core in self.awaits:
            charged.append(("look", self.looks(core)))
        began = _Begun(now, behind if behind is not None else after, tuple(charged))
        extra = sum(self.costs.of(what) * count for what, count in charged if what in ("wake", "look"))
        began.finish = now + extra + self.costs.of(self.graph.steps[step].what)
        self.begun[step] = began
        heapq.heappush(self.events, (began.finish, step, True))

    def _finish(self, now: float, step: int) -> None:
        core = self.graph.steps[step].core
        for follower in self.followers[step]:
            self._tell(now, step, follower)
        if self.ready[core]:
            self._begin(now, core, step, woken=False)
            return
        self.running.discard(core)
        self.waits_since[core] = now
        self.free += 1
        self._hand_out(now, step)

    def _tell(self, now: float, step: int, follower: int) -> None:
        sender, receiver = self.graph.steps[step].core, self.graph.steps[follower].core
        hop = None if sender == receiver else self.hop_of(sender, receiver)
        at = now + (self.costs.of(hop) if hop else 0)
        if at >= self.arrival[follower][0]:
            self.arrival[follower] = (at, step, hop)
        self.left[follower] -= 1
        if self.left[follower]:
            return
        if hop is None and self.arrival[follower][0] <= now:
            heapq.heappush(self.ready[receiver], (now, follower))  # before its core falls asleep
        else:
            heapq.heappush(self.events, (self.arrival[follower][0], follower, False))

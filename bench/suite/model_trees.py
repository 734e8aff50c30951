# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Who sends what to whom, and after what: operations as graphs of steps, for any number of cores.

The rules are the system's own, and where each is:

  retype           monitor/agreement/retype.c: the owner asks each holder, and each answers.
  revoke           monitor/agreement/revoke.c, send_tree: the first half of the cores (rounded up, in ascending order) goes to its lowest,
                   who cares for them; the sender goes on with the others in the same way. Answers come back along the tree.
  delete           monitor/agreement/delete.c: the owner's last capability, to an object that lies in memory of the owner's. An anchor takes
                   its place, and nobody is told. All memory of programs lies so, in that of the owner's monitor.
  give up          monitor/agreement/delete.c: another core's last capability. `gone` tells the owner, and nobody waits.
  hand over        monitor/agreement/transfer.c: the owner's last capability to an object that lies in nothing of the owner's. A holder takes
                   over, the others are told and note it, `complete`.
  unmap            libos/span/tree.h, tree_split: the lowest of each half is a child and cares for its half. Answers come back along the tree.
  barrier          bench/groupbench: the same tree, but the second child's answer is not looked at before the first one's. `broadcast` is the
                   same, but over when the last core has it.
  flat barrier     bench/groupbench: one core sends each message and takes each answer itself. `flat broadcast` likewise.
  node broadcast   numa/model/tree.c with a latency of 1, the tree along which cores are started: leaders of nodes first, then within each
                   node; whoever can send earliest does. Nobody answers.

Whoever forwards does so before its own part. A real operation asked for by another core than the owner has two messages more, to the owner
and back. Holder sets of the system end at 256 cores and spans at 64 members (CORES_MAX, SPAN_MAX); the rules don't.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Cores = tuple[int, ...]
Split = Callable[[Cores], Iterator[tuple[int, Cores]]]

OPERATIONS = ("retype", "delete", "give up", "hand over", "revoke", "unmap", "broadcast", "flat broadcast", "barrier", "flat barrier",
              "node broadcast")
# The rest of a barrier, when the broadcast is over.
REDUCTIONS = {"reduction": ("barrier", "broadcast"), "flat reduction": ("flat barrier", "flat broadcast")}

# Whose code sends and receives: the monitors, the library OS between members of a span, a program through streams.
MONITORS, SPANS, STREAMS = "monitors", "spans", "streams"


def family(operation: str) -> str:
    return MONITORS if operation in ("retype", "delete", "give up", "hand over", "revoke") else SPANS if operation == "unmap" else STREAMS


@dataclass(frozen=True)
class Step:
    """One core's uninterrupted piece of work. A step after a `send` of another core begins when that message has come."""
    core: int
    what: str  # begin, send or handle
    after: tuple[int, ...]


@dataclass
class Graph:
    steps: list[Step] = field(default_factory=list)  # each comes behind those that it is after
    ends: list[int] = field(default_factory=list)  # it is over when these are

    def add(self, core: int, what: str, *after: int) -> int:
        self.steps.append(Step(core, what, after))
        return len(self.steps) - 1

    def message(self, sender: int, receiver: int, *after: int, behind: tuple[int, ...] = ()) -> tuple[int, int]:
        """The step that sends it and the one that handles it; `behind` is what the receiver waits for before it looks."""
        sent = self.add(sender, "send", *after)
        return sent, self.add(receiver, "handle", sent, *behind)

    def messages(self) -> list[tuple[int, int]]:
        """From whom to whom."""
        return [(self.steps[before].core, step.core) for step in self.steps for before in step.after
                if self.steps[before].core != step.core]

    def neighbours(self) -> dict[int, set[int]]:
        """With whom each core talks."""
        found: dict[int, set[int]] = {step.core: set() for step in self.steps}
        for a, b in self.messages():
            found[a].add(b)
            found[b].add(a)
        return found

    def depth(self) -> int:
        """The longest chain of messages, without those that come when it is over."""
        depth = [0] * len(self.steps)
        for index, step in enumerate(self.steps):
            depth[index] = max((depth[before] + (self.steps[before].core != step.core) for before in step.after), default=0)
        return max((depth[end] for end in self.ends) if self.is_one_way() else depth, default=0)

    def size(self) -> int:
        """Messages, likewise."""
        return len(self.ends) if self.is_one_way() else len(self.messages())

    def is_one_way(self) -> bool:
        """Over when a message has come: there are answers, but nobody waits for them."""
        return self.steps[self.ends[0]].what == "handle"


def build(operation: str, root: int, others: Cores, node_of: Callable[[int], int] = lambda core: 0) -> Graph:
    """The operation, asked for on the root; `others` are the holders, members or receivers."""
    graph = Graph()
    begin = graph.add(root, "begin")
    others = tuple(sorted(others))
    if operation in ("revoke", "unmap", "barrier", "broadcast"):
        done, arrived = _there_and_back(graph, root, begin, others, halves if operation == "revoke" else two_halves,
                                        in_order=family(operation) == STREAMS)
        graph.ends = (arrived or [begin]) if operation == "broadcast" else [graph.add(root, "end", *done)]
    elif operation in ("retype", "flat barrier", "flat broadcast"):
        done, arrived = _ask_each(graph, root, begin, others, in_order=family(operation) == STREAMS)
        graph.ends = (arrived or [begin]) if operation == "flat broadcast" else [graph.add(root, "end", *done)]
    elif operation == "delete":
        graph.ends = [begin]
    elif operation == "give up":
        graph.ends = [graph.message(root, others[0], begin)[0]] if others else [begin]
    elif operation == "hand over":
        graph.ends = [_hand_over(graph, root, begin, others)]
    elif operation == "node broadcast":
        graph.ends = _forward(graph, begin, start_tree(root, others, node_of))
    else:
        raise ValueError(operation)
    return graph


def looks(operation: str, graph: Graph, peers: int) -> Callable[[int], int]:
    """How many channels each core has that it may have to look at when it wakes. Monitors and members of a span have one with each other
    core of the machine; of groupbench only the core that asks has, a worker those to its neighbours and to that core."""
    if family(operation) != STREAMS:
        return lambda core: peers
    root, near = graph.steps[0].core, graph.neighbours()
    return lambda core: peers if core == root else len(near[core] | {root})


def patience(operation: str, alone: bool) -> float:
    """Nanoseconds, or counted instructions, of which a nanosecond has one; `alone`: nobody else runs on its processor."""
    if family(operation) != MONITORS:
        return 0
    return 100_000 if alone else 10_000


# ---- How a set is split -----------------------------------------------------------------------------------------------

def halves(cores: Cores) -> Iterator[tuple[int, Cores]]:
    """revoke.c: one half after the other, so that the sender has log2 children."""
    while cores:
        count = (len(cores) + 1) // 2
        yield cores[0], cores[1:count]
        cores = cores[count:]


def two_halves(cores: Cores) -> Iterator[tuple[int, Cores]]:
    """tree.h: at most two children."""
    count = (len(cores) + 1) // 2
    for part in (cores[:count], cores[count:]):
        if part:
            yield part[0], part[1:]


def start_tree(root: int, others: Cores, node_of: Callable[[int], int]) -> dict[int, list[int]]:
    """numa/model/tree.c with a latency of 1, nodes being all equally far from each other: each core's children in their order."""
    children: dict[int, list[int]] = {core: [] for core in (root, *others)}
    next_send = {root: 0}

    def join(parents: list[int], child: int) -> None:
        parent = min(parents, key=lambda core: next_send[core])  # the first of the earliest
        children[parent].append(child)
        next_send[child] = next_send[parent] + 1
        next_send[parent] += 1
        parents.append(child)

    nodes: dict[int, list[int]] = {}
    for core in sorted((root, *others)):
        nodes.setdefault(node_of(core), []).append(core)
    leaders = [root]
    for node in sorted(nodes.keys() - {node_of(root)}):
        join(leaders, nodes[node][0])
    for leader in list(leaders):
        joined = [leader]
        for core in nodes[node_of(leader)]:
            if core != leader:
                join(joined, core)
    return children


# ---- The protocols ----------------------------------------------------------------------------------------------------

def _there_and_back(graph: Graph, core: int, last: int, below: Cores, split: Split, in_order: bool) -> tuple[list[int], list[int]]:
    """Sends on; answers the steps after which this core and all below it are done, and those with which it came to all below. `in_order`:
    an answer is not looked at before that of the child before."""
    handled = []
    for child, rest in split(below):
        last, arrived = graph.message(core, child, last)
        handled.append((child, arrived, rest))
    done, arrivals = [last], [arrived for _, arrived, _ in handled]
    for child, arrived, rest in handled:
        finished, further = _there_and_back(graph, child, arrived, rest, split, in_order)
        done.append(graph.message(child, core, *finished, behind=(done[-1],) if in_order else ())[1])
        arrivals += further
    return done, arrivals


def _ask_each(graph: Graph, root: int, last: int, others: Cores, in_order: bool) -> tuple[list[int], list[int]]:
    """As above."""
    asked = []
    for core in others:
        last, arrived = graph.message(root, core, last)
        asked.append((core, arrived))
    done = [last]
    for core, arrived in asked:
        done.append(graph.message(core, root, arrived, behind=(done[-1],) if in_order else ())[1])
    return done, [arrived for _, arrived in asked]


def _hand_over(graph: Graph, root: int, begin: int, others: Cores) -> int:
    if not others:
        return graph.add(root, "end", begin)
    _, arrived = graph.message(root, others[0], begin)
    _, accepted = graph.message(others[0], root, arrived)
    noted, _ = _ask_each(graph, root, accepted, others[1:], in_order=False)
    sent, _ = graph.message(root, others[0], *noted)
    return graph.add(root, "end", sent)


def _forward(graph: Graph, begin: int, children: dict[int, list[int]]) -> list[int]:
    reached = [(graph.steps[begin].core, begin)]
    for core, last in reached:
        for child in children[core]:
            last, arrived = graph.message(core, child, last)
            reached.append((child, arrived))
    return [arrived for _, arrived in reached]

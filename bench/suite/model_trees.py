# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Who sends what to whom, and after what: operations as graphs of steps, for any number of cores.

The rules are the system's own, and where each is:

  revoke     monitor/agreement/revoke.c, send_tree: the first half of the cores (rounded up, in ascending order) goes to its lowest, who
             cares for them; the sender goes on with the others in the same way. Answers come back along the tree.
  retype     monitor/agreement/retype.c: the owner asks each holder, and each answers.
  delete     monitor/agreement/transfer.c: the owner's last capability. A holder takes over, the others are told and note it, `complete`.
  unmap      libos/span/tree.h, tree_split: the lowest of each half is a child and cares for its half. Answers come back along the tree.
  broadcast  numa/model/tree.c with a latency of 1: leaders of nodes first, then within each node; whoever can send earliest does. Nobody
             answers; it is over when the last core has it.

Whoever forwards does so before its own part. A real operation asked for by another core than the owner has two messages more, to the owner
and back. Holder sets of the system end at 256 cores and spans at 64 members (CORES_MAX, SPAN_MAX); the rules don't.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Cores = tuple[int, ...]
Split = Callable[[Cores], Iterator[tuple[int, Cores]]]

OPERATIONS = ("retype", "delete", "revoke", "broadcast", "unmap")


@dataclass(frozen=True)
class Step:
    """One core's uninterrupted piece of work. A step after a `send` of another core begins when that message has come."""
    core: int
    what: str  # begin, send or handle
    after: tuple[int, ...]


@dataclass
class Graph:
    steps: list[Step] = field(default_factory=list)  # each comes behind those that it is after
    end: int = 0  # the step with which whoever asked is done

    def add(self, core: int, what: str, *after: int) -> int:
        self.steps.append(Step(core, what, after))
        return len(self.steps) - 1

    def message(self, sender: int, receiver: int, *after: int) -> tuple[int, int]:
        """The step that sends it and the one that handles it."""
        sent = self.add(sender, "send", *after)
        return sent, self.add(receiver, "handle", sent)

    def messages(self) -> list[tuple[int, int]]:
        """From whom to whom."""
        return [(self.steps[before].core, step.core) for step in self.steps for before in step.after
                if self.steps[before].core != step.core]

    def depth(self) -> int:
        """The longest chain of messages."""
        depth = [0] * len(self.steps)
        for index, step in enumerate(self.steps):
            depth[index] = max((depth[before] + (self.steps[before].core != step.core) for before in step.after), default=0)
        return max(depth, default=0)


def build(operation: str, root: int, others: Cores, node_of: Callable[[int], int] = lambda core: 0) -> Graph:
    """The operation, asked for on the root; `others` are the holders, members or receivers."""
    graph = Graph()
    begin = graph.add(root, "begin")
    others = tuple(sorted(others))
    if operation in ("revoke", "unmap"):
        done = _there_and_back(graph, root, begin, others, halves if operation == "revoke" else two_halves)
        graph.end = graph.add(root, "end", *done)
    elif operation == "retype":
        graph.end = graph.add(root, "end", *_ask_each(graph, root, begin, others))
    elif operation == "delete":
        graph.end = _hand_over(graph, root, begin, others)
    elif operation == "broadcast":
        _forward(graph, begin, start_tree(root, others, node_of))
        graph.end = -1  # the last of all
    else:
        raise ValueError(operation)
    return graph


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

def _there_and_back(graph: Graph, core: int, last: int, below: Cores, split: Split) -> list[int]:
    """Sends on; answers the steps after which this core and all below it are done."""
    handled = []
    for child, rest in split(below):
        last, arrived = graph.message(core, child, last)
        handled.append((child, arrived, rest))
    done = [last]
    for child, arrived, rest in handled:
        finished = _there_and_back(graph, child, arrived, rest, split)
        done.append(graph.message(child, core, *finished)[1])
    return done


def _ask_each(graph: Graph, root: int, last: int, others: Cores) -> list[int]:
    asked = []
    for core in others:
        last, arrived = graph.message(root, core, last)
        asked.append((core, arrived))
    return [last] + [graph.message(core, root, arrived)[1] for core, arrived in asked]


def _hand_over(graph: Graph, root: int, begin: int, others: Cores) -> int:
    if not others:
        return graph.add(root, "end", begin)
    _, arrived = graph.message(root, others[0], begin)
    _, accepted = graph.message(others[0], root, arrived)
    noted = _ask_each(graph, root, accepted, others[1:])
    sent, _ = graph.message(root, others[0], *noted)
    return graph.add(root, "end", sent)


def _forward(graph: Graph, begin: int, children: dict[int, list[int]]) -> None:
    reached = [(graph.steps[begin].core, begin)]
    for core, last in reached:
        for child in children[core]:
            last, arrived = graph.message(core, child, last)
            reached.append((child, arrived))

# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Which of Linux's measurements stand beside which of Atoll's."""

from dataclasses import dataclass

TRANSPORTS = ("pipe", "eventfd", "futex", "unix", "mailbox.asleep")
HERE, ACROSS, BY_CORES = "on one core", "between two cores", "by cores"


@dataclass(frozen=True)
class Row:
    what: str
    where: str
    atoll: str  # the identifier of the fact
    linux: tuple[str, ...]
    share: float = 1.0  # of Linux's number: what Atoll's counts is so much of a round


def _all(kind: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{name}.rtt.{kind}" for name in names or TRANSPORTS)


ROWS = (
    Row("empty call", HERE, "call.null", ("getppid",)),
    Row("empty Linux call", HERE, "foreign.null", ("getppid",)),
    Row("call and reply, two address spaces", HERE, "ipc.local.rtt.4", _all("process")),
    Row("switch of address spaces", HERE, "switch.dispatcher", ("switch.process",)),
    Row("switch of threads", HERE, "thread.switch", ("switch.thread",)),
    Row("wake a thread, it waits again", HERE, "futex.wake", ("futex.rtt.thread",), 0.5),
    Row("thread, begun and joined", HERE, "thread.create+join", ("pthread.create+join",)),
    Row("the same through the C library", HERE, "pthread.create+join", ("pthread.create+join",)),
    Row("mutex of the C library", HERE, "pthread.mutex.uncontended", ("pthread.mutex.uncontended",)),
    Row("page fault", HERE, "fault.self", ("fault",)),
    Row("unmap a page", HERE, "unmap", ("unmap",)),
    Row("wake, there and back, two domains", ACROSS, "channel.wake", _all("process") + _all("thread")),
    Row("the same through the library OS", ACROSS, "ipc.stream.wake", _all("process", "pipe", "eventfd", "unix")),
    Row("wake a thread of the same program", ACROSS, "futex.wake.remote", ("futex.rtt.thread",), 0.5),
    Row("message there and back, both poll", ACROSS, "channel.rtt", _all("process", "mailbox") + _all("thread", "mailbox")),
    Row("one word there and back, both poll", ACROSS, "floor.rtt", _all("process", "floor") + _all("thread", "floor")),
    Row("unmap a page that others use", BY_CORES, "unmap", ("unmap", "unmap.running")),
    Row("barrier of futexes", BY_CORES, "barrier", ("barrier",)),
    Row("barrier of messages", BY_CORES, "barrier.tree", ("barrier",)),
)

CAVEATS = (
    "Linux is Debian's kernel with its defaults and an init that does nothing else; both systems ran on the same emulated machine, in turns, "
    "and each ratio is of two runs that followed each other.",
    "To load another address space costs some 5,000 cycles under an emulator, and a few hundred on a real core: look at threads "
    "(.thread), where Linux does not do it, beside processes (.process), where both do.",
    "Linux's page fault clears the page: 4,096 of its instructions, though few of its cycles. Atoll's pager has a cleared one at hand.",
    "Atoll's threads are the library OS's, Linux's are the kernel's.",
    "unmap: Atoll asks every core that has used the page, also one that sleeps. Linux puts that off for cores that sleep; unmap.running is "
    "with threads that run, and there its waiting counts too.",
    "A mailbox is Atoll's own channel between Linux processes; asleep, it wakes by futex.",
)


def place(fact: dict) -> tuple[str, int]:
    """Where it was measured, and with how many other cores, if that matters."""
    if "holders" in fact:
        return BY_CORES, fact["holders"]
    return (HERE if fact["from"] == fact["to"] else ACROSS), 0

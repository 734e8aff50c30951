# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The machine as it stands: its cores and their dispatchers, looked at without changing what the user has selected.

    with Machine() as machine:
        for core in machine.started(): ...
"""

from dataclasses import dataclass

import gdb

from memory import WINDOW, Physical, Space, chain, type_of, variable

WORD = (1 << 64) - 1


def name_of(enumeration: str, value) -> str:
    """An enumerator's name without its common prefix: RUNNABLE for DISPATCHER_RUNNABLE."""
    return enumerator(type_of(enumeration), int(value))


def enumerator(kind: gdb.Type, value: int) -> str:
    for field in kind.strip_typedefs().fields():
        if field.enumval == value:
            return field.name.split("_", 1)[1]
    return str(value)


def text(characters: gdb.Value) -> str:
    """An array of characters that ends with a 0, or is full."""
    raw = bytes(int(characters[i]) & 0xFF for i in range(characters.type.range()[1] + 1))
    return raw.partition(b"\0")[0].decode("latin-1")


@dataclass
class Core:
    """GDB's thread, and what it sees of `core`; `value` is None before the core has started."""

    thread: gdb.InferiorThread
    pc: int
    sp: int
    value: gdb.Value | None = None
    id: int = -1
    apic: int = -1
    node: int = -1

    @property
    def in_kernel(self) -> bool:
        return self.pc >> 63 != 0


@dataclass
class Dispatcher:
    """One of the dispatchers of a core."""

    core: Core
    address: int  # as the CPU driver sees it
    value: gdb.Value
    shared: gdb.Value  # the half that the domain sees
    space: Space

    @property
    def name(self) -> str:
        return text(self.value["name"])

    @property
    def runs(self) -> bool:
        return int(self.core.value["current"]) == self.address

    @property
    def state(self) -> str:
        return name_of("enum dispatcher_state", self.value["state"])

    def goes_on(self) -> tuple[str, dict[str, int]]:
        """How it goes on, and with which registers: all of them, or those of a call."""
        if self.runs and not self.core.in_kernel:
            return "runs", {"rip": self.core.pc, "rsp": self.core.sp}
        if self.runs:
            return "runs", {"rip": int(self.core.value["user_rip"]), "rsp": int(self.core.value["user_rsp"])}
        how = name_of("enum resume", self.value["resume"]).lower()
        registers = self.shared["enabled"] if how == "upcall" else self.value["saved"]
        names = ("rip", "rsp") if how == "call" else [field.name for field in registers.type.fields()]
        return how, {name: int(registers[name]) for name in names}


class Machine:
    """What the commands look at. While it is open a core that has started is selected, for the window on memory."""

    def __enter__(self) -> "Machine":
        if not gdb.selected_inferior().threads():
            raise gdb.GdbError("There is no machine: `target remote` connects to one.")
        self._thread, self._frame = gdb.selected_thread(), gdb.selected_frame()
        self.physical = Physical()
        try:
            threads = sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num)
            self.cores = [core_of(thread) for thread in threads]
            if self.started():
                self.started()[0].thread.switch()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error) -> None:
        self._thread.switch()
        if self._frame.is_valid():
            self._frame.select()

    def started(self) -> list[Core]:
        return [core for core in self.cores if core.value is not None]

    def core(self, number: int) -> Core:
        for core in self.started():
            if core.id == number:
                return core
        raise gdb.GdbError(f"There is no core {number}: {', '.join(str(core.id) for core in self.started()) or 'none'} have started.")

    def dispatchers(self):
        """Of all cores, the youngest of each core first."""
        for core in self.started():
            for pointer, _ in chain(core.value["dispatchers"], self.physical.at, "next"):
                yield dispatcher_of(self.physical, core, pointer)


def dispatcher_of(physical: Physical, core: Core, pointer: gdb.Value) -> Dispatcher:
    address = int(pointer)
    value, kind = physical.at(pointer), type_of("struct dispatcher_shared")
    shared = address - WINDOW + kind.sizeof  # the shared half follows the private one
    return Dispatcher(core, address, value, physical.value(shared, kind), Space(physical, int(value["page_table4"])))


def core_of(thread: gdb.InferiorThread) -> Core:
    """Selects the thread."""
    thread.switch()
    core = Core(thread, int(gdb.parse_and_eval("$pc")) & WORD, int(gdb.parse_and_eval("$sp")) & WORD)
    try:
        value = variable("core")
        value.fetch_lazy()
        if int(value["boot"]):
            boot = value["boot"].dereference()
            core.id, core.apic, core.node = int(value["id"]), int(boot["apic"]), int(boot["node"])
            core.value = value
    except gdb.MemoryError:
        pass  # it has no such address yet
    return core

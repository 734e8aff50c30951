# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""GDB commands for a running Atoll (`make gdb`): what each core does, in the CPU driver's own terms.

    atoll cores         every core: its state, and who runs on it
    atoll dispatchers   every dispatcher of every core, with the registers that it will go on with
    atoll domain NAME   loads the symbols of a program (init, shell, monitor, ...)

All cores have `struct core core` at the same virtual address over memory of their own, so the commands look at it from each core's
point of view: GDB's threads are the cores. A core that has not started yet has no such address.
"""

import os

import gdb


def build_directory() -> str:
    """Where the CPU driver's symbols came from."""
    for objfile in gdb.objfiles():
        if objfile.filename and objfile.filename.endswith("cpudriver.elf"):
            return os.path.dirname(objfile.filename)
    return "build"


def name_of(enumeration: str, value: gdb.Value) -> str:
    """An enumerator's name without its common prefix: RUNNABLE for DISPATCHER_RUNNABLE."""
    for field in gdb.lookup_type(enumeration).fields():
        if field.enumval == int(value):
            return field.name.split("_", 1)[1]
    return str(int(value))


def each_core():
    """Selects one core after the other and yields (GDB's thread, its `core`), or None for `core` before it has one."""
    selected, frame = gdb.selected_thread(), gdb.selected_frame()
    try:
        for thread in sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num):
            thread.switch()
            try:
                core = gdb.parse_and_eval("&core").dereference()
                core["id"].fetch_lazy()
                yield thread, core if int(core["boot"]) else None
            except gdb.MemoryError:
                yield thread, None
    finally:
        selected.switch()
        frame.select()


def text(characters: gdb.Value) -> str:
    return characters.string("latin-1", "replace") or "(no name)"


def in_kernel(rip: int) -> bool:
    return rip >= 1 << 63


class Atoll(gdb.Command):
    """Commands that know Atoll: atoll cores, atoll dispatchers, atoll domain NAME."""

    def __init__(self):
        super().__init__("atoll", gdb.COMMAND_STATUS, prefix=True)


class Cores(gdb.Command):
    """atoll cores: what each core does."""

    def __init__(self):
        super().__init__("atoll cores", gdb.COMMAND_STATUS)

    def invoke(self, argument: str, from_tty: bool):
        print("thread  core   APIC  node  dispatchers  where           runs")
        for thread, core in each_core():
            if core is None:
                print(f"{thread.num:>6}     -      -     -            -  not started     -")
                continue
            rip = int(gdb.parse_and_eval("$pc")) & 0xffffffffffffffff
            current = core["current"]
            runs = text(current["name"]) if int(current) else "nothing"
            boot = core["boot"]
            print(f"{thread.num:>6}  {int(core['id']):>4}  {int(boot['apic']):>5}  {int(boot['node']):>4}  "
                  f"{int(core['dispatcher_count']):>11}  {'CPU driver' if in_kernel(rip) else 'user space':<14}  {runs}")


class Dispatchers(gdb.Command):
    """atoll dispatchers: every dispatcher of every core, and the registers that it will go on with."""

    def __init__(self):
        super().__init__("atoll dispatchers", gdb.COMMAND_STATUS)

    def invoke(self, argument: str, from_tty: bool):
        print("core  name      state          goes on with  RIP                 RSP                 level-4 table")
        for _, core in each_core():
            dispatcher = core["dispatchers"] if core is not None else None
            while dispatcher is not None and int(dispatcher):
                self._show(core, dispatcher)
                dispatcher = dispatcher["next"]

    @staticmethod
    def _show(core: gdb.Value, dispatcher: gdb.Value):
        if dispatcher == core["current"]:
            how, rip, rsp = "runs", gdb.parse_and_eval("$pc"), gdb.parse_and_eval("$sp")
        else:
            how = name_of("enum resume", dispatcher["resume"]).lower()
            registers = dispatcher["saved"]
            if how == "upcall":
                shared = gdb.lookup_type("struct dispatcher_shared")
                offset = int(gdb.parse_and_eval("sizeof(struct dispatcher_shared)"))  # the shared half follows the private one
                address = int(dispatcher) + offset
                registers = gdb.Value(address).cast(shared.pointer())["enabled"]
            rip, rsp = registers["rip"], registers["rsp"]
        print(f"{int(core['id']):>4}  {text(dispatcher['name']):<8}  {name_of('enum dispatcher_state', dispatcher['state']):<13}  {how:<12}  "
              f"0x{int(rip) & 0xffffffffffffffff:016x}  0x{int(rsp) & 0xffffffffffffffff:016x}  0x{int(dispatcher['page_table4']):x}")


class Domain(gdb.Command):
    """atoll domain NAME: loads the symbols of a program, such as init or monitor."""

    def __init__(self):
        super().__init__("atoll domain", gdb.COMMAND_FILES)

    def complete(self, text_so_far: str, word: str):
        directory = os.path.join(build_directory(), "programs")
        return [name for name in sorted(os.listdir(directory)) if name.startswith(word)] if os.path.isdir(directory) else []

    def invoke(self, argument: str, from_tty: bool):
        name = argument.strip()
        if not name or "/" in name:
            raise gdb.GdbError("atoll domain NAME: which program?")
        path = os.path.join(build_directory(), "programs", name)
        if not os.path.isfile(path):
            raise gdb.GdbError(f"atoll domain: there is no program {name} in {os.path.dirname(path)}")
        gdb.execute(f"add-symbol-file {path}")


Atoll()
Cores()
Dispatchers()
Domain()

# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Walks up the stack through functions that came without a word about their stack: the C library's, as the distribution builds it.

Such a function keeps no frame pointer, so what it has pushed is found by reading its instructions from its beginning to where it is. A
return in between belongs to a way that was not taken, and what is behind it begins with what had been pushed before.
"""

import re

import gdb
from gdb.unwinder import Unwinder

_PUSH = re.compile(r"push +%(\w+)")
_STEP = re.compile(r"(sub|add) +\$(0x[0-9a-f]+),%rsp")
_LEAVES = re.compile(r"(repz |rep )?ret|jmp")
LONGEST = 4096  # bytes of a function that are read


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


def depth(instructions: list[dict], pc: int) -> tuple[int, dict[str, int]]:
    """Bytes below the return address, and at which depth each register was pushed, when the instruction at `pc` is about to run."""
    now, deepest, pushed = 0, 0, {}
    for instruction in instructions:
        if instruction["addr"] >= pc:
            break
        text = instruction["asm"]
        push, step = _PUSH.match(text), _STEP.match(text)
        if push:
            now += 8
            pushed.setdefault(push[1], now)
        elif text.startswith("pop"):
            now -= 8
        elif step:
            now += int(step[2], 16) * (1 if step[1] == "sub" else -1)
        elif _LEAVES.match(text):
            now = deepest
        deepest = max(deepest, now)
    return now, {name: at for name, at in pushed.items() if at <= now}


class WithoutCfi(Unwinder):
    """Functions of programs for which GDB has no line table, so no compiler has described their stack."""

    def __init__(self):
        super().__init__("atoll")

    def __call__(self, pending):
        pc = int(pending.read_register("rip")) & (1 << 64) - 1
        start = _start(pc)
        if start is None:
            return None
        code = pending.architecture().disassemble(start, max(pc - 1, start))
        below, pushed = depth(code, pc)
        cfa = int(pending.read_register("rsp")) + below + 8
        frame = pending.create_unwind_info(FrameId(gdb.Value(cfa), gdb.Value(start)))
        word = gdb.lookup_type("unsigned long")
        frame.add_saved_register("rip", gdb.Value(cfa - 8).cast(word.pointer()).dereference())
        frame.add_saved_register("rsp", gdb.Value(cfa))
        for name, at in pushed.items():
            if name in ("rbx", "rbp", "r12", "r13", "r14", "r15"):
                frame.add_saved_register(name, gdb.Value(cfa - 8 - at).cast(word.pointer()).dereference())
        return frame


def _start(pc: int) -> int | None:
    """Where the function begins, if it is one of those."""
    if pc >> 47 or gdb.find_pc_line(pc).symtab is not None:
        return None
    words = gdb.execute(f"info symbol {pc:#x}", to_string=True)
    match = re.match(r"[\w.$]+(?: \+ (\d+))? in section", words)
    start = pc - int(match[1] or 0) if match else None
    return start if start is not None and pc - start <= LONGEST else None


def commands():
    gdb.unwinder.register_unwinder(None, WithoutCfi(), replace=True)

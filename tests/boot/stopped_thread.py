# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`with stopped(thread):` one thread of another process does not run; signals would stop all of them."""

import contextlib
import ctypes
import os

# Linux, include/uapi/linux/ptrace.h and wait.h
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
PTRACE_DETACH = 17
WAIT_FOR_ANY_THREAD = 0x40000000  # __WALL

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, thread: int) -> None:
    if _libc.ptrace(request, thread, None, None) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"thread {thread} can't be stopped: {os.strerror(error)}")


@contextlib.contextmanager
def stopped(thread: int):
    _ptrace(PTRACE_SEIZE, thread)
    _ptrace(PTRACE_INTERRUPT, thread)
    os.waitpid(thread, WAIT_FOR_ANY_THREAD)
    try:
        yield
    finally:
        _ptrace(PTRACE_DETACH, thread)

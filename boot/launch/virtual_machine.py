# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The QEMU process: never outlives the launcher, never runs longer than its time."""

import ctypes
import os
import selectors
import signal
import subprocess
import time
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2): the signal that a process gets when its parent dies


def die_with_parent() -> None:
    """Runs in the child, so that not even a killed launcher leaves a machine behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for(path: Path, process: subprocess.Popen) -> None:
    """Until there is a file that QEMU makes when it starts, or it has ended."""
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)


def stream(command: list[str], timeout: float, on_data, on_timeout=lambda: None) -> str | None:
    """Runs `command`, hands what it prints to `on_data` as it comes. `on_timeout` is called before it is stopped.

    The answer is None if it ended with exit code 0, else a sentence that says how it ended.
    """
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          preexec_fn=die_with_parent) as process:
        try:
            complaints = _pump(process, time.monotonic() + timeout, on_data)
            code = process.wait()
        except TimeoutError:
            on_timeout()
            return f"The machine was still running after {timeout:g} seconds and was stopped."
        finally:
            process.kill()
    if code == 0:
        return None
    text = complaints.decode("utf-8", "replace").strip().replace("\n", "; ")
    return f"{command[0]} ended with code {code}: {text or 'it did not say why'}"


def _pump(process: subprocess.Popen, deadline: float, on_data) -> bytes:
    """Until both pipes are closed; the answer is what came over the error pipe."""
    complaints = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _ in selector.select(left):
                data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    on_data(data)
                else:
                    complaints += data
    return complaints

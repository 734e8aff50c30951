#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Stands in for QEMU: prints the file that FAKE_SERIAL names, ends with FAKE_CODE, or never if FAKE_CODE is `hang`.

With FAKE_QMP it first answers one client of its machine protocol: its own threads are the cores, or, if FAKE_QMP is `refuse`, it refuses.
"""

import json
import os
import socket
import sys
import threading
import time


def answer_client(path):
    stop = threading.Event()
    cores = [threading.Thread(target=stop.wait) for _ in range(2)]
    for core in cores:
        core.start()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        client = server.accept()[0]
    with client, client.makefile("rw") as stream:
        def say(message):
            stream.write(json.dumps(message) + "\n")
            stream.flush()
        say({"QMP": {"version": {}}})
        for line in stream:
            say({"event": "RESUME"})
            if os.environ["FAKE_QMP"] == "refuse":
                say({"error": {"class": "GenericError", "desc": "not today"}})
            elif json.loads(line)["execute"] == "query-cpus-fast":
                say({"return": [{"cpu-index": n, "thread-id": core.native_id} for n, core in enumerate(cores)]})
            else:
                say({"return": {}})
    for core in cores:
        print("pinned to", *sorted(os.sched_getaffinity(core.native_id)))
    stop.set()


if "--version" in sys.argv:
    print("QEMU emulator version 0.0 (fake)")
elif "help" in sys.argv:
    print("x86 max\nx86 qemu64\nx86 Haswell")
else:
    if "FAKE_QMP" in os.environ:
        answer_client(next(word for word in sys.argv if word.startswith("unix:"))[len("unix:"):].partition(",")[0])
    with open(os.environ["FAKE_SERIAL"], "rb") as serial:
        sys.stdout.buffer.write(serial.read())
    sys.stdout.flush()
    if os.environ.get("FAKE_CODE") == "hang":
        time.sleep(3600)
    print(os.environ.get("FAKE_COMPLAINT", ""), file=sys.stderr)
    sys.exit(int(os.environ.get("FAKE_CODE", "0")))

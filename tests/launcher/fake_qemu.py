#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Stands in for QEMU: prints the file that FAKE_SERIAL names, ends with FAKE_CODE, or never if FAKE_CODE is `hang`."""

import os
import sys
import time

if "--version" in sys.argv:
    print("QEMU emulator version 0.0 (fake)")
elif "help" in sys.argv:
    print("x86 max\nx86 qemu64\nx86 Haswell")
else:
    with open(os.environ["FAKE_SERIAL"], "rb") as serial:
        sys.stdout.buffer.write(serial.read())
    sys.stdout.flush()
    if os.environ.get("FAKE_CODE") == "hang":
        time.sleep(3600)
    print(os.environ.get("FAKE_COMPLAINT", ""), file=sys.stderr)
    sys.exit(int(os.environ.get("FAKE_CODE", "0")))

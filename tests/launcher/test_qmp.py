# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Talking to QEMU."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

LAUNCH = Path(__file__).resolve().parents[2] / "boot/launch"
ASK = """
import pathlib, signal, sys
sys.path.insert(0, sys.argv[1])
import qmp
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
with qmp.Qmp(pathlib.Path(sys.argv[2])) as qemu:
    input()
    try:
        qemu.ask("cont")
    except (OSError, ValueError):
        print("gone")
"""


def greet_and_go(listener: socket.socket, gone: threading.Event) -> None:
    connection, _ = listener.accept()
    connection.sendall(b'{"QMP":{}}\n')
    connection.recv(65536)
    connection.sendall(b'{"return":{}}\n')
    connection.close()
    gone.set()


def test_a_qemu_that_has_gone_does_not_end_the_launcher(tmp_path):
    gone = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "qmp"))
        listener.listen()
        threading.Thread(target=greet_and_go, args=(listener, gone), daemon=True).start()
        asking = subprocess.Popen([sys.executable, "-c", ASK, LAUNCH, tmp_path / "qmp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  text=True)
        assert gone.wait(20)
        assert asking.communicate("\n", timeout=20)[0] == "gone\n"
    assert asking.returncode == 0

# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""For GDB, after boot/gdb/atoll.py: stops the machine at random moments, and gives every command of ours, about all that it names.

`python stops("SOCKET", count=40, seed=7, longest=0.1)`: so many times, each after at most that many seconds, by QEMU's machine protocol, as a
Control-C may come when GDB is not prepared for one. Sentences of a command are an answer; an exception is a fault. The last line is
`N stops, M answers, F faults`.
"""

import random
import re
import socket
import sys
import threading
import time

import gdb

OF_ALL = ("cores", "domains", "dispatchers", "threads", "channels", "agreement")
OF_ONE = ("caps", "threads", "channels")
OF_ONES = 8
FAULTS = ("Error occurred in Python", "Python Exception", "Traceback")


class Bell:
    """`with Bell(line, seconds):` the machine is stopped after that time, whenever it runs by then."""

    def __init__(self, line: socket.socket, seconds: float):
        self._line, self._seconds, self._over = line, seconds, threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_error):
        self._over.set()
        self._thread.join()

    def _work(self):
        time.sleep(self._seconds)
        try:
            while not self._over.wait(0.005):
                self._line.sendall(b'{"execute":"stop"}\n')
                self._line.recv(65536)
        except OSError:
            pass  # the machine is gone


class Stops:
    """What came of them."""

    def __init__(self):
        self.answers = 0
        self.faults: list[str] = []
        self.sentences: dict[str, int] = {}

    def ask(self, command: str) -> str:
        self.answers += 1
        try:
            said = gdb.execute(f"atoll {command}", to_string=True)
        except gdb.error as error:
            said = str(error)
            sentence = re.sub(r"\d+", "N", said)
            self.sentences[sentence] = self.sentences.get(sentence, 0) + 1
        if any(fault in said for fault in FAULTS):
            self.faults.append(f"atoll {command}: {said}")
        return said

    def look(self, chance: random.Random) -> None:
        answers = [self.ask(command) for command in OF_ALL]
        cores = re.findall(r"^ +\d+ +(\d+) +\d+ +\d+ ", answers[0], re.M)
        domains = re.findall(r"^(\w+(?:@\d+)?) +\d+ +[-\d]", answers[1], re.M)
        threads = re.findall(r"^([\w@]+\.[\d@]+) +\d", answers[3], re.M)
        asked = [f"bt {which}" for which in cores + threads] + [f"{command} {domain}" for domain in domains for command in OF_ONE]
        for command in chance.sample(asked, min(len(asked), OF_ONES)):
            self.ask(command)


def stops(control: str, count: int, seed: int, longest: float) -> None:
    found, chance, line = Stops(), random.Random(seed), socket.socket(socket.AF_UNIX)
    line.connect(control)
    line.sendall(b'{"execute":"qmp_capabilities"}\n')
    for number in range(count):
        try:
            with Bell(line, chance.uniform(0, longest)):
                gdb.execute("continue", to_string=True)
        except gdb.error as error:
            print(f"The machine is gone: {error}")
            count = number
            break
        found.look(chance)
    for sentence, times in sorted(found.sentences.items()):
        print(f"{times} x {sentence}")
    for fault in found.faults[:10]:
        print(fault)
    print(f"{count} stops, {found.answers} answers, {len(found.faults)} faults")
    sys.stdout.flush()

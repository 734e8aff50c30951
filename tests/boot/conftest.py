# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""`boot(...)` boots the image in QEMU, by the launcher's own code, and returns what the guest said and how it ended.

Every boot is a leak test: unless a test says `check=False`, the guest must power itself off with status 0, without a panic
or a damaged fact, and each core must state as much free memory and as many capabilities at the end as at the beginning.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pexpect
import pytest
from places import BUILD, ROOT

sys.path.insert(0, str(ROOT / "boot/launch"))

import machine  # noqa: E402
import settings  # noqa: E402
import virtual_machine  # noqa: E402
from serial import Transcript  # noqa: E402


class Boot:
    """One boot from its start to its end."""

    def __init__(self, command: list[str]):
        # Only UEFI firmware, which QEMU gets as a flash drive, uses the serial line.
        self.transcript = Transcript(firmware=any("if=pflash" in word for word in command))
        self.log = b""
        self.ended = None  # None: QEMU ended with exit code 0, else a sentence
        self.seconds = 0.0

    def facts(self, tag: str, **wanted) -> list[dict]:
        return [fact for fact in self.transcript.tagged(tag) if all(fact.get(k) == v for k, v in wanted.items())]

    @property
    def text(self) -> str:
        """The lines for people."""
        return "\n".join(self.transcript.people)

    @property
    def status(self) -> int | None:
        """What the guest powered off with; None if it did not."""
        ends = self.facts("event", event="poweroff")
        return ends[-1]["status"] if ends else None

    @property
    def exit_code(self) -> int:
        """As `make run` would end."""
        return 1 if self.ended or self.transcript.failure() else 0

    def check(self) -> "Boot":
        """Asserts a clean end on every core that came up."""
        failure = self.ended or self.transcript.failure()
        assert failure is None, f"{failure}\n{self.tail()}"
        cores = {fact["core"] for fact in self.facts("boot")}
        assert cores, f"no core came up\n{self.tail()}"
        assert {fact["core"] for fact in self.facts("leak")} == cores, f"not every core stated what it holds\n{self.tail()}"
        return self

    def tail(self) -> str:
        """The end of what came over the serial line, for a failed assertion."""
        return "\n".join(self.log.decode("utf-8", "replace").splitlines()[-40:])

    def feed(self, data: bytes) -> None:
        self.log += data
        self.transcript.feed(data)


class Session(Boot):
    """A machine that a test talks to while it runs; `with boot.session(...) as machine`."""

    def __init__(self, command: list[str], scratch: Path, timeout: float):
        super().__init__(command)
        self._control = scratch / "control"
        command = command + ["-qmp", f"unix:{self._control},server=on,wait=off"]
        self._guest = pexpect.spawn(command[0], command[1:], timeout=timeout, echo=False, maxread=65536,
                                    preexec_fn=virtual_machine.die_with_parent)
        self._guest.logfile_read = self
        self._start = time.monotonic()

    @property
    def control_path(self) -> Path:
        """The socket of QEMU's machine protocol, for one client at a time."""
        return self._control

    @property
    def pid(self) -> int:
        """QEMU's."""
        return self._guest.pid

    def write(self, data: bytes) -> None:
        self.feed(data)

    def flush(self) -> None:
        pass

    def expect(self, pattern: str, timeout: float = -1) -> str:
        """Waits until the serial line has said `pattern`; the answer is what came before it."""
        try:
            self._guest.expect(pattern, timeout=timeout)
        except (pexpect.TIMEOUT, pexpect.EOF) as error:
            raise AssertionError(f"the guest did not say /{pattern}/ ({type(error).__name__})\n{self.tail()}") from None
        return self._guest.before.decode("utf-8", "replace")

    def type(self, line: str) -> None:
        self._guest.send(line + "\r")

    def press(self, key: str) -> None:
        """One key, without a return. Control-C is the guest's, not a signal to QEMU."""
        attributes = termios.tcgetattr(self._guest.fileno())
        attributes[3] &= ~termios.ISIG
        termios.tcsetattr(self._guest.fileno(), termios.TCSANOW, attributes)
        self._guest.send(key)

    def control(self, command: str):
        """Gives QEMU a command of its machine protocol, such as system_powerdown, and returns its answer."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self._control))
            with line.makefile("rw", encoding="utf-8") as stream:
                stream.readline()
                for name in ("qmp_capabilities", command):
                    stream.write(json.dumps({"execute": name}) + "\n")
                    stream.flush()
                    answer = json.loads(stream.readline())
                    while "event" in answer:
                        answer = json.loads(stream.readline())
                    assert "return" in answer, f"QEMU refused {name}: {answer}"
        return answer["return"]

    def finish(self) -> "Session":
        """Waits for the machine's own end."""
        self.expect(pexpect.EOF)
        return self

    def close(self) -> None:
        self._guest.close(force=True)
        self.transcript.end()
        self.seconds = time.monotonic() - self._start
        if self._guest.exitstatus != 0:
            self.ended = f"QEMU ended with code {self._guest.exitstatus}, signal {self._guest.signalstatus}"


class Booter:
    """The fixture `boot`. What it understands:

    cores, nodes, mem, machine, firmware, cpu, app, cmdline   as `make run`'s settings
    icount=True        count instructions
    qemu_extra=[...]   further words for QEMU; with nodes=1 (a machine that does not speak of nodes) also the whole -numa layout
    timeout=60         seconds
    modules={...}      other boot modules: name to bytes, a path, or None to leave it out; "archive" is one of them
    grub=text          another grub.cfg
    check=False        do not assert a clean end
    """

    def __init__(self, scratch: Path):
        self._scratch = scratch
        self._boots = 0

    def __call__(self, *, check: bool = True, timeout: float = 60, **options) -> Boot:
        command = self._command(**options)
        result = Boot(command)
        start = time.monotonic()
        result.ended = virtual_machine.stream(command, timeout, result.feed)
        result.transcript.end()
        result.seconds = time.monotonic() - start
        return result.check() if check else result

    def session(self, *, check: bool = True, timeout: float = 60, **options) -> "_Opened":
        command = self._command(**options)
        return _Opened(lambda: Session(command, self._directory(), timeout), check)

    def _command(self, *, cores=2, nodes=1, mem="256M", qemu_extra=(), icount=False, modules=None, grub=None, **named) -> list[str]:
        given = {"CORES": cores, "NODES": nodes, "MEM": mem, "LENS": "icount" if icount else "elapsed"}
        given |= {name.upper(): value for name, value in named.items()}
        checked = settings.parse([f"{name}={value}" for name, value in given.items()])
        self._boots += 1
        directory = self._directory()
        directory.mkdir()
        image = self._image(directory, modules or {}, grub) if modules or grub else BUILD / "atoll.iso"
        return machine.command(checked, image, directory) + [str(word) for word in qemu_extra]

    def _directory(self) -> Path:
        return self._scratch / str(self._boots)

    @staticmethod
    def _image(directory: Path, modules: dict, grub: str | None) -> Path:
        """A copy of the image with other files."""
        tree, image = directory / "image", directory / "atoll.iso"
        shutil.copytree(BUILD / "image", tree)
        menu = tree / "boot/grub/grub.cfg"
        text = grub or menu.read_text(encoding="utf-8")
        for name, content in modules.items():
            file = tree / "boot" / ("archive.cpio" if name == "archive" else name)
            if content is None:
                file.unlink()
                text = "\n".join(line for line in text.splitlines() if f"module2 /boot/{file.name}" not in line) + "\n"
            else:
                file.write_bytes(content if isinstance(content, bytes) else Path(content).read_bytes())
        menu.write_text(text, encoding="utf-8")
        made = subprocess.run([ROOT / "boot/make-iso.sh", image, tree], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        return image


class _Opened:
    def __init__(self, start, check: bool):
        self._start, self._check = start, check

    def __enter__(self) -> Session:
        self._session = self._start()
        return self._session

    def __exit__(self, error, *_):
        if error is None and self._check:
            self._session.finish()
        self._session.close()
        if error is None and self._check:
            self._session.check()


@pytest.fixture
def boot():
    with tempfile.TemporaryDirectory(prefix="atoll-") as scratch:
        yield Booter(Path(scratch))


def pytest_configure(config):
    if not config.option.collectonly and not (BUILD / "atoll.iso").exists():
        raise pytest.UsageError(f"{BUILD / 'atoll.iso'} does not exist: `make image` first, or `make test`.")

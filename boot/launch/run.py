#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Boots the image in QEMU: run.py check|run|bench|shell|gdb|replay|trace|host|plan|topology [NAME=value ...]. The Makefile's targets of these
names call it.

The exit code is 0 if the guest powered itself off and said that all went well, 1 if not, 2 if a setting was refused.
"""

import dataclasses
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import kept_memory
import machine
import pinning
import plan as planning
import qmp
import recordings
import replaying
import settings as user
import summary
import topology as exported
import virtual_machine
from last_words import LastWords
from results import Results, origin_of_guest, origin_of_host
from serial import Transcript, is_panic

REFUSED = 2
PROMPT = "atoll> "
TRACED = "hello"
BENCHMARKS = ("ipcbench", "capbench", "stubbench", "threadbench", "spanbench", "groupbench", "placebench", "kv --rounds 9 --ms 10",
              "tracebench")
NEED_TWO_CORES = ("capbench", "spanbench", "groupbench")


def main(arguments: list[str]) -> int:
    actions = {"check": lambda settings: 0, "run": run, "bench": bench, "shell": shell, "gdb": gdb, "host": host, "plan": plan,
               "trace": trace, "topology": topology, "replay": lambda settings: replay(settings, arguments[1:])}
    if not arguments or arguments[0] not in actions:
        print(f"usage: run.py {'|'.join(actions)} [NAME=value ...]", file=sys.stderr)
        return REFUSED
    try:
        return actions[arguments[0]](user.parse(arguments[1:], arguments[0]))
    except user.Refused as refusal:
        print(refusal, file=sys.stderr)
        return REFUSED


def run(settings: user.Settings) -> int:
    """Shows the guest's lines as they come, then the tables."""
    return _watch(settings)


def bench(settings: user.Settings) -> int:
    """All benchmarks, unless the user chose."""
    all_of_them = [name for name in BENCHMARKS if settings.cores > 1 or name not in NEED_TWO_CORES]
    return _watch(dataclasses.replace(settings, app=settings.app or " ; ".join(all_of_them)))


def trace(settings: user.Settings) -> int:
    """A run whose trace rings are read out of the guest's memory when the machine has gone, whatever became of it. The program `clocks`
    goes first: events of several cores need one clock."""
    app = settings.app or TRACED
    settings = dataclasses.replace(settings, app=f"clocks ; {app}" if settings.cores > 1 else app,
                                   cmdline=f"{settings.cmdline} trace=on".lstrip())
    directory = settings.build / "trace" / settings.name
    memory = directory / "memory"
    shutil.rmtree(directory, ignore_errors=True)
    memory.mkdir(parents=True)
    try:
        code = _watch(settings, memory)
        shutil.copy(settings.build / "results" / f"{settings.name}.jsonl", directory / "facts.jsonl")
        return subprocess.call([sys.executable, "bench/trace/export.py", str(directory)]) or code
    finally:
        shutil.rmtree(memory, ignore_errors=True)


def shell(settings: user.Settings) -> int:
    """The serial line is the terminal until the guest powers itself off. Lines may also come from a pipe."""
    import pexpect  # Only here: `check` must work before any package is installed.

    # Only who asks for it gets cores of the host's own for a machine that mostly waits for keys.
    settings = dataclasses.replace(settings, app=settings.app or "shell", pin="on" if settings.pin == "on" else "off")
    by_hand = sys.stdin.isatty()
    with _scratch() as scratch:
        command = machine.command(settings, _image(settings), Path(scratch)) + _pinning_words(settings, Path(scratch) / "qmp")
        recording = Recording(settings, command)
        _begin_pinning(settings, Path(scratch) / "qmp", recording)
        last = recording.last_words(Path(scratch))
        terminal = TerminalFilter(recording.feed)
        guest = pexpect.spawn(command[0], command[1:] + last.words(), timeout=settings.timeout, echo=False,
                              preexec_fn=virtual_machine.die_with_parent)
        try:
            if by_hand:
                print("Ctrl-C ends the machine; the shell's `poweroff` does it gently.")
                guest.interact(escape_character=None, output_filter=terminal.feed)
            else:
                guest.logfile_read = terminal
                _type(guest, sys.stdin, pexpect.EOF)
        except pexpect.TIMEOUT:
            last.take_now()
            return recording.verdict(f"The machine said nothing for {settings.timeout} seconds and was stopped.")
        finally:
            guest.close(force=True)
    return recording.verdict(None if guest.exitstatus == 0 else "The machine was stopped.")


def _type(guest, lines, end) -> None:
    """Each line waits for the prompt, since what comes before the guest listens is lost. After the last one: poweroff."""
    for line in [*lines, "poweroff"]:
        if guest.expect([PROMPT, end]):
            return
        guest.send(line.rstrip("\n") + "\r")
    guest.expect(end)


def gdb(settings: user.Settings) -> int:
    """QEMU waits for the debugger, which stops at the CPU driver's entry on the first core."""
    with _scratch() as scratch:
        return _debug(settings, machine.command(settings, _image(settings), Path(scratch)), Path(scratch))


def replay(settings: user.Settings, words: list[str]) -> int:
    """Records a run and replays it in the debugger, which can also go backwards; or replays a recording that is there, if nothing is said of
    a machine. A run that fails is as good as any."""
    image = _image(settings)
    if recordings.is_wanted(words):
        return _replay(settings, recordings.find(words, settings, image))
    settings = replaying.checked(settings)
    with _scratch() as scratch:
        replaying.prepare(Path(scratch))
        recorder = replaying.Recorder(Path(scratch))
        command = replaying.command(settings, image, Path(scratch), "record") + recorder.words()
        recording = Recording(settings, command, on_text=lambda line: print(line, flush=True))
        recorder.begin()
        code = recording.verdict(virtual_machine.stream(command, settings.timeout, recording.feed, recorder.end_now))
        if recorder.instructions is None:
            return code
        kept = recordings.keep(settings, image, Path(scratch), recorder)
    print(f"\nThe recording is in {kept.directory}; `make replay` without other settings replays the last one, NAME=... another one.")
    return _replay(settings, kept)


def _replay(settings: user.Settings, kept: recordings.Kept) -> int:
    print(f"{kept.directory}, a run of {kept.instructions} instructions, is replayed now: continue goes on until shortly before its end, "
          "reverse-continue, reverse-step and the like go back, `atoll wrote EXPRESSION` to where something was written last.")
    with _scratch() as scratch:
        command = recordings.lay_out(kept, _image(settings), Path(scratch))
        # QEMU can't go back from the very end; and from a snapshot at the CPU driver's entry it is not far to any place behind.
        return _debug(settings, command + ["-no-shutdown"], Path(scratch), "-ex", "monitor savevm entry", "-ex", f"atoll last {kept.last}")


def _debug(settings: user.Settings, command: list[str], scratch: Path, *words: str) -> int:
    """GDB on that machine, with further words for it."""
    socket, log = scratch / "gdb", settings.build / "results" / "gdb.log"
    command = command + ["-chardev", f"socket,path={socket},server=on,wait=off,id=gdb", "-gdb", "chardev:gdb", "-S"]
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"The guest's serial output goes to {log}.", flush=True)
    with log.open("wb") as output, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                                    preexec_fn=virtual_machine.die_with_parent) as process:
        try:
            virtual_machine.wait_for(socket, process)
            return subprocess.call(["gdb", "-q", "-x", "boot/gdb/atoll.py", "-ex", f"target remote {socket}",
                                    "-ex", "hbreak core_entry", "-ex", "continue", *words, str(settings.build / "cpudriver.elf")])
        finally:
            process.kill()


def host(settings: user.Settings) -> int:
    """The channels on two bare threads of this host; the same facts, kept in the same way."""
    command = [str(settings.build / "bench-host")]
    results = Results(settings, origin_of_host(command))
    transcript = Transcript(lambda line: print(line, flush=True), results.fact)
    failure = virtual_machine.stream(command, settings.timeout, transcript.feed)
    transcript.end()
    results.close()
    failure = failure or next(iter(transcript.errors), None)
    print(failure or f"The facts of this run are in {results.path}.", file=sys.stderr if failure else sys.stdout)
    return 1 if failure else 0


def plan(settings: user.Settings) -> int:
    """Where the machine would go, and why; also kept, as JSON."""
    kept = settings.build / "plan.json"
    kept.write_text(json.dumps(settings.plan) + "\n", encoding="utf-8")
    print(planning.text(settings.plan, machine.layout(settings)))
    print(f"\nThe plan is also in {kept}.")
    return 0


def topology(settings: user.Settings) -> int:
    """What the system found, while APP runs if there is one: an XML file for hwloc's tools, and a picture."""
    code, recording = _boot(dataclasses.replace(settings, app=f"topology {settings.app}".rstrip()))
    if code:
        return code
    file, picture = settings.build / "topology.xml", settings.build / "topology.svg"
    try:
        file.write_text(exported.xml(recording.results.facts), encoding="utf-8")
        print(exported.validate(settings.build, file))
        exported.draw(file, picture)
    except exported.Refused as reason:
        print(reason, file=sys.stderr)
        return 1
    print(f"The machine is in {file}, its picture in {picture}.")
    return 0


def _watch(settings: user.Settings, memory: Path | None = None) -> int:
    code, recording = _boot(settings, memory)
    tables = summary.tables(recording.results.facts)
    print(f"\n{tables}\n" if tables else "")
    print(f"The facts of this run are in {recording.results.path}.")
    return code


def _boot(settings: user.Settings, memory: Path | None = None) -> tuple[int, "Recording"]:
    """Shows the guest's lines as they come."""
    with _scratch() as scratch:
        command = machine.command(settings, _image(settings), Path(scratch)) + _pinning_words(settings, Path(scratch) / "qmp")
        if memory is not None:
            command = kept_memory.keep(settings, command, memory)
        recording = Recording(settings, command, on_text=lambda line: print(line, flush=True))
        _begin_pinning(settings, Path(scratch) / "qmp", recording)
        last = recording.last_words(Path(scratch))
        failure = virtual_machine.stream(command + last.words(), settings.timeout, recording.feed, last.take_now)
    return recording.verdict(failure), recording


def _pinning_words(settings: user.Settings, control: Path) -> list[str]:
    return [] if settings.processors() is None else qmp.words(control)


def _begin_pinning(settings: user.Settings, control: Path, recording: "Recording") -> None:
    if settings.pin == "on":
        planning.begin(settings.build, control, settings.plan, recording.fail)
    elif settings.processors() is not None:
        pinning.begin(control, settings.processors(), recording.not_pinned)


class Recording:
    """What the guest says, understood and kept."""

    def __init__(self, settings: user.Settings, command: list[str], on_text=lambda line: None):
        self.results = Results(settings, origin_of_guest(settings, command))
        self._unpinned: str | None = None
        self._failure: str | None = None
        self._last_words: LastWords | None = None
        self.transcript = Transcript(on_text, self._fact, firmware=settings.firmware == "uefi")

    def feed(self, data: bytes) -> None:
        self.results.log(data)
        self.transcript.feed(data)

    def _fact(self, fact: dict) -> None:
        self.results.fact(fact)
        if self._last_words and is_panic(fact) and not self.transcript.deaths_are_meant():
            self._last_words.take_soon()

    def not_pinned(self, sentence: str) -> None:
        self._unpinned = sentence

    def fail(self, sentence: str) -> None:
        """The run is a failed one, whatever the guest says."""
        self._failure = sentence

    def last_words(self, scratch: Path) -> LastWords:
        """Begins to listen to the machine's end."""
        self._last_words = LastWords(scratch, self.results.path.with_suffix(".dump"), self.transcript.failure)
        self._last_words.begin()
        return self._last_words

    def verdict(self, failure: str | None) -> int:
        """The exit code; a failure is said in a sentence."""
        self.transcript.end()
        if self._unpinned is not None:
            self.results.fact({"tag": "unpinned", "why": self._unpinned})
            print(self._unpinned, file=sys.stderr)
        self.results.close()
        failure = self._failure or failure or self.transcript.failure()
        if failure is None:
            return 0
        said = [line for line in self.transcript.firmware + self.transcript.people if line]
        print(f"{failure}\nThe guest's last line: {said[-1] if said else 'none'}", file=sys.stderr)
        if self._last_words and self._last_words.sentence:
            print(self._last_words.sentence, file=sys.stderr)
        return 1


class TerminalFilter:
    """Holds facts back from the terminal; everything else passes at once, also half a line."""

    def __init__(self, on_data):
        self._on_data = on_data
        self._held: bytes | None = None
        self._at_start = True

    def feed(self, data: bytes) -> bytes:
        """What to show of `data`; all of it goes to `on_data`."""
        self._on_data(data)
        shown = bytearray()
        for byte in data:
            if self._at_start and byte == ord("@"):
                self._held = b""
            self._at_start = byte == ord("\n")
            if self._held is None:
                shown.append(byte)
            elif self._at_start:
                self._held = None
        return bytes(shown)

    def write(self, data: bytes) -> None:
        sys.stdout.write(self.feed(data).decode("utf-8", "replace").replace("\r", ""))

    def flush(self) -> None:
        sys.stdout.flush()


def _image(settings: user.Settings) -> Path:
    return settings.build / "atoll.iso"


def _scratch() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="atoll-")


def _terminated(_signal, _frame):
    raise SystemExit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Interrupted.")

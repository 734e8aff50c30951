# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The debugger and its script, on a machine that runs and on one that is about to start."""

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from places import BUILD, ROOT

STOPS, SEED = (int(os.environ.get(name, default)) for name, default in (("STOPS", "10"), ("SEED", "1")))


def gdb(socket: Path, *commands: str, timeout: float = 120) -> str:
    patience = time.monotonic() + 30
    while not socket.exists() and time.monotonic() < patience:  # QEMU makes it when it starts
        time.sleep(0.01)
    words = ["gdb", "-nx", "-q", "-batch", "-x", ROOT / "boot/gdb/atoll.py", "-ex", "set pagination off", "-ex", f"target remote {socket}"]
    for command in commands:
        words += ["-ex", command]
    done = subprocess.run([*words, BUILD / "cpudriver.elf"], capture_output=True, text=True, timeout=timeout, check=False)
    return done.stdout + done.stderr


def test_cores_dispatchers_and_symbols_of_a_running_system(boot, tmp_path):
    socket = tmp_path / "gdb"
    with boot.session(cores=3, nodes=1, app="shell", timeout=90, qemu_extra=["-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        machine.expect("atoll> ")
        said = gdb(socket, "atoll cores", "atoll dispatchers", "atoll domain shell", "info line main", "atoll domain nonsense", "detach")
        cores = re.findall(r"^ +\d+ +(\d+) +(\d+) +0 +(\d+)  (?:CPU driver|user space)", said, re.M)
        assert sorted(int(core) for core, _, _ in cores) == [0, 1, 2], said
        assert all(int(dispatchers) >= 1 for _, _, dispatchers in cores), said
        rows = re.findall(r"^ +(\d+)  (\S+) +([A-Z_]+) +\S+ +0x([0-9a-f]{16})  0x[0-9a-f]{16}  0x([0-9a-f]+)$", said, re.M)
        assert {"monitor", "console", "init", "shell"} <= {name for _, name, *_ in rows}, said
        assert len([name for _, name, *_ in rows if name == "monitor"]) == 3, said
        assert len({table for *_, table in rows}) == len(rows), said  # every domain has an address space of its own
        assert "apps/shell/main.c" in said, said
        assert "there is no program nonsense" in said, said
        machine.type("poweroff")


def test_domains_threads_and_backtraces(boot, tmp_path):
    """Of threads that wait, on whatever stack, down to `main`; and the cores that were lent for it get their registers back."""
    socket = tmp_path / "gdb"
    with boot.session(cores=2, nodes=1, app="shell", timeout=90, qemu_extra=["-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        machine.expect("atoll> ")
        said = gdb(socket, "info registers", "echo ==\n", "atoll domains", "atoll threads", "atoll threads shell", "atoll bt shell",
                   "atoll bt shell.2", "atoll bt init 30", "atoll bt 1", "atoll bt monitor@1.1", "echo ==\n", "info registers",
                   "atoll bt", "atoll bt nobody", "atoll bt monitor", "atoll bt shell.77", "atoll bt 9", "atoll threads 4711", "atoll bt 0 nonsense", "detach")
        before, shown, after = said.split("==\n")
        assert after.startswith(before[before.index("rax"):]), said
        assert re.search(r"^\d+ +0  0 +[A-Z_]+ +\d+ KiB +shell$", shown, re.M), said
        assert re.search(r"^monitor@1 +1  - .* monitor$", shown, re.M), said
        shell = re.search(r"^(\d+) .* shell$", shown, re.M)[1]
        assert len(re.findall(rf"^{shell}\.2 +0  waits .*\(shell\)$", shown, re.M)) == 2, said
        assert re.search(r"linux_console_read .*apps/shell/main.c:\d+", shown, re.S), said  # from the library OS through musl to main
        assert re.search(r"writer \(.*at libos/linux/console.c", shown), said
        assert re.search(r"domain_wait .*in main \(.*apps/init/main.c|domain_wait .*main \(argc.*apps/init/main.c", shown, re.S), said
        assert "idle_wait () at cpudriver/entry/traps.S" in shown, said
        assert re.search(r"platform_wait \(.*main \(\) at monitor/main.c", shown, re.S), said
        for sentence in ("atoll bt CORE|THREAD: of what?", "There is no domain nobody: `atoll domains` lists them.",
                         "monitor is several domains: say which one, monitor@0 or monitor@1.", "There is no thread 77 in ",
                         "There is no core 9: 0, 1 have started.", "There is no domain 4711", 'No symbol "nonsense" in current context.'):
            assert sentence in after, said
        machine.type("poweroff")


def test_symbols_follow_the_core_that_is_selected(boot, tmp_path):
    socket = tmp_path / "gdb"
    with boot.session(cores=2, nodes=1, app="hello", timeout=90, qemu_extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        said = gdb(socket, "atoll domain hello", "hbreak main", "continue", "atoll domain auto", "info symbol $pc", "atoll bt hello", "delete",
                   "atoll domain", "detach")
        assert re.search(r"Breakpoint 1, main .*apps/hello/main.c", said), said
        assert "main in section .text" in said, said
        assert "#0  main " in said, said
        machine.expect("hello from domain")


def test_a_local_variable_hides_nothing(boot, tmp_path):
    """The monitor's set_has calls its argument `core`, as the CPU driver calls what it is about. Any program may come to that address first."""
    socket = tmp_path / "gdb"
    with boot.session(cores=2, nodes=1, app="hello", timeout=90, qemu_extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        said = gdb(socket, "atoll domain monitor", "hbreak set_has", "continue", "ptype core", "atoll cores", "atoll domains",
                   "atoll channels", "delete", "detach")
        assert re.search(r"hit Breakpoint 1.* set_has \(core=.*^type = unsigned int$", said, re.M | re.S), said
        assert re.search(r"^ +1 +0 .* user space ", said, re.M) and "Error" not in said, said
        machine.expect("hello from domain")


@pytest.mark.parametrize("app", ["soak", "chaos", "kv"] if STOPS > 10 else ["soak"])
def test_stopped_anywhere(boot, tmp_path, app):
    """From the first instruction on, and when programs run, at moments that nobody has chosen; STOPS=100 in the environment: more often, and
    with more programs."""
    socket = tmp_path / "gdb"
    stops = f"count={STOPS // 2}, seed={SEED}, longest=0.3"
    with boot.session(check=False, cores=2, nodes=1, app=f"hello ; {app}", timeout=90,
                      qemu_extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        answers = 0
        for begun in ("", "hello from domain"):
            machine.expect(begun)
            said = gdb(socket, f"source {ROOT / 'tests/boot/random_stops.py'}", f'python stops("{machine.control_path}", {stops})', "detach",
                       timeout=60 + 5 * STOPS)
            counted = re.search(r"^\d+ stops, (\d+) answers, 0 faults$", said, re.M)
            assert counted, said
            answers += int(counted[1])
    assert answers >= 9 * STOPS, said


def test_the_first_stop_is_the_entry_of_the_cpu_driver(boot, tmp_path):
    socket = tmp_path / "gdb"
    with boot.session(cores=2, nodes=1, app="hello", timeout=90, qemu_extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        said = gdb(socket, "hbreak core_entry", "continue", "info registers rip", "atoll cores", "delete", "detach")
        assert re.search(r"rip .*<core_entry>", said), said
        assert said.count("not started") >= 1, said
        machine.expect("hello from domain")


def test_capabilities_channels_and_agreement(boot, tmp_path):
    """Stopped when a page of core 0's is shared with three others: `share` starts captop then."""
    socket = tmp_path / "gdb"
    with boot.session(cores=4, nodes=2, mem="512M", app="share", timeout=120,
                      qemu_extra=["-S", "-gdb", f"unix:{socket},server=on,wait=off"]) as machine:
        said = gdb(socket, "atoll domain captop", 'hbreak main if $_streq(core.current->name, "captop")', "continue", "atoll agreement",
                   "atoll channels", "atoll channels share@0", "atoll caps share@0", "atoll caps share", "atoll caps monitor@2",
                   "atoll caps", "atoll caps 99", "atoll channels 99", "delete", "detach")
        machine.finish()
    page = int(re.search(r"share: the page is at (0x[0-9a-f]{12})", machine.text)[1], 16)
    assert re.search(rf"^ +0  Frame +{page:#014x} +4 KiB +0  1-3", said, re.M), said
    cores = re.findall(r"^ +(\d) +\d+  0-3 +\d+ +\d+ +(\d+) +(\d+) +0  $", said, re.M)
    assert [core for core, _, _ in cores] == ["0", "1", "2", "3"] and sum(int(sent) for _, sent, _ in cores) > 0, said
    assert sum(int(sent) for _, sent, _ in cores) >= sum(int(received) for _, _, received in cores), said
    meshes = set(re.findall(r"^monitor@(\d) +\1  mesh +monitor@(\d) +\d+ +\d+  ", said, re.M))
    assert ("0", "1") in meshes and all((b, a) in meshes for a, b in meshes), said
    number = re.search(r"^(\d+) \(share\) has \d+ capabilities.$", said, re.M)[1]
    ends = re.findall(rf"^{number} +0  uses share\.(\d) +\d+ on core \1 +\d+ +\d+  ", said, re.M)
    assert sorted(ends) == ["1", "1", "2", "2", "3", "3"], said
    assert re.search(rf"^ +\d+/\d+ +Frame +[rwxc-]{{4}} +0  {page:#014x} +0x1000.*remote", said, re.M), said
    assert re.search(r"^ +1/8 +Kernel ", said, re.M), said
    assert "atoll caps DOMAIN: of which domain?" in said and said.count("There is no domain 99") == 2, said
    assert "share is several domains: say which one, " in said, said

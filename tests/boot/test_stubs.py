# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Typed services (tests/programs/stubs): every kind of call with a server on the same core and on another one, in its own loop and in the stubs',
what no honest client sends, and a server's death. Each boot is a leak test."""

import subprocess
import tempfile

import pytest

CHECKS = {"small_calls", "wide_calls", "own_errors", "messages", "captured", "long_messages", "in_two_halves", "put_off", "cancellation",
          "deadlines", "threads", "one_way", "upstream", "downstream", "downstream_of_messages", "given_up", "capability_given",
          "capability_got", "buffers", "many_buffers", "wrong_version", "unknown_method", "wrong_length", "wrong_format",
          "wrong_capability", "wrong_piece", "buffer_taken_away", "another_client"}


def ran(machine):
    seen = {}
    for fact in machine.facts("test"):
        assert fact["ok"], f"{fact['name']} with core {fact['core']}\n{machine.tail()}"
        seen.setdefault((fact["loop"], fact["core"]), set()).add(fact["name"].removeprefix("stubs."))
    return seen


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (2, 2), (4, 2)])
def test_every_kind_of_call(boot, cores, nodes):
    seen = ran(boot(cores=cores, nodes=nodes, mem="512M", app="stubs", timeout=120))
    for core in range(min(cores, 2)):
        assert seen["once", core] == CHECKS | {"end"}
        assert seen["forever", core] == CHECKS | {"death"}


def test_capnp_reads_a_captured_message(boot):
    machine = boot(cores=2, mem="512M", app="stubs", timeout=120)
    messages = {fact["hex"] for fact in machine.facts("message")}
    assert len(messages) == 1, messages
    # The compiler has no name for the struct of a method's parameters, so the same struct is declared here.
    schema = """@0xd4e5f60718293a4b;
struct Place { x @0 :Int32; y @1 :Int32 = -7; weight @2 :Float64 = 0.5; name @3 :Text = "nowhere"; }
struct Message { place @0 :Place; list @1 :List(UInt16); }
"""
    with tempfile.NamedTemporaryFile(suffix=".capnp") as file:
        file.write(schema.encode())
        file.flush()
        answer = subprocess.run(["capnp", "decode", "--flat", "--short", file.name, "Message"], input=bytes.fromhex(messages.pop()),
                                capture_output=True, check=True)
    assert answer.stdout.decode().strip() == '(place = (x = 1, y = 2, weight = 3.5, name = "Faro"), list = [9, 8, 7])'


def test_stubbench(boot):
    machine = boot(cores=1, icount=True, mem="512M", app="stubbench ; ipcbench --local", timeout=120)
    (call,) = machine.facts("bench", id="ipc.call")
    (trip,) = machine.facts("bench", id="ipc.local.rtt")
    assert call["p50"] <= 1.2 * trip["p50"]

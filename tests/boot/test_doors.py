# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Doors (tests/programs/doors): calls that run in the caller's turn while no thread of the server waits for them, one in the other, given up,
cut off by either side's death, and what no honest domain does. Each boot is a leak test."""

import pytest

CHECKS = {"idle", "busy", "blocking_handler", "nested", "deadline", "cancel", "preemption", "caller_killed", "replies_that_are_none",
          "calls_that_are_none", "calls_itself", "forged_places", "fault", "server_killed_idle", "server_killed_busy", "no_entry"}


@pytest.mark.parametrize("cores", [1, 2])
def test_doors(boot, cores):
    machine = boot(cores=cores, mem="512M", app="doors", timeout=120)
    facts = machine.facts("test")
    assert [fact for fact in facts if not fact["ok"]] == [], machine.tail()
    assert {fact["name"].removeprefix("doors.") for fact in facts} == CHECKS

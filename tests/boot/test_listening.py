# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""An answer that comes while a thread begins to wait for it."""


def test_answers_come_while_another_thread_writes_to_the_console(boot):
    """After each line that is written a thread waits for an answer while the writer is ready to run; several hundred times something is
    said and answered at that moment."""
    machine = boot(cores=2, nodes=1, mem="256M", app=" ; ".join(["groupbench --quick"] * 6), timeout=120)
    assert len(machine.facts("bench", id="barrier.tree", holders=1)) == 6, machine.tail()

# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Messages to many cores and back, and what depends on the place: by instructions, which repeat to the digit."""


def test_a_word_reaches_all_flat_and_along_a_tree(boot):
    machine = boot(cores=6, nodes=2, mem="512M", icount=True, app="groupbench --quick", timeout=120)
    facts = {(fact["id"], fact["holders"]): fact for fact in machine.facts("bench", lens="instructions")}
    assert set(facts) == {(f"{what}.{shape}", others) for what in ("broadcast", "reduce", "barrier") for shape in ("flat", "tree")
                          for others in range(1, 6)}
    for others in range(1, 6):
        for shape in ("flat", "tree"):
            parts = [facts[f"{what}.{shape}", others]["p50"] for what in ("broadcast", "reduce", "barrier")]
            assert abs(parts[0] + parts[1] - parts[2]) <= 0.1 * parts[2], (others, shape, parts)
            assert facts[f"barrier.{shape}", others]["messages"] == 2 * others


def test_programs_start_anywhere_and_memory_is_where_it_was_asked_for(boot):
    machine = boot(cores=2, nodes=2, mem="512M", app="placebench --quick", timeout=120)
    facts = {(fact["id"], fact["to"]): fact for fact in machine.facts("bench", lens="elapsed")}
    assert set(facts) == {(name, core) for name in ("memory.latency", "memory.read", "memory.write", "spawn", "spawn.run") for core in (0, 1)}
    for core in (0, 1):
        assert facts["spawn", core]["p50"] < facts["spawn.run", core]["p50"]


def test_one_core_has_nobody_to_talk_to(boot):
    machine = boot(cores=1, app="groupbench", check=False)
    assert machine.status == 1
    assert "there is no other core" in machine.text

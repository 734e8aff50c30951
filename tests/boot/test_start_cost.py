# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What it costs to start a core does not depend on how many there are.

Under the instructions lens a microsecond is a thousand instructions of whichever core runs, and no core runs while another one does: what
passes between two moments without an idle wait is the work of all cores. Differences between machines of different sizes leave out what
is done only once.
"""

SIZES = (8, 16, 32)
GROWTH = 1.10
SPREAD = 1.05  # between the cores of one machine


class Start:
    """The parts of one machine's start, in thousands of instructions."""

    def __init__(self, machine):
        phases = machine.facts("boot_phases")[-1]
        started = [fact for fact in machine.facts("boot") if fact["core"] != 0]
        self.cores = len(started)
        # Memory, image, page tables and boot page of every other core: one node, so the first core makes them all.
        self.preparing = phases["prepared_us"] - phases["acpi_tables_us"]
        # From a core's entry into its CPU driver to its monitor's first message.
        self.each = [fact["us"] - fact["entered_us"] for fact in started]
        # The same of all cores, which do it one after the other here, and every monitor's learning of every other one.
        self.running = phases["complete_us"] - min(fact["entered_us"] for fact in started)


def for_each_further_core(starts, part) -> list[float]:
    """From each size to the next."""
    return [(part(large) - part(small)) / (large.cores - small.cores) for small, large in zip(starts, starts[1:])]


def test_cost_of_starting_a_core_does_not_grow_with_their_number(boot):
    starts = [Start(boot(cores=cores, nodes=1, mem=f"{cores * 48}M", icount=True, app="hello", timeout=120)) for cores in SIZES]

    small, large = for_each_further_core(starts, lambda start: start.preparing)
    assert small > 10, "preparing a core can't be that cheap: the facts are not what this test takes them for"
    assert large <= small * GROWTH

    for start in starts:
        assert min(start.each) > 10
        assert max(start.each) <= min(start.each) * SPREAD, start.each
    assert max(starts[-1].each) <= max(starts[0].each) * GROWTH

    small, large = for_each_further_core(starts, lambda start: start.preparing + start.running)
    assert small >= min(starts[0].each)
    assert large <= small * GROWTH

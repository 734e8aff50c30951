# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What operations cost on capabilities that other cores hold, by instructions and messages: both repeat to the digit, or nearly."""

BY_HOLDERS = ["cap.retype.remote", "cap.revoke.remote", "cap.revoke.mapped", "cap.delete.remote", "cap.delete.holder", "page.unmap"]


def test_cost_grows_with_the_holders_and_not_with_the_cores(boot):
    def measure(cores):
        machine = boot(cores=cores, nodes=2, mem="512M", icount=True, app="capbench --quick", timeout=120)
        return {(fact["id"], fact["holders"]): fact for fact in machine.facts("bench", lens="instructions")}

    small, large = measure(2), measure(6)
    assert set(large) == {(name, holders) for name in BY_HOLDERS for holders in range(1, 6)} | {("cap.transfer.rtt", 1)}
    assert set(small) == {(name, 1) for name in [*BY_HOLDERS, "cap.transfer.rtt"]}
    for (name, holders), fact in large.items():
        assert fact["messages"] <= (8 if name == "cap.transfer.rtt" else 4 * holders + 4), fact
        assert fact["p50"] <= 1.5 * holders * large[name, 1]["p50"], fact
    for key, fact in small.items():
        assert large[key]["messages"] == fact["messages"]
        assert large[key]["p50"] <= 1.5 * fact["p50"], fact


def test_one_core_has_nobody_to_agree_with(boot):
    machine = boot(cores=1, app="capbench", check=False)
    assert machine.status == 1
    assert "there is no other core" in machine.text

# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Capabilities over several cores, from inside (tests/programs/agreement): each operation with a peer on each core, what concerns several
cores, operations at the same time, and what a program can't do. Each boot is a leak test: nothing is lost, nothing is left."""

import pytest

MACHINES = [(1, 1), (2, 1), (2, 2), (4, 1), (4, 3), (8, 4)]

OPERATIONS = {"copy", "fewer_rights", "move", "retype", "retype_refusals", "delete_by_the_owner", "delete_of_what_has_descendants", "revoke",
              "revoke_by_a_holder", "use_after_revoke", "doorbell", "many_doorbells", "what_stays", "end_of_a_holder",
              "end_of_a_giver", "memory_is_shared", "server_is_told"}
GROUPS = {"many_holders", "retype_with_many_holders", "the_last_one_frees_the_memory", "endpoint_to_the_same_core", "untaken", "waiting_ends",
          "circle_is_revoked", "circle_is_deleted"}
GROUPS_OF_THREE = {"what_was_shared_further", "circle_over_two_cores", "endpoint"}
RACES = {"owner_and_holder_revoke", "nested_revokes", "overlapping_retypes", "disjoint_retypes", "retype_and_revoke", "move_and_delete",
         "everybody_deletes", "delete_and_revoke", "end_and_revoke"}
RACES_OF_THREE = {"two_revoke", "copy_and_revoke"}
ATTACKS = {"bad_operations", "bad_addresses", "others_connections", "bad_retypes", "the_monitors_endpoint", "rings_stay", "giving_everything",
           "flood"}


def ran(boot, cores: int, nodes: int, part: str, wanted: set[str]) -> dict[str, set[int]]:
    """Which checks of a part ran, and with the peers of which cores; all must have gone well."""
    machine = boot(cores=cores, nodes=nodes, mem="512M", app=f"agreement {part}", timeout=120)
    seen: dict[str, set[int]] = {}
    for fact in machine.facts("test"):
        assert fact["ok"], f"{fact['name']} with core {fact['core']}\n{machine.tail()}"
        seen.setdefault(fact["name"].removeprefix("agreement."), set()).add(fact["core"])
    assert wanted <= seen.keys(), f"missing: {wanted - seen.keys()}\n{machine.tail()}"
    return seen


@pytest.mark.parametrize("cores,nodes", MACHINES)
def test_each_operation_with_each_core(boot, cores, nodes):
    seen = ran(boot, cores, nodes, "operations", OPERATIONS)
    for name in OPERATIONS:
        assert seen[name] == set(range(cores)), name


@pytest.mark.parametrize("cores,nodes", MACHINES)
def test_several_cores(boot, cores, nodes):
    ran(boot, cores, nodes, "groups", GROUPS | (GROUPS_OF_THREE if cores > 2 else set()))


@pytest.mark.parametrize("cores,nodes", MACHINES)
def test_at_the_same_time(boot, cores, nodes):
    ran(boot, cores, nodes, "races", RACES | (RACES_OF_THREE if cores > 2 else set()))


@pytest.mark.parametrize("cores,nodes", [(1, 1), (2, 1), (4, 2)])
def test_attacks(boot, cores, nodes):
    ran(boot, cores, nodes, "attacks", ATTACKS)

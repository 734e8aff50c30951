# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""atoll agreement: what the monitors agree on: shared objects, who owns and who holds them, operations under way
(monitor/agreement/agreement.h)."""

import gdb

import monitors
from command import Command
from machine import Machine, enumerator
from memory import type_of
from monitors import cores_of, items


class Agreement(Command):
    """atoll agreement: shared objects and their holders, operations under way, as each core's monitor sees it."""

    def __init__(self):
        super().__init__("agreement")

    def run(self, _argument: str) -> None:
        with Machine() as machine, monitors.every(machine) as found:
            everyone = [(domain.dispatcher.core.id, monitor["agreement"]) for domain, monitor in found]
            print("core   view  alive             objects  operations        sent    received  refused  state")
            for core, agreement in everyone:
                _show_core(core, agreement)
            for title, show in (("\non core  object       address              size  owner  holders", _show_objects),
                                ("\non core  operation    phase       object       address              size  with  awaited  messages",
                                 _show_operations)):
                print(title)
                for core, agreement in everyone:
                    show(core, agreement)


def _operations(agreement: gdb.Value) -> list[gdb.Value]:
    return [operation for _, operation in items(agreement["operation"]) if int(operation["kind"])]


def _show_core(core: int, agreement: gdb.Value):
    counted = agreement["statistics"]
    state = "the view changes" if int(agreement["changing"]) else ""
    alive = cores_of(agreement["alive"], int(agreement["cores"]))
    print(f"{core:>4}  {int(agreement['view']):>5}  {alive:<16}  {int(agreement['shared_count']):>7}  {len(_operations(agreement)):>10}  "
          f"{int(counted['sent']):>10}  {int(counted['received']):>10}  {int(counted['refused']):>7}  {state}")


def _named(thing: gdb.Value) -> str:
    return (f"{enumerator(thing['type'].type, int(thing['type'])):<11}  {int(thing['base']):#014x}  {int(thing['size']) >> 10:>8} KiB")


def _show_objects(core: int, agreement: gdb.Value):
    for _, shared in items(agreement["shared"], int(agreement["shared_count"])):
        holders = cores_of(shared["holders"], int(agreement["cores"]))
        remarks = ["anchored"] if int(shared["anchor"]["value"]) else []
        remarks += ["busy"] if int(shared["busy"]) else []
        remarks += [f"goes to core {int(shared['moving_to']) - 1}"] if int(shared["moving_to"]) else []
        print(f"{core:>7}  {_named(shared['object'])}  {int(shared['owner']):>5}  {holders}{'  ' if remarks else ''}{', '.join(remarks)}")


def _show_operations(core: int, agreement: gdb.Value):
    phases = type_of("enum phase", beside="monitor_here") if _operations(agreement) else None
    for operation in _operations(agreement):
        kind = enumerator(operation["kind"].type, int(operation["kind"])).lower()
        if int(operation["serving"]):
            kind += f" ({enumerator(operation['serving'].type, int(operation['serving'])).lower()})"
        phase = enumerator(phases, int(operation["phase"])).lower()
        print(f"{core:>7}  {kind:<11}  {phase:<10}  {_named(operation['object'])}  {int(operation['core']):>4}  {int(operation['children']):>7}  "
              f"{int(operation['messages']):>8}")


def commands():
    Agreement()

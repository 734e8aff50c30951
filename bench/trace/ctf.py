# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The trace as Common Trace Format 1.8 (diamon.org/ctf): one stream a ring, one packet a stream, times on one clock."""

import json
import struct
import uuid
from pathlib import Path

from clocks import Clocks
from events import Argument, Event
from rings import Core, Happening, Writer

MAGIC = 0xC1FC1FC1
NAME_BYTES = 24

# How an argument of each place and kind is declared, and packed: by its size in bytes.
_BYTES = {"a": 2, "b": 4, "c": 8, "d": 8}
_HEADER = struct.Struct("<I16sI")
_CONTEXT = struct.Struct(f"<QQQQIIQ{NAME_BYTES}s")
_EVENT = struct.Struct("<HQ")

_METADATA = """/* CTF 1.8 */

typealias integer {{ size = 8; align = 8; signed = false; }} := uint8_t;
typealias integer {{ size = 16; align = 8; signed = false; }} := uint16_t;
typealias integer {{ size = 32; align = 8; signed = false; }} := uint32_t;
typealias integer {{ size = 64; align = 8; signed = false; }} := uint64_t;
typealias integer {{ size = 16; align = 8; signed = false; base = hexadecimal; }} := hex16_t;
typealias integer {{ size = 32; align = 8; signed = false; base = hexadecimal; }} := hex32_t;
typealias integer {{ size = 64; align = 8; signed = false; base = hexadecimal; }} := hex64_t;
typealias integer {{ size = 8; align = 8; signed = false; encoding = UTF8; }} := char_t;

trace {{
	major = 1;
	minor = 8;
	uuid = "{uuid}";
	byte_order = le;
	packet.header := struct {{
		uint32_t magic;
		uint8_t uuid[16];
		uint32_t stream_id;
	}};
}};

env {{
	domain = "atoll";
	tracer_name = "atoll";
	revision = {revision};
}};

clock {{
	name = tsc;
	description = "time-stamp counter of core {reference}, from the loader's first instruction on; the others are within {error} ns";
	freq = {hz};
	precision = {precision};
	offset_s = {epoch};
}};

typealias integer {{ size = 64; align = 8; signed = false; map = clock.tsc.value; }} := time_t;

stream {{
	id = 0;
	packet.context := struct {{
		time_t timestamp_begin;
		time_t timestamp_end;
		uint64_t content_size;
		uint64_t packet_size;
		uint32_t cpu_id;
		uint32_t domain;
		uint64_t overwritten;
		char_t writer[{name_bytes}];
	}};
	event.header := struct {{
		uint16_t id;
		time_t timestamp;
	}};
}};
"""


def write(directory: Path, cores: list[Core], clocks: Clocks, table: dict[int, Event], origin: dict, epoch: int) -> None:
    """Into an empty directory."""
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{origin.get('revision')} {origin.get('date')} {clocks.start}")
    directory.mkdir(parents=True)
    (directory / "metadata").write_text(_metadata(identity, clocks, table, origin, epoch), encoding="utf-8")
    for core in cores:
        for writer in core.writers:
            if writer.happenings:
                stream = _stream(writer, clocks, identity)
                (directory / f"core-{core.core:03}-{core.life}-{writer.index:02}").write_bytes(stream)


def _metadata(identity: uuid.UUID, clocks: Clocks, table: dict[int, Event], origin: dict, epoch: int) -> str:
    errors = [clocks.error_ns(core) for core in clocks.clock]
    known = [error for error in errors if error is not None]
    head = _METADATA.format(uuid=identity, revision=json.dumps(str(origin.get("revision"))), reference=min(clocks.clock), hz=clocks.hz,
                            error="an unknown number of" if len(known) < len(errors) else round(max(known)), epoch=epoch,
                            precision=max(1, round(max(known) * clocks.hz / 1e9)), name_bytes=NAME_BYTES)
    return head + "".join(_declaration(event) for event in table.values())


def _declaration(event: Event) -> str:
    fields = "".join(f"\t\t{_field(argument)};\n" for argument in event.arguments)
    return f'\nevent {{\n\tid = {event.number};\n\tname = "{event.name}";\n\tstream_id = 0;\n\tfields := struct {{\n{fields}\t}};\n}};\n'


def _field(argument: Argument) -> str:
    size = _BYTES[argument.place]
    # A leading underscore keeps a name from being one of TSDL's own words; readers take it off.
    if argument.kind == "TEXT":
        return f"char_t _{argument.name}[{size}]"
    if argument.kind == "NAME":
        return f"char_t _{argument.name}[16]"
    return f"{'hex' if argument.kind == 'HEX' else 'uint'}{size * 8}_t _{argument.name}"


def _stream(writer: Writer, clocks: Clocks, identity: uuid.UUID) -> bytes:
    # A core whose clock is ahead may seem to have begun before time 0.
    times = [max(0, clocks.ticks(writer.core, happening.time)) for happening in writer.happenings]
    body = b"".join(_EVENT.pack(happening.event.number, time) + _payload(happening)
                    for happening, time in zip(writer.happenings, times))
    size = 8 * (_HEADER.size + _CONTEXT.size + len(body))
    name = writer.name.encode("ascii", "replace")[:NAME_BYTES]
    return (_HEADER.pack(MAGIC, identity.bytes, 0)
            + _CONTEXT.pack(times[0], times[-1], size, size, writer.core, writer.domain, writer.overwritten, name) + body)


def _payload(happening: Happening) -> bytes:
    parts = []
    for argument in happening.event.arguments:
        if argument.kind == "NAME":
            parts.append(_characters(happening.c) + _characters(happening.d))
        elif argument.kind == "TEXT":
            parts.append(_characters(getattr(happening, argument.place)))
        else:
            parts.append(getattr(happening, argument.place).to_bytes(_BYTES[argument.place], "little"))
    return b"".join(parts)


def _characters(word: int) -> bytes:
    """What is not printable becomes `?`, so that any reader can show it."""
    return bytes(byte if byte == 0 or 0x20 <= byte < 0x7f else ord("?") for byte in word.to_bytes(8, "little"))

#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The Cap'n Proto compiler's plug-in that makes stubs in C.

    capnp compile --no-standard-import -I. -I/usr/include -o- apps/x/x.capnp | libos/stubs/generate.py OUT

reads a CodeGeneratorRequest and writes OUT/generated/apps/x/x.h, x.c and x_calls.c. With errors it writes nothing, says each as FILE:LINE: error:
SENTENCE, and ends with status 1; with 2 if what it reads is no request.
"""

import sys
from pathlib import Path

sys.dont_write_bytecode = True

import emit  # noqa: E402
import model  # noqa: E402
from schema import Malformed, Request  # noqa: E402


def main() -> int:
    if len(sys.argv) != 2:
        print(f"usage: capnp compile -o- FILE | {sys.argv[0]} OUT", file=sys.stderr)
        return 2
    data = sys.stdin.buffer.read()
    if not data:
        return 1  # the compiler has refused the file, and said why
    try:
        request = Request.read(data)
    except (Malformed, UnicodeDecodeError) as error:
        print(f"{sys.argv[0]}: standard input is no CodeGeneratorRequest: {error}", file=sys.stderr)
        return 2
    built = [model.build(request, identifier, name) for identifier, name in request.files]
    problems = [problem for _, found in built for problem in found]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    for unit, _ in built:
        write(unit, Path(sys.argv[1]))
    return 0


def write(unit: model.Unit, out: Path) -> None:
    name = Path("generated") / Path(unit.file).with_suffix(".h")
    texts = emit.generate(unit, str(name))
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    for ending, text in zip((".h", ".c", "_calls.c"), texts):
        (out / name).with_name(name.stem + ending).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

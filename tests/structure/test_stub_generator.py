# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What the stub generator says of interface files that it does not support: file, line and sentence, and nothing is written."""

import subprocess
import sys

import pytest

from tree import ROOT

GENERATOR = ROOT / "libos/stubs/generate.py"
HEAD = """@0xa3d1c5e7f9082b46;
using Atoll = import "/libos/interfaces/atoll.capnp";
"""
BAD = {
    "a union": ("struct S {\n  union { a @0 :Int8; b @1 :Int8; }\n}", 3, "S has a union"),
    "a group": ("struct S {\n  a @0 :Int8;\n  g :group { b @1 :Int8; }\n}", 5, "g is a group"),
    "itself": ("struct S {\n  a @0 :S;\n}", 4, "S contains itself"),
    "itself through another": ("struct S {\n  a @0 :T;\n}\nstruct T {\n  b @0 :S;\n}", 7, "S contains itself"),
    "a list of structs": ("struct S {\n  x @0 :UInt8;\n}\nstruct T {\n  many @0 :List(S);\n}", 7, "many is a list of struct"),
    "a list of texts": ("struct T {\n\n  many @0 :List(Text);\n}", 5, "many is a list of text"),
    "a list of bools": ("struct T {\n  many @0 :List(Bool);\n}", 4, "many is a list of bool"),
    "anything": ("struct T {\n  any @0 :AnyPointer;\n}", 4, "any may be anything"),
    "nothing": ("struct T {\n  none @0 :Void;\n}", 4, "none has no value"),
    "an interface": ("interface I {\n  m @0 () -> ();\n  get @1 () -> (i :I);\n}", 5, "i is an interface"),
    "a default of a struct": ("struct S { x @0 :UInt8; }\nstruct T {\n  s @0 :S = (x = 1);\n}", 5, "s has a default value"),
    "an empty struct": ("struct S {}\nstruct T {\n  s @0 :S;\n}", 5, "S, which has no fields"),
    "an unending struct": ("struct S(T) {\n  x @0 :T;\n}", 3, "S is generic"),
    "a generic method": ("interface I {\n  m @0 [T] (x :T) -> ();\n}", 4, "m is generic"),
    "another file's type": ("struct T {\n  c @0 :Atoll.Capability;\n}", 4, "Capability, which another file declares"),
    "one-way with results": ("interface I {\n  m @0 () -> (x :Int8) $Atoll.oneway;\n}", 4, "m is one-way, so it can't have results"),
    "a stream of nothing": ("interface I {\n  m @0 () -> () $Atoll.stream;\n}", 4, "m is a stream of results, but it has none"),
    "one-way and a stream": ("interface I {\n  m @0 () -> stream $Atoll.oneway;\n}", 4, "m can't be one-way and a stream"),
    "an inherited interface": ("interface I {\n  m @0 () -> ();\n}\ninterface J extends(I) {\n  n @0 () -> ();\n}", 6, "J extends another"),
    "no methods": ("\ninterface I {\n}", 4, "I has no methods"),
    "version 0": ("interface I $Atoll.version(0) {\n  m @0 () -> ();\n}", 3, "I has version 0"),
    "a capability of a wrong type": ("interface I {\n  m @0 (\n    c :UInt64 $Atoll.cap(type = frame)) -> ();\n}", 5,
                                     "c has $cap, so its type must be UInt32"),
    "rights that there are not": ("interface I {\n  m @0 (c :UInt32 $Atoll.cap(rights = \"rz\")) -> ();\n}", 4, 'c has the rights "rz"'),
    "a capability further in": ("struct S {\n  c @0 :UInt32 $Atoll.cap(type = ram);\n}", 4, "only parameters and results themselves"),
    "a buffer of a wrong type": ("interface I {\n  m @0 (c :UInt32 $Atoll.bulk) -> ();\n}", 4, "c has $bulk, so its type must be UInt64"),
    "a stream of capabilities": ("interface I {\n  m @0 () -> (c :UInt32 $Atoll.cap(type = any)) $Atoll.stream;\n}", 4,
                                 "may not contain capabilities"),
    "an error without a sentence": ("enum E $Atoll.errors {\n  ok @0;\n  bad @1;\n}", 5, "the error bad has no sentence"),
    "one name in C": ("struct FooBar { x @0 :Int8; }\nstruct FOOBar { x @0 :Int8; }", 4, "both be called foo_bar"),
    "more than a message": ("struct T {\n" + "".join(f"  f{i} @{i} :UInt64;\n" for i in range(90)) + "}", 3, "use a buffer"),
}


def generate(directory, text):
    file = directory / "bad.capnp"
    file.write_text(HEAD + text + "\n", encoding="utf-8")
    compiler = subprocess.run(["capnp", "compile", "--no-standard-import", f"-I{ROOT}", "-I/usr/include", "-o-", "bad.capnp"],
                              cwd=directory, capture_output=True, check=False)
    answer = subprocess.run([sys.executable, GENERATOR, directory / "out"], cwd=directory, input=compiler.stdout, capture_output=True,
                            check=False)
    return compiler, answer


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_supported_is_refused(tmp_path, name):
    text, line, sentence = BAD[name]
    compiler, answer = generate(tmp_path, text)
    assert compiler.returncode == 0, compiler.stderr
    assert answer.returncode == 1
    first = answer.stderr.decode().splitlines()[0]
    assert first.startswith(f"bad.capnp:{line}: error: ") and sentence in first, answer.stderr
    assert not (tmp_path / "out").exists()


def test_all_problems_are_said_in_their_order(tmp_path):
    _, answer = generate(tmp_path, "struct A {\n  a @0 :AnyPointer;\n  b @1 :List(Text);\n}\nstruct B {\n  c @0 :Void;\n}")
    assert [line.split(":")[1] for line in answer.stderr.decode().splitlines()] == ["4", "5", "8"]


def test_what_the_compiler_refuses_is_not_refused_twice(tmp_path):
    compiler, answer = generate(tmp_path, "struct S { x @0 :Nothing; }")
    assert compiler.returncode != 0 and b"bad.capnp:3:" in compiler.stderr and b"Nothing" in compiler.stderr
    assert answer.returncode == 1 and not answer.stderr


@pytest.mark.parametrize("data", [b"\0", b"hello, generator!", b"\0\0\0\0\xff\0\0\0" + b"\xff" * 16])
def test_what_is_no_request(tmp_path, data):
    answer = subprocess.run([sys.executable, GENERATOR, tmp_path / "out"], input=data, capture_output=True, check=False)
    assert answer.returncode == 2 and b"no CodeGeneratorRequest" in answer.stderr


def test_usage():
    answer = subprocess.run([sys.executable, GENERATOR], capture_output=True, check=False)
    assert answer.returncode == 2 and answer.stderr.startswith(b"usage:")

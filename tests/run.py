#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Runs all tests, or the kinds that are named, and ends with `N passed, N failed`. See tests/rules.mk for the kinds.

Two kinds run only when they are named: `compilers` builds everything with the compiler that the rest is not tested with, `lint` is
static analysis.

A test that cannot be built, that crashes before it has counted, or that a sanitizer stops, is a failed test.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOSTED_SECONDS = 300
EXPLORERS = [("search", ["--slice", "--seconds", "30"]), ("search", ["--compare", "--seconds", "20"]),
             ("checked", ["--slice", "--seconds", "20"]), ("walk", ["--seconds", "10"])]
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1",
              "TSAN_OPTIONS": "halt_on_error=1"}


@dataclass
class Count:
    passed: int = 0
    failed: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.passed + other.passed, self.failed + other.failed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--seconds", type=int, default=10, help="time for each fuzzer")
    parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join([*KINDS, *NAMED]))
    options = parser.parse_args()
    known = {**KINDS, **NAMED}
    unknown = [kind for kind in options.kinds if kind not in known]
    if unknown:
        print(f"{unknown[0]} is not a kind of test: the kinds are {', '.join(known)}.", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    total = Count()
    for kind in options.kinds or KINDS:
        start = time.monotonic()
        print(f"== {kind}", flush=True)
        count = known[kind](options)
        print(f"   {count.passed} passed, {count.failed} failed, {time.monotonic() - start:.0f} s", flush=True)
        total += count
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not total.passed else 0


# ---- Programs ---------------------------------------------------------------------------------------------------------

def hosted(options) -> Count:
    return programs(options, "hosted-programs", "tests/hosted/test_*.c", cmocka)


def fuzz(options) -> Count:
    return programs(options, "fuzz-programs", "tests/fuzz/fuzz_*.c", fuzzer)


def programs(options, goal: str, pattern: str, run) -> Count:
    broken = make(options, "-k", goal)
    total = Count()
    for source in sorted(Path().glob(pattern)):
        program = Path(options.build) / source.with_suffix("") / "run"
        # A program that an earlier build left behind must not pass for one that no longer compiles.
        if (broken or not program.exists()) and make(options, str(program)):
            total += failure(source, "it was not built")
        else:
            total += run(options, program.resolve(), source)
    return total


def cmocka(_options, program: Path, source: Path) -> Count:
    # Without address randomisation, or TSan does not find room for its shadow on some kernels.
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, **SANITIZERS, "CMOCKA_MESSAGE_OUTPUT": "xml", "CMOCKA_XML_FILE": f"{scratch}/%g.xml"}
        try:
            answer = subprocess.run(["setarch", "-R", program], env=environment, capture_output=True, text=True,
                                    timeout=HOSTED_SECONDS, errors="replace", check=False)
        except subprocess.TimeoutExpired:
            return failure(source, f"it was still running after {HOSTED_SECONDS} seconds")
        count = junit(Path(scratch).glob("*.xml"))
    if answer.returncode and not count.failed:
        count += failure(source, f"it ended with code {answer.returncode}\n{answer.stdout}{answer.stderr}")
    if not count.passed and not count.failed:
        count += failure(source, "it has no tests")
    return count


def fuzzer(options, program: Path, source: Path) -> Count:
    corpus = Path(options.build) / "corpus" / source.stem
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = [str(path) for path in [Path("tests/fuzz/seeds") / source.stem] if path.exists()]
    answer = subprocess.run([program, f"-max_total_time={options.seconds}", "-timeout=10", "-rss_limit_mb=2048",
                             f"-artifact_prefix={corpus}-", str(corpus), *seeds],
                            env={**os.environ, **SANITIZERS}, capture_output=True, text=True, errors="replace", check=False)
    if answer.returncode:
        return failure(source, answer.stderr[-4000:])
    return Count(passed=1)


# ---- The explorer -----------------------------------------------------------------------------------------------------

def explore(options) -> Count:
    """A slice: each run is one test. `make explore` takes minutes."""
    total = Count()
    for name, words in EXPLORERS:
        program = Path(options.build) / "explore" / name / "run"
        if make(options, str(program)):
            total += failure(program, "it was not built")
            continue
        answer = subprocess.run([program.resolve(), *words], env={**os.environ, **SANITIZERS}, capture_output=True, text=True,
                                errors="replace", check=False)
        total += failure(program, f"{answer.stdout}{answer.stderr}"[-6000:]) if answer.returncode else Count(passed=1)
    return total


# ---- Files that must not compile --------------------------------------------------------------------------------------

def compile_errors(options) -> Count:
    """Each file's first lines say `// error: PATTERN`. With -DCONTROL it leaves out the wrong line and must compile."""
    total = Count()
    for source in sorted(Path("tests/compile").glob("*.c")):
        expected = re.search(r"^// error: *(.*)$", source.read_text(encoding="utf-8"), re.MULTILINE)
        if not expected:
            total += failure(source, "it does not say which error is expected (// error: PATTERN)")
            continue
        control, wrong = (compiled(options, source, *extra) for extra in (["-DCONTROL"], []))
        if control.returncode:
            total += failure(source, f"with -DCONTROL it should compile\n{control.stderr}")
        elif wrong.returncode == 0:
            total += failure(source, "it compiled")
        elif not re.search(expected[1], wrong.stderr):
            total += failure(source, f"not the expected error /{expected[1]}/\n{wrong.stderr}")
        else:
            total += Count(passed=1)
    return total


def compiled(options, source: Path, *extra: str):
    return subprocess.run([options.cc, "-std=c17", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-I.", "-Ilibos/include",
                           "-c", "-o", os.devnull, *extra, source], capture_output=True, text=True, check=False)


# ---- pytest -----------------------------------------------------------------------------------------------------------

def structure(options) -> Count:
    image = make(options, "image")
    return pytest(options, "tests/structure") + (failure(Path("image"), "it was not built") if image else Count())


def launcher(options) -> Count:
    if make(options, f"{options.build}/planner"):
        return failure(Path("tests/launcher"), "the planner was not built")
    return pytest(options, "tests/launcher")


def suite(options) -> Count:
    if make(options, "image"):
        return failure(Path("tests/suite"), "the image was not built")
    return pytest(options, "tests/suite")


def boot(options) -> Count:
    if make(options, "image"):
        return failure(Path("tests/boot"), "the image was not built")
    return pytest(options, "tests/boot")


def pytest(options, directory: str) -> Count:
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        environment = {**os.environ, "ATOLL_BUILD": str(Path(options.build).resolve()), "PYTHONDONTWRITEBYTECODE": "1"}
        code = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "--tb=short",
                               "--durations=5", f"--junitxml={report}", directory], env=environment, check=False).returncode
        count = junit([report] if report.exists() else [])
    if code and not count.failed:
        count += failure(Path(directory), f"pytest ended with code {code}")
    return count


# ---- On demand --------------------------------------------------------------------------------------------------------

def compilers(options) -> Count:
    other = "gcc" if "clang" in options.cc else "clang"
    code = make(argparse.Namespace(build=f"{options.build}/{other}", cc=other), "image")
    return failure(Path("image"), f"{other} did not build it") if code else Count(passed=1)


def lint(options) -> Count:
    return failure(Path("lint"), "there are findings") if make(options, "-k", "lint") else Count(passed=1)


# ---- Counting ---------------------------------------------------------------------------------------------------------

def junit(reports) -> Count:
    """A skipped test counts as neither."""
    total = Count()
    for report in reports:
        for case in xml.parse(report).iter("testcase"):
            failed = [child for child in case if child.tag in ("failure", "error")]
            if failed:
                total.failed += 1
                print(f"   FAILED {case.get('name')}: {(failed[0].text or '').strip()[-2000:]}")
            elif not [child for child in case if child.tag == "skipped"]:
                total.passed += 1
    return total


def failure(source: Path, why: str) -> Count:
    print(f"   FAILED {source}: {why}", flush=True)
    return Count(failed=1)


def make(options, *words: str) -> int:
    return subprocess.run(["make", "--no-print-directory", f"BUILD={options.build}", f"CC={options.cc}", *words],
                          check=False).returncode


KINDS = {"structure": structure, "hosted": hosted, "explore": explore, "compile": compile_errors, "fuzz": fuzz, "launcher": launcher, "suite": suite,
         "boot": boot}
NAMED = {"compilers": compilers, "lint": lint}

if __name__ == "__main__":
    sys.exit(main())

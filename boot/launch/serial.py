# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""What comes over the guest's serial line: lines for people, and facts for programs.

A fact is `@tag {json}`, a whole line of its own. A line that looks like a fact and is not valid JSON is an error, never
ignored: it means that a number was lost or that two cores wrote into each other's lines.

UEFI firmware and GRUB use the same line. What they say before the loader's first words is kept in the log only.
"""

import json
import re

_ESCAPES = re.compile(r"\x1b(\[[0-9;?=]*[ -/]*[@-~]|[()][A-Z0-9]|[@-_=>78c])|[\x00-\x08\x0b-\x1a\x1c-\x1f\r]")
_FACT = re.compile(r"@([a-z][a-z0-9_.-]*) *(\{.*)$")
_FIRST_WORDS = re.compile(r"(Atoll\b|@[a-z]+ \{)")


class BadFact(Exception):
    """The message names the line."""


def fact_of(line: str) -> dict | None:
    """The fact that a line states, with its tag first, or None for a line for people."""
    match = _FACT.search(line)
    if not match:
        return None
    try:
        fact = json.loads(match[2], parse_constant=_no_constant, object_pairs_hook=_no_repetition)
    except ValueError as error:
        raise BadFact(f"This line is not a valid fact ({error}): {line}") from None
    if "tag" in fact:
        raise BadFact(f"This fact names a tag of its own: {line}")
    return {"tag": match[1], **fact}


def _no_constant(name: str):
    raise ValueError(f"{name} is not JSON")


def _no_repetition(pairs: list) -> dict:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f'"{name}" appears twice')
    return dict(pairs)


def clean(line: bytes) -> str:
    return _ESCAPES.sub("", line.decode("utf-8", "replace")).rstrip()


class Transcript:
    """Sorts what comes into `facts`, `people` (lines for the terminal), `firmware`, `errors`; passes each on as it comes."""

    def __init__(self, on_text=lambda line: None, on_fact=lambda fact: None, firmware=False):
        self.facts: list[dict] = []
        self.people: list[str] = []
        self.firmware: list[str] = []
        self.errors: list[str] = []
        self._on_text = on_text
        self._on_fact = on_fact
        self._started = not firmware
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self.add(clean(line))

    def end(self) -> None:
        """The last line counts also if the stream ended in its middle."""
        if clean(self._rest):
            self.add(clean(self._rest))
        self._rest = b""

    def add(self, line: str) -> None:
        if not self._started:
            if not _FIRST_WORDS.match(line):
                self.firmware.append(line)
                return
            self._started = True
        if not line and not (self.people and self.people[-1]):
            return  # the guest ends half a line before it states a fact
        try:
            fact = fact_of(line)
        except BadFact as error:
            self.errors.append(str(error))
            return
        if fact is None:
            self.people.append(line)
            self._on_text(line)
        else:
            self.facts.append(fact)
            self._on_fact(fact)

    def tagged(self, tag: str) -> list[dict]:
        return [fact for fact in self.facts if fact["tag"] == tag]

    def deaths_are_meant(self) -> bool:
        """A program has said that it will let cores die."""
        return any(event.get("event") == "deaths_are_meant" for event in self.tagged("event"))

    def failure(self) -> str | None:
        """Why what the guest said does not amount to success, as a sentence, or None."""
        if self.errors:
            return self.errors[0]
        events = self.tagged("event")
        panics = list(filter(is_panic, events))
        if panics and not self.deaths_are_meant():
            return f"The guest reported a panic: {json.dumps(panics[0])}"
        refusals = [event for event in events if event.get("event") == "boot_failed"]
        if refusals:
            return f"The machine did not start: {refusals[0].get('reason')}."
        ends = [event for event in events if event.get("event") == "poweroff"]
        if not ends:
            return "The machine stopped without powering itself off (a reset, or a triple fault)."
        if ends[-1].get("status") != 0:
            return f"The guest powered off with status {ends[-1].get('status')}."
        return next(filter(None, map(_leak, self.tagged("leak"))), None)


def is_panic(fact: dict) -> bool:
    return fact["tag"] == "event" and fact.get("event") == "panic"


def _leak(fact: dict) -> str | None:
    """Each core says what it had before the first program ran, and after the last one ended."""
    for name in [field.removesuffix("_before") for field in fact if field.endswith("_before")]:
        before, after = fact[f"{name}_before"], fact.get(f"{name}_after")
        if before != after:
            return f"A leak on core {fact.get('core')}: {name} was {before} before and {after} after."
    return None

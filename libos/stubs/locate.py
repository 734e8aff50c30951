# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""In which line of an interface file something is declared.

The compiler's request names everything but says no lines, so the text is read once more: not parsed, only cut into words, enough to know
in whose braces a name stands.
"""

import re

WORD = re.compile(r'#[^\n]*|"(?:\\.|[^"\\\n])*"|\w+|\n|\S')
SCOPES = ("struct", "enum", "interface")


def lines(text: str) -> dict[str, int]:
    """`Outer.Inner.member` to its line; parameters and results are `Interface.method.parameter`."""
    found: dict[str, int] = {}
    scopes: list[str] = []   # names of the braces that are open
    words = list(_words(text))
    method = None            # while its parameters or results are being listed
    depth = 0                # of round brackets
    pending = ""             # the scope that the next brace opens
    for i, (word, line) in enumerate(words):
        following = words[i + 1][0] if i + 1 < len(words) else ""
        before = words[i - 1][0] if i else ""
        if word == "{":
            scopes.append(pending or "")
            pending = ""
        elif word == "}":
            scopes = scopes[:-1]
        elif word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif word == ";":
            method, depth = None, 0
        elif before in SCOPES and word.isidentifier():
            pending = word
            found.setdefault(".".join([*filter(None, scopes), word]), line)
        elif following == "@" and word.isidentifier() and depth == 0:
            method = word
            found.setdefault(".".join([*filter(None, scopes), word]), line)
        elif following == ":" and word.isidentifier() and words[i + 2:i + 3] and words[i + 2][0] in ("group", "union"):
            pending = word
            found.setdefault(".".join([*filter(None, scopes), word]), line)
        elif following == ":" and word.isidentifier() and depth == 1 and method:
            found.setdefault(".".join([*filter(None, scopes), method, word]), line)
    return found


def _words(text: str):
    line = 1
    for match in WORD.finditer(text):
        word = match[0]
        if word == "\n":
            line += 1
        elif word[0] not in '#"':
            yield word, line

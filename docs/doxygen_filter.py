#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Shows a header to Doxygen as its readers understand it: doxygen_filter.py FILE.

  the essay below the licence       is the file's documentation
  a comment on lines of its own     is that of what follows, and of further declarations below it without an empty line between
  a comment behind a declaration    is that one's, and of all names in it
  a field or value without one      is explained by the comment of its type
  several names in one line         are declared one by one, since Doxygen would give the words to one of them only

The words are ordinary text: what Doxygen would take for commands or for HTML is quoted. No line comes or goes, so that what Doxygen says about
a line is about the header's own.
"""

import re
import sys
from pathlib import Path

COMMENT = re.compile(r"/\*(.*?)\*/", re.DOTALL)
SECTION = re.compile(r"\s*----")
TYPE = re.compile(r"(typedef )?(struct|enum|union)\b[^;]*\{|STUB_LIST")
NAMES = re.compile(r"(\s*)([a-z_][\w ]*?[ ])(\**\w+(?:\[\w+\])?(?:, \**\w+(?:\[\w+\])?)+);\s*$")
BEGIN = "#pragma once\n\n/*"


def quoted(text: str) -> str:
    """Also without the stars in front of its lines."""
    return re.sub(r"([\\@<>&#%~\"])", r"\\\1", re.sub(r"\n[ \t]*\* ?", "\n", text))


def one_by_one(line: str, words: str, end: str = "") -> str | None:
    """Each name's declaration with the words, or None if the line has one name only."""
    match = NAMES.match(line)
    if not match:
        return None
    return match[1] + " ".join(f"/** {words} */ {match[2]}{name};" for name in match[3].split(", ")) + end


class Filter:
    def __init__(self, text: str):
        self._text = text
        self._out = ""
        self._shared = None  # what the lines below are about, until there is an empty one
        self._fresh = False  # it stands right in front of them
        self._depth = 0  # of braces
        self._type = None  # the comment of the type whose fields these are

    def run(self) -> str:
        begin = self._text.find(BEGIN)
        if begin < 0:
            return self._text
        at = self._text.index("*/", begin) + 2
        self._out = self._text[:begin] + "#pragma once\n/** @file\n" + quoted(self._text[begin + len(BEGIN):at - 2]) + "*/"
        for match in COMMENT.finditer(self._text, at):
            self._code(self._text[at:match.start()])
            self._comment(match[1])
            at = match.end()
        self._code(self._text[at:])
        return self._out

    def _comment(self, text: str) -> None:
        words = quoted(text)
        if SECTION.match(text):
            self._out += f"/*{words}*/"
        elif not self._at_margin() and self._out[self._out.rfind("\n") + 1:].strip():
            line_at = self._out.rfind("\n") + 1
            several = one_by_one(self._out[line_at:], " ".join(words.split()))
            self._out = self._out[:line_at] + several if several else self._out + f"/**<{words}*/"
        else:
            self._out += f"/**{words}*/"
            self._fresh = True
            if self._depth == 0:
                self._shared = " ".join(words.split())

    def _at_margin(self) -> bool:
        return self._out.endswith("\n")

    def _code(self, text: str) -> None:
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            commented = number == len(lines) - 1 and not line.endswith("\n")
            begins = self._at_margin() and line.strip() and (line.strip()[0] not in "}#/" or line.startswith("#define"))
            if line == "\n" and self._at_margin() and self._depth == 0:
                self._shared = None
            if begins and self._depth == 0:
                self._declaration(line)
            elif begins and self._depth > 0 and self._type and not self._fresh and not commented:
                line = one_by_one(line, self._type, "\n") or f"/** {self._type} */ {line}"
            if line.strip():
                self._fresh = False
            self._depth += line.count("{") - line.count("}")
            self._out += line

    def _declaration(self, line: str) -> None:
        """The shared comment is repeated in front of each further one that begins at the margin."""
        if (line[0].isalpha() or line[0] == "#") and self._shared and not self._fresh:
            self._out += f"/** {self._shared} */ "
        self._type = self._shared if TYPE.match(line) else None


if __name__ == "__main__":
    sys.stdout.write(Filter(Path(sys.argv[1]).read_text(encoding="utf-8")).run())

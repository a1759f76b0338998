# SPDX-License-Identifier: GPL-2.0
"""Read the console of a machine: nested KTAP, init's last line, signs of a crash."""

import re

RESULT = re.compile(r"^( *)(ok|not ok) \d+(?: -)? ?(.*)$")
ALARM = re.compile(r"WARNING:|BUG:|kernel BUG at|Oops|Call Trace:|general protection")
END = re.compile(r"^machine: end ok=(\d+) fail=(\d+) skip=(\d+)")


class Reader:
    """Feed it lines. Counts leaves: a result whose own lines follow the indented
    results of its parts counts only if it failed and none of the parts did."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.open = {}          # indentation: failures among results seen there since their parent
        self.end = None
        self.started = False
        self.loaders = 0
        self.panic = None
        self.alarm = None       # of the machine's kernel, not of a guest's, whose lines are indented

    def line(self, text):
        match = END.match(text)
        if match:
            self.end = tuple(int(g) for g in match.groups())
        elif text.startswith("machine: start"):
            self.started = True
        elif text.startswith("machine: loader: "):
            self.panic = text
        elif text.startswith("machine: loader"):
            self.loaders += 1
        elif "Kernel panic - not syncing" in text and not text.startswith(" "):
            self.panic = text
        if not self.alarm and text.startswith("[") and ALARM.search(text) and not (
                self.panic and "Call Trace:" in text):      # which is a panic's own
            self.alarm = text
        match = RESULT.match(text)
        if match:
            self._result(len(match[1]), match[2] == "ok", match[3])

    def _result(self, indent, good, text):
        parts = [key for key in self.open if key > indent]
        part_failures = sum(self.open.pop(key) for key in parts)
        skip = "# SKIP" in text
        failed = not good and not skip
        self.open[indent] = self.open.get(indent, 0) + failed
        if parts:
            self.open[indent] += part_failures and not failed
            if failed and not part_failures:
                self._count(False, False, text)
            return
        self._count(good, skip, text)

    def _count(self, good, skip, text):
        if skip:
            self.skipped += 1
        elif good:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(text)

    def summary(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"

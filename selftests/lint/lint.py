# SPDX-License-Identifier: GPL-2.0
"""What the lint scripts share: the tree, its files, findings."""

import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = 4            # exit status of a skipped test, as everywhere in selftests

found = []


def finding(path, line, text):
    found.append(f"{path}:{line}: {text}")


def finish():
    """Print what was found; the exit status."""
    for text in found:
        print(text)
    sys.exit(1 if found else 0)


def skip(why):
    print(f"# SKIP {why}")
    sys.exit(SKIP)


def files(*globs):
    """Files of the project: tracked ones and new ones that are not ignored."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--", *globs], cwd=TOP,
                         capture_output=True, text=True)
    if out.returncode:
        print(f"lint: this is not a git work tree: {out.stderr.strip()}")
        sys.exit(1)
    return sorted(f for f in out.stdout.split("\n") if f and os.path.isfile(os.path.join(TOP, f)))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def pure_files():
    """Without suffix, relative to kmod/: what kmod/pure.mk lists."""
    return re.findall(r"^pure-y \+= (\S+)\.o$", read("kmod/pure.mk"), re.M)


INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def includes(path):
    """(line number, "<" or '"', name) of each #include, but for those of user space."""
    user_space = 0
    for number, line in enumerate(read(path).split("\n"), 1):
        if re.match(r"#\s*ifdef __KERNEL__", line):
            user_space = 1
        elif user_space == 1 and re.match(r"#\s*else", line):
            user_space = 2
        elif user_space and re.match(r"#\s*endif", line):
            user_space = 0
        m = INCLUDE.match(line)
        if m and user_space != 2:
            yield number, m[1], m[2]


def strip_comments(text):
    """The same lines with comments made of NULs and the insides of strings of blanks."""

    def blank(m):
        s = m[0]
        if s[0] in "\"'":
            return s[0] + " " * (len(s) - 2) + s[-1]
        return re.sub(r"[^\n\t]", "\0", s)

    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)

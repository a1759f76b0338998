# SPDX-License-Identifier: GPL-2.0
"""Where things are, and a cache of what is slow to make, keyed by its inputs."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("NESTVM_CACHE") or os.path.join(TOP, ".cache")


class Trouble(Exception):
    """An error whose text names the cause and the remedy."""


def fail(text):
    raise Trouble(text)


def file_digest(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def stamp(path):
    """What tells two versions of a big file apart without reading it."""
    st = os.stat(path)
    return f"{os.path.abspath(path)}:{st.st_size}:{st.st_mtime_ns}"


def cached(kind, name, inputs, make):
    """Path of a cached file that make(path) writes; inputs is a list of strings.

    It appears under its name only when complete, so that concurrent runs and
    interrupted ones never see half a file.
    """
    key = hashlib.sha256("\0".join([kind, name, *inputs]).encode()).hexdigest()[:16]
    folder = os.path.join(CACHE, kind)
    path = os.path.join(folder, f"{key}-{name}")
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    fd, part = tempfile.mkstemp(dir=folder, prefix=".making-")
    os.close(fd)
    try:
        make(part)
        os.rename(part, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        raise
    return path


def run(*argv):
    result = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode:
        fail(f"{' '.join(argv)} failed:\n{result.stderr.strip()}")
    return result.stdout


def build(name, sources, commands):
    """A cached build: commands is a function from (output, scratch folder) to argument lists."""

    def make(path):
        scratch = tempfile.mkdtemp(prefix="nestvm-build-")
        try:
            for argv in commands(path, scratch):
                run(*argv)
        finally:
            shutil.rmtree(scratch)

    inputs = [file_digest(s) for s in sources] + [repr(commands("OUT", "SCRATCH"))]
    return cached("build", name, inputs, make)


def note(text):
    print(f"# {text}", file=sys.stderr, flush=True)

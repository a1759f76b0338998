# SPDX-License-Identifier: GPL-2.0
"""Suites: what goes into an initramfs and what init does with it.

A suite is a text file, a row a line, words split as a shell does, paths from
the top of the repository:

	file SRC [DST]			a host file (/bin/NAME if executable, else /NAME), with its
				shared libraries if it is a program that has some
	text DST WORD...		a file of one line
	include SUITE			its rows, here
	module NAME|FILE [PARAM...]	load it: one of the stock kernel, or a .ko of ours
	bring NAME|FILE			the same module in /lib, for a test to load
	kernel DST [SERIES]		the stock kernel, unpacked and trimmed, for a guest
	bzimage DST [SERIES]		the same as Debian packs it
	initrd DST			Debian's initial RAM disk for it (debian-initrd)
	deb PACKAGE			what is in a package of ours from build/deb, with the shared
				libraries of its programs
	installed NAME|FILE...		these modules where modprobe finds them: of the stock kernel,
				or a .ko of ours, where DKMS puts it; say what they depend on, too
	link TARGET DST			a symbolic link
	initramfs SUITE DST		an initramfs made from another suite, for a guest
	cmdline LEVEL DST [WORD...]	a guest's kernel command line (levels.py), and more
	tracing				leave the kernel's tracing in
	bare				no busybox, so no shell
	run [-t SECONDS] [-n NAME] PROGRAM [ARG...]
	shell
	partner SUITE			a second machine beside this one, which has to pass as well;
				each has a network card (e1000) on a cable between the two
	machine OPTION...		options of `run` this suite needs, such as --smp 2

A machine with the debug kernel has guests with the stock one.
"""

import glob
import os
import shlex
import shutil
import subprocess
import tempfile

import cpio
import kernel
import levels
import tree

BUSYBOX = "/bin/busybox"


class Suite:
    def __init__(self, series="6.1"):
        self.series = series
        self.guests = "6.1" if series == "debug" else series
        self.archive = cpio.Archive()
        self.conf = []
        self.machine = []
        self.partner = None
        self.tracing = False
        self.with_busybox = True
        self.emulated = True    # the machine is; known when all rows are read
        self.late = []          # what depends on it: called by pack()
        self.modules = []       # those for modprobe
        self.where = "command line"

    # ---- reading ----

    def read(self, path):
        found = [p for p in (path, os.path.join(tree.TOP, path),
                             os.path.join(tree.HERE, "suites", path + ".suite")) if os.path.isfile(p)]
        if not found:
            tree.fail(f"there is no suite {path}, neither a file nor in selftests/machine/suites")
        with open(found[0], encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                self.where = f"{found[0]}:{number}"
                words = shlex.split(line, comments=True)
                if words:
                    self.row(*words)
        self.where = "command line"

    def row(self, kind, *args):
        method = getattr(self, "do_" + kind, None)
        if not method:
            tree.fail(f"{self.where}: there is no row of the kind {kind}")
        try:
            method(*args)
        except TypeError as e:
            if "argument" not in str(e):
                raise
            tree.fail(f"{self.where}: {kind} has too few or too many words")

    def path(self, name):
        for p in (name, os.path.join(tree.TOP, name)):
            if os.path.isfile(p):
                return p
        tree.fail(f"{self.where}: {name} does not exist; has it been built?")

    # ---- rows ----

    def do_file(self, src, dst=None):
        path = self.path(src)
        if not dst:
            base = os.path.basename(path)
            dst = f"/bin/{base}" if os.access(path, os.X_OK) else f"/{base}"
        self.archive.file(dst, path)
        for library in libraries(path):
            self.archive.file(library, os.path.realpath(library))
        return dst

    def do_text(self, dst, *words):
        self.archive.text(dst, " ".join(words) + "\n")

    def built_for(self, name):
        """Of a module of ours, the one that `make modules-SERIES` has built."""
        if self.series == "6.1":
            return name
        return os.path.join(os.path.dirname(name), self.series, os.path.basename(name))

    def bring(self, name):
        if name.endswith(".ko") or "/" in name:
            path = kernel.own_module(self.path(self.built_for(name)))
            dst = f"/lib/{os.path.basename(name)}"
        else:
            path = kernel.stock_module(self.series, name)
            dst = f"/lib/{name}.ko"
        self.archive.file(dst, path)
        return dst

    def do_bring(self, name):
        self.bring(name)

    def do_module(self, name, *params):
        self.conf.append(shlex.join(["module", self.bring(name), *params]))

    def do_kernel(self, dst, series=None):
        self.archive.file(dst, kernel.vmlinux(series or self.guests))

    def do_bzimage(self, dst, series=None):
        self.archive.file(dst, kernel.bzimage(series or self.guests))

    def do_initrd(self, dst):
        self.archive.file(dst, kernel.initrd(self.guests))

    def do_deb(self, package):
        found = glob.glob(os.path.join(tree.TOP, "build", "deb", f"{package}_*.deb"))
        if len(found) != 1:
            tree.fail(f"{self.where}: there is no package {package} in build/deb; run make deb")
        with tempfile.TemporaryDirectory() as root:
            tree.run("dpkg-deb", "--extract", found[0], root)
            for folder, _, names in os.walk(root):
                for name in names:
                    path = os.path.join(folder, name)
                    self.do_file(path, os.path.relpath(path, root))

    def do_installed(self, *names):
        self.modules += names

    def do_link(self, target, dst):
        self.archive.link(dst, target)

    def do_initramfs(self, name, dst):
        inner = Suite(self.guests)
        inner.read(name)
        if inner.partner:
            tree.fail(f"{self.where}: {name} has a partner, which a guest cannot have")

        def late():
            inner.emulated = self.emulated
            self.archive.data(dst, inner.pack())
        self.late.append(late)

    def do_cmdline(self, level, dst, *words):
        self.late.append(lambda: self.archive.text(
            dst, " ".join([levels.cmdline(level, emulated=self.emulated), *words]) + "\n"))

    def do_tracing(self):
        self.tracing = True

    def do_bare(self):
        self.with_busybox = False

    def do_run(self, *args):
        self.conf.append(shlex.join(["run", *args]))

    def do_shell(self):
        self.conf.append("shell")

    def do_include(self, name):
        where = self.where
        self.read(name)
        self.where = where

    def do_partner(self, name):
        self.partner = self.path(name)

    def do_machine(self, *options):
        self.machine += options

    # ---- the result ----

    def pack(self):
        a = self.archive
        for add in self.late:
            add()
        if self.modules:
            self.add_module_tree()
        for name in ("proc", "sys", "dev", "tmp", "etc", "bin", "lib"):
            a.folder(name)
        a.device("dev/console", 5, 1)   # the kernel opens it before devtmpfs is mounted
        a.file("init", build_init())
        a.text("etc/init.conf", "".join(line + "\n" for line in self.conf))
        if self.with_busybox:
            add_busybox(a)
        return a.pack()


    def add_module_tree(self):
        release = kernel.release(self.series)
        with tempfile.TemporaryDirectory() as root:
            top = os.path.join(root, "lib", "modules", release)
            for name in self.modules:
                if "/" in name:
                    path, where = kernel.own_module(self.path(name)), "updates/dkms"
                else:
                    path, where = kernel.stock_module(self.series, name), "kernel"
                os.makedirs(os.path.join(top, where), exist_ok=True)
                base = os.path.basename(name).removesuffix(".ko") + ".ko"
                shutil.copyfile(path, os.path.join(top, where, base))
            for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
                shutil.copy(os.path.join(kernel.modules(self.series), name), top)
            tree.run("depmod", "--basedir", root, release)
            for folder, _, names in os.walk(top):
                for name in names:
                    path = os.path.join(folder, name)
                    self.archive.file(os.path.relpath(path, root), path)


def build_init():
    source = os.path.join(tree.HERE, "init.c")
    return tree.build("init", [source], lambda out, scratch: [
        ["gcc", "-static", "-Os", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-s",
         "-o", out, source]])


def add_busybox(archive):
    """Applets that a suite has brought itself are left alone."""
    if not os.path.exists(BUSYBOX):
        tree.fail(f"{BUSYBOX} is missing; run selftests/machine/deps")
    archive.file("bin/busybox", BUSYBOX)
    for applet in subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True,
                                 check=True).stdout.split():
        if f"bin/{applet}" not in archive.entries:
            archive.link(f"bin/{applet}", "busybox")


def libraries(path):
    """The dynamic loader and the shared libraries of a program, by the paths it looks them up."""
    with open(path, "rb") as f:
        if f.read(4) != b"\x7fELF":
            return []
    result = subprocess.run(["ldd", path], capture_output=True, text=True)
    if result.returncode:
        if "not a dynamic executable" in result.stderr:
            return []
        tree.fail(f"the libraries of {path} cannot be found: {result.stderr.strip()}")
    found = []
    for words in (line.split() for line in result.stdout.splitlines()):
        if "not found" in " ".join(words):
            tree.fail(f"{path} needs {words[0]}, which is not installed; run selftests/machine/deps")
        found += [w for w in words if w.startswith("/")]
    return found

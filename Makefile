# SPDX-License-Identifier: GPL-2.0
# nestvm. `make help` tells what there is.

O	:= build
CACHE	= $(or $(NESTVM_CACHE),$(CURDIR)/.cache)
# Headers of the kernel to build for: of the one the test machine boots, which
# is the newest 6.1 installed. For the kernel that runs here say
# KDIR=/lib/modules/$(uname -r)/build.
KDIR	?= $(or $(lastword $(shell ls -d /usr/src/linux-headers-6.1.*-amd64 2>/dev/null | sort -V)), \
		$(wildcard /lib/modules/$(shell uname -r)/build))
KREL	= $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
VERSION	:= $(shell sed -n 's/^\#define NV_VERSION\t"\(.*\)"/\1/p' kmod/module.h)
PREFIX	?= /usr/local
JOBS	?= $(shell nproc)
SECONDS	?= 60
kernel_6.12 = 6.12/usr/src/linux-headers-*-amd64
kernel_debug = debug-$(shell selftests/machine/debug-kernel/compile --key)/usr/src/linux-headers-*-debug
kbuild	= $(MAKE) -C $(KDIR) M=$(CURDIR) --no-print-directory

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

#: What to make, first as root on a bare Debian 12 (the packages it needs install themselves):
#:   make demo       a VM in a VM in the emulated machine, live, level by level
#:   make check      everything that is tested, a line each
#: Building, for KDIR=... (kernel headers; default: the newest 6.1 in /usr/src):
#:   make modules    nestvm.ko, and build/nestvm.ko without debugging information
#:   make modules-6.12   the same for Linux 6.12: build/6.12/nestvm.ko
#:   make modules-verify the same that looks after its invariants while tests run: build/verify/nestvm.ko
#:   make modules-debug  the same for a kernel that looks for mistakes: build/debug/nestvm.ko
#:   make tools      build/tools/nestvm, libnestvm.a, the examples; make man: the manual pages
#:   make install    module, command, library, manual [PREFIX=/usr/local] [DESTDIR=]; make uninstall
#:   make deb        Debian packages: the command, the module for DKMS, the library
#:   make clean
#: Testing, in parts:
#:   make smoke      a few minutes' worth of check
#:   make check-full check, and what takes long: over an hour
#:   make lint unit fuzz     source rules; pure core with sanitizers; fuzzers [SECONDS=60]
#:   make mutants    change a line of the module, see whether a test notices [COUNT=100] [SEED=...]
#:   make selftests  build the KTAP programs that run in the machine
#:   make bench      instructions and exits of what matters, a table
#:   make machine    a shell in the emulated machine, nestvm loaded; ^] ends it

modules:
	@test -n "$(KDIR)" || { echo "There are no kernel headers to build for: install" \
		"linux-headers-amd64, or run selftests/machine/deps, or say KDIR=..." >&2; exit 1; }
	@$(kbuild) -j$(JOBS) modules
	@mkdir -p $(O) && objcopy --strip-debug nestvm.ko $(O)/nestvm.ko

# Kbuild builds in place, so each other module is built from a copy, without what is gone.
sources	= find Kbuild kmod uapi -name '*.[chS]' -o -name '*.mk' -o -name Kbuild
copy	= mkdir -p $(1) && $(sources) | cpio -pdmu --quiet $(1) && \
	  (cd $(1) && $(sources)) | while read -r f; do test -e $$f || rm $(1)/$$f; done

# With the invariants of kmod/verify.h; for tests, not for use.
modules-verify:
	@$(call copy,$(O)/verify)
	@$(MAKE) -C $(KDIR) M=$(CURDIR)/$(O)/verify --no-print-directory -j$(JOBS) VERIFY=1 modules
	@objcopy --strip-debug $(O)/verify/nestvm.ko

# For the other kernels that the machine has.
modules-6.12 modules-debug: modules-%:
	@selftests/machine/deps --kernel $*
	@$(call copy,$(O)/$*)
	@$(MAKE) -C $(CACHE)/kernel/$(kernel_$*) M=$(CURDIR)/$(O)/$* --no-print-directory \
		-j$(JOBS) modules
	@objcopy --strip-debug $(O)/$*/nestvm.ko

tools:
	@$(MAKE) --no-print-directory -j$(JOBS) -C tools

selftests:
	@$(MAKE) --no-print-directory -j$(JOBS) -C selftests

# From what nestvm itself says, so it is built first. One at a time.
man: tools
	@flock $(O)/.man-lock $(MAKE) --no-print-directory $(O)/man/nestvm.1

$(O)/man/nestvm.1: $(O)/tools/nestvm $(O)/tools/man-tables $(wildcard tools/man/* tools/man/add/*) \
		tools/lib/libnestvm.h kmod/module.h
	@VERSION=$(VERSION) tools/man/make $(O)/man

unit:
	@$(MAKE) --no-print-directory -j$(JOBS) -C selftests/unit

fuzz:
	@$(MAKE) --no-print-directory -C selftests/fuzz SECONDS=$(SECONDS)

lint:
	@selftests/lint/run

deps:
	@selftests/machine/deps

check smoke check-full: deps
	@selftests/check $(patsubst %,--%,$(filter smoke full,$(subst check-,,$@)))

demo: deps
	@selftests/demo/run

COUNT	?= 100
mutants: deps
	@selftests/mutants/run --count $(COUNT) $(if $(SEED),--seed $(SEED))

bench: deps modules tools selftests
	@selftests/bench/run

machine: deps modules tools
	@selftests/machine/run --module $(O)/nestvm.ko --file $(O)/tools/nestvm:/bin/nestvm --shell

# What goes where is a table, tools/packaging/files; its parts are the packages.
PARTS	?= module nestvm libnestvm-dev
packaging = VERSION=$(VERSION) KREL=$(KREL) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR) tools/packaging

install: $(if $(filter module,$(PARTS)),modules) man
	@$(packaging)/install $(PARTS)
	@test -n "$(DESTDIR)" || depmod $(KREL)
	@test -n "$(DESTDIR)" || sh tools/packaging/debian/nestvm.postinst configure

uninstall:
	@$(packaging)/install --remove $(PARTS)
	@test -n "$(DESTDIR)" || depmod $(KREL)

DEBS	?= $(CURDIR)/$(O)/deb
deb: man
	@VERSION=$(VERSION) OUT=$(DEBS) tools/packaging/deb

clean:
	@test -z "$(KDIR)" || $(kbuild) clean
	rm -rf $(O)

.PHONY: help modules modules-verify modules-6.12 modules-debug tools man selftests unit fuzz lint deps \
	check smoke check-full demo mutants bench machine install uninstall deb clean

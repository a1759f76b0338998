# SPDX-License-Identifier: GPL-2.0
# The pure files, one per line, relative to kmod/. Read by Kbuild (which
# prefixes kmod/) and by selftests/unit and selftests/fuzz. A file listed here
# includes nothing but pure.h, facts and other pure headers.
pure-y :=
pure-y += insn_decode.o
pure-y += insn_mmio.o
pure-y += insn_alu.o
pure-y += insn_exec.o
pure-y += gwalk.o
pure-y += ept/ept_walk.o

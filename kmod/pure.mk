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
pure-y += ept/large.o
pure-y += cpu_valid.o
pure-y += cpuid_policy.o
pure-y += vmx/bitmap.o
pure-y += nested/vmx_msrs.o
pure-y += nested/vmcs12.o
pure-y += nested/state_page.o
pure-y += nested/operand.o
pure-y += nested/check.o
pure-y += nested/check_ctrl.o
pure-y += nested/check_host.o
pure-y += nested/check_guest.o
pure-y += nested/check_msr.o
pure-y += nested/reflect.o
pure-y += vlapic_ipi.o
pure-y += irq_msg.o
pure-y += vpic_unit.o
pure-y += vpit_counter.o
pure-y += cpu_event.o
pure-y += cpu_mce.o
pure-y += vmx/caps.o
pure-y += vmx/mitigations.o

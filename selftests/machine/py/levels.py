# SPDX-License-Identifier: GPL-2.0
"""Kernel command lines, by level.

The tuned ones leave out what costs seconds in the emulator and has nothing to
do with virtualization; a plain one exists because a user will have none of it.
"""

COMMON = ("quiet loglevel=4 nokaslr panic=-1 mitigations=off cryptomgr.notests rodata=off "
          "init_on_alloc=0 lsm= audit=0")

# Each builds something at boot that no test looks at.
SKIPPED_INITCALLS = (
    "ftrace_check_for_weak_functions", "trace_eval_init", "cubictcp_register",
    "bpf_tcp_ca_kfunc_init", "kfunc_init", "bpf_prog_test_run_init", "bpf_key_sig_kfuncs_init",
    "bpf_rstat_kfunc_init", "init_blk_tracer", "init_kprobe_trace", "load_system_certificate_list",
    "slab_sysfs_init",
)
NO_TRACING = ("tracer_init_tracefs",)

# The emulated TSC counts `ips` a second whatever CPUID says; without
# tsc_early_khz the kernel believes CPUID and its timers fire far too often.
IPS = 200_000_000
CLOCK = f"tsc_early_khz={IPS // 1000} no_timer_check"

# With CR4.SMAP set the emulator caches no translation of a user page for the
# kernel's accesses: each byte of a copy to user space walks the page tables,
# nested ones in a guest (25 s instead of 2 s for the 35 MB of a kernel).
NO_SMAP = "clearcpuid=smap"

CONSOLE = "console=ttyS0"


def tuned(level, tracing, emulated):
    skipped = SKIPPED_INITCALLS + (() if tracing else NO_TRACING)
    words = [CONSOLE, COMMON, NO_SMAP, "initcall_blacklist=" + ",".join(skipped)]
    if emulated:
        words.append(CLOCK)
    if level == "l0":
        words.append("random.trust_cpu=1")
    elif level == "guest-bare":     # a launcher with neither ACPI nor PCI nor a paravirtual clock
        words.append("acpi=off pci=off 8250.nr_uarts=1")
    elif level == "guest":
        words.append("pci=off 8250.nr_uarts=1")
    else:
        raise ValueError(f"no kernel command line for level {level}; l0, guest, guest-bare, stock")
    return " ".join(words)


def stock(emulated):
    """What an installed system boots with, and where to find the console."""
    return f"{CONSOLE} panic=-1" + f" {CLOCK}" * emulated


def cmdline(level, tracing=False, emulated=True):
    return stock(emulated) if level == "stock" else tuned(level, tracing, emulated)

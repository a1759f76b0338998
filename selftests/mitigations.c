// SPDX-License-Identifier: GPL-2.0
/*
 * What is done against speculation around an entry, as the emulated CPU sees it
 * (selftests/machine/bochs/speculation.patch): which instruction, and where. What is to
 * be expected the kernel says in /sys/devices/system/cpu/vulnerabilities.
 */
#include "lib/guest_run.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

GUEST(mitigations);

#define WATCH_CONTROL	0x4e560000
#define WATCH_NEXT	0x4e560001
#define WATCH_MAGIC	0x4e56

enum { ENTRY = 1, EXIT, WRMSR, GUEST_WRMSR, VERW, INDIRECT, USER };

#define SPEC_CTRL	0x48
#define PRED_CMD	0x49
#define FLUSH_CMD	0x10b

/* Taken branches that the longest branch history holds. */
#define LONGEST_HISTORY	194

#define L1D_PARAMETER	"/sys/module/nestvm/parameters/vmentry_l1d_flush"

#define MITIGATIONS	"/sys/class/misc/nestvm/mitigations/"

#define EXITS		20
#define CODE_AT		0x1000

/* EXITS times CPUID, HLT, and again. */
static const u8 code[] = {
	0xbe, EXITS, 0, 0, 0,	/* 1: mov $EXITS, %esi */
	0x31, 0xc0,		/* 2: xor %eax, %eax */
	0x0f, 0xa2,		/* cpuid */
	0xff, 0xce,		/* dec %esi */
	0x75, 0xf8,		/* jnz 2b */
	0xf4,			/* hlt */
	0xeb, 0xf0,		/* jmp 1b */
};

struct event {
	u32 kind, when;		/* when: instructions, modulo 2^32 */
	u64 value;
};

static struct event events[32768];
static size_t nr_events;
static int msr_fd = -1;

static u64 msr_read(u32 msr)
{
	u64 value = 0;

	ASSERT(pread(msr_fd, &value, 8, msr) == 8, "MSR %x cannot be read", msr);
	return value;
}

static void msr_write(u32 msr, u64 value)
{
	ASSERT(pwrite(msr_fd, &value, 8, msr) == 8, "MSR %x cannot be written", msr);
}

static void watch_start(void)
{
	if (msr_fd < 0)
		msr_fd = open("/dev/cpu/0/msr", O_RDWR);
	if (msr_fd < 0)
		ktap_skip("/dev/cpu/0/msr is not there");
	if (msr_read(WATCH_CONTROL) >> 48 != WATCH_MAGIC)
		ktap_skip("this CPU does not tell what it executes");
	msr_write(WATCH_CONTROL, 1);
}

static void watch_stop(void)
{
	size_t n;

	msr_write(WATCH_CONTROL, 0);
	n = (msr_read(WATCH_CONTROL) & 0xffffffff) / 2;
	for (nr_events = 0; nr_events < n; nr_events++) {
		u64 word = msr_read(WATCH_NEXT);

		events[nr_events] = (struct event){ word, word >> 32, msr_read(WATCH_NEXT) };
	}
}

static bool is_wrmsr(const struct event *e, u32 msr)
{
	return e->kind == WRMSR && e->value >> 32 == msr;
}

/* Is there a WRMSR of @msr between the last event of kind @from before @at, and @at? */
static bool written_since(size_t at, u32 from, u32 msr)
{
	while (at-- && events[at].kind != from)
		if (is_wrmsr(&events[at], msr))
			return true;
	return false;
}

static size_t count(u32 kind)
{
	size_t i, n = 0;

	for (i = 0; i < nr_events; i++)
		n += events[i].kind == kind;
	return n;
}

static bool file_says(const char *path, const char *word)
{
	char text[2048] = "";
	FILE *f = fopen(path, "r");

	if (!f)
		return false;
	if (!fgets(text, sizeof(text), f))
		text[0] = 0;
	fclose(f);
	return strstr(text, word);
}

/* The kernel mitigates @bug, with @how. */
static bool kernel_does(const char *bug, const char *how)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/vulnerabilities/%s", bug);
	return file_says(path, how);
}

static struct vcpu *create(struct vm *vm)
{
	struct vcpu *vcpu;

	vm_create(vm, 0);
	memcpy(vm->mem + CODE_AT, code, sizeof(code));
	vcpu = vm_add_vcpu(vm);
	vcpu_long_mode(vcpu, CODE_AT);
	/* Once, for what is done for the first time only. */
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	return vcpu;
}

/* Two KVM_RUNs of one vCPU. */
static void watch_one(struct vm *vm)
{
	struct vcpu *vcpu = create(vm);

	watch_start();
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	watch_stop();
	ASSERT(count(ENTRY) >= 2 * EXITS && count(EXIT) >= 2 * EXITS, "%zu entries, %zu exits",
	       count(ENTRY), count(EXIT));
}

static bool buffers_wanted(void)
{
	return kernel_does("mds", "Clear CPU buffers") ||
	       kernel_does("mmio_stale_data", "Clear CPU buffers") ||
	       kernel_does("reg_file_data_sampling", "Clear Register File");
}

static void buffers_cleared_last(const void *arg)
{
	bool wanted = buffers_wanted();
	struct vm vm;
	size_t i;

	watch_one(&vm);
	for (i = 1; i < nr_events; i++) {
		const struct event *e = &events[i - 1];

		if (events[i].kind != ENTRY)
			continue;
		if (!wanted) {
			EXPECT(e->kind != VERW, "VERW before an entry, though nothing needs it");
			continue;
		}
		/* VERW, the branch to VMLAUNCH or VMRESUME, and that. */
		EXPECT(e->kind == VERW && e->value == 1 && events[i].when - e->when <= 3,
		       "event %u, %u instructions before the entry, is no VERW of memory", e->kind,
		       events[i].when - e->when);
		if (ktap_failed())
			return;
	}
}

static const struct event *next_of(size_t i, u32 kind)
{
	for (; i < nr_events; i++)
		if (events[i].kind == kind)
			return &events[i];
	return NULL;
}

/*
 * The host's IBRS comes back before the first return: the guest's is 0, and IBRS of
 * the old kind has to be written even where it would be the same.
 */
static void spec_ctrl_before_return(const void *arg)
{
	bool wanted = kernel_does("spectre_v2", "Mitigation: IBRS") ||
		      kernel_does("spectre_v2", "Mitigation: Enhanced");
	struct vm vm;
	size_t i;

	watch_one(&vm);
	for (i = 0; i + 1 < nr_events; i++) {
		bool written = is_wrmsr(&events[i + 1], SPEC_CTRL);

		if (events[i].kind != EXIT)
			continue;
		EXPECT(written == wanted, "IA32_SPEC_CTRL is %swritten before the first return",
		       written ? "" : "not ");
		if (written)
			EXPECT(events[i + 1].value & 1, "IBRS is written as 0");
		if (ktap_failed())
			return;
	}
}

static void returns_filled(const void *arg)
{
	u32 wanted = kernel_does("spectre_v2", "PBRSB-eIBRS: SW sequence") ? 1 :
		     kernel_does("spectre_v2", "RSB filling") &&
		     !kernel_does("spectre_v2", "Enhanced") ? 32 : 0;
	const struct event *e;
	struct vm vm;
	size_t i;

	watch_one(&vm);
	for (i = 0; i < nr_events; i++) {
		e = events[i].kind == EXIT ? next_of(i, INDIRECT) : NULL;
		if (e)
			EXPECT((u32)e->value >= wanted, "%u calls before the first return, should be %u",
			       (u32)e->value, wanted);
		if (ktap_failed())
			return;
	}
}

static void branch_history_overwritten(const void *arg)
{
	bool wanted = kernel_does("spectre_v2", "BHI: SW loop") ||
		      kernel_does("spectre_v2", "BHI: Vulnerable, KVM: SW loop");
	const struct event *e;
	struct vm vm;
	size_t i;

	watch_one(&vm);
	for (i = 0; i < nr_events; i++) {
		e = events[i].kind == EXIT ? next_of(i, INDIRECT) : NULL;
		if (e)
			EXPECT((e->value >> 32 >= LONGEST_HISTORY) == wanted,
			       "%u taken branches between the exit and the first return",
			       (u32)(e->value >> 32));
		if (ktap_failed())
			return;
	}
}

static bool l1d_always(void)
{
	return kernel_does("l1tf", "Mitigation") && file_says(L1D_PARAMETER, "always");
}

static bool l1d_cond(void)
{
	/* mitigations=off leaves L1TF's page-table part on, but not KPTI. */
	return kernel_does("l1tf", "Mitigation") &&
	       (file_says(L1D_PARAMETER, "cond") ||
		(file_says(L1D_PARAMETER, "auto") && !kernel_does("meltdown", "Vulnerable")));
}

/* An entry that comes from user space, and one right behind CPUID. */
static void l1d_flushed(const void *arg)
{
	bool always = l1d_always(), cond = l1d_cond();
	bool command = !file_says("/proc/cmdline", "clearcpuid=flush_l1d");
	size_t i, from_user = 0, flushed_user = 0, others = 0, flushed = 0;
	struct vm vm;

	watch_one(&vm);
	for (i = 0; i < nr_events; i++) {
		size_t j = i;
		bool user = false, done = false;

		if (events[i].kind != ENTRY)
			continue;
		while (j-- && events[j].kind != EXIT) {
			user |= events[j].kind == USER;
			done |= is_wrmsr(&events[j], FLUSH_CMD);
		}
		/* By reading: a taken branch for each of 1,024 lines. */
		if (!command)
			done = events[i].value >= 1024;
		from_user += user;
		flushed_user += user && done;
		others += !user;
		flushed += !user && done;
	}
	EXPECT(from_user && others > EXITS, "%zu and %zu entries", from_user, others);
	EXPECT_EQ(flushed_user, always || cond ? from_user : 0, "flushes before entries from user space");
	if (always)
		EXPECT_EQ(flushed, others, "flushes before other entries");
	else if (cond)
		EXPECT(flushed < others / 2, "%zu flushes, though nothing was done in between", flushed);
	else
		EXPECT_EQ(flushed, 0, "flushes");
}

/* What an instruction's emulation has read is not left in the cache. */
static void l1d_flushed_after_emulation(const void *arg)
{
	static const u8 reads_apic[] = {
		0xbb, 0x20, 0, 0xe0, 0xfe,	/* mov $0xfee00020, %ebx */
		0x8b, 0x03,			/* mov (%rbx), %eax */
		0x8b, 0x03,
		0xe6, 0x10,			/* out %al, $0x10 */
	};
	size_t i, n = 0;
	struct vcpu *vcpu;
	struct vm vm;

	if (!l1d_cond())
		ktap_skip("the L1 data cache is not flushed on conditions here");
	vm_create(&vm, VM_IRQCHIP);
	memcpy(vm.mem + CODE_AT, reads_apic, sizeof(reads_apic));
	vcpu = vm_add_vcpu(&vm);
	vcpu_long_mode(vcpu, CODE_AT);
	watch_start();
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	watch_stop();
	for (i = 0; i < nr_events; i++) {
		if (events[i].kind != ENTRY)
			continue;
		n++;
		EXPECT(written_since(i, EXIT, FLUSH_CMD), "no flush before entry %zu", n);
	}
	EXPECT(n >= 3, "%zu entries", n);
}

/* IBPB: for the next vCPU, whatever became of the last one; not for the same again. */
static void barrier_between_vcpus(const void *arg)
{
	bool wanted = kernel_does("spectre_v2", "IBPB: conditional") ||
		      kernel_does("spectre_v2", "IBPB: always-on");
	struct vm a, b, gone;
	struct vcpu *va, *vb;
	size_t i, n = 0;

	va = create(&a);
	vb = create(&b);
	vcpu_expect_exit(va, KVM_EXIT_HLT);
	create(&gone);
	vm_destroy(&gone);
	watch_start();
	vcpu_expect_exit(va, KVM_EXIT_HLT);
	vcpu_expect_exit(vb, KVM_EXIT_HLT);
	vcpu_expect_exit(vb, KVM_EXIT_HLT);
	watch_stop();
	for (i = 0; i < nr_events; i++) {
		size_t j = i;

		if (events[i].kind != ENTRY)
			continue;
		while (j-- && events[j].kind != EXIT && events[j].kind != USER)
			n += is_wrmsr(&events[j], PRED_CMD);
	}
	EXPECT_EQ(n, wanted ? 2 : 0, "barriers before an entry");
}

/* VMSCAPE: user space is steered by no branch of the guest's. */
static void barrier_before_user_space(const void *arg)
{
	bool wanted = kernel_does("vmscape", "IBPB before exit to userspace");
	struct vm vm;
	size_t i;

	watch_one(&vm);
	EXPECT(count(USER) >= 2, "%zu returns to user space", count(USER));
	for (i = 0; i < nr_events; i++)
		if (events[i].kind == USER)
			EXPECT(written_since(i, EXIT, PRED_CMD) == wanted,
			       "%s before user space runs", wanted ? "no barrier" : "a barrier");
}

/* mitigations=off leaves no other trace of what it does for iTLB multihit. */
static bool large_are_not_executable(void)
{
	return !kernel_does("itlb_multihit", "Not affected") && !kernel_does("spectre_v1", "Vulnerable");
}

/* What the module says of itself agrees with the kernel. */
static void told(const void *arg)
{
	bool off = kernel_does("meltdown", "Vulnerable") && kernel_does("l1tf", "Mitigation");
	static const char * const names[] = {
		"l1tf", "cpu-buffers", "return-targets", "spec-ctrl", "branch-history",
		"vcpu-to-vcpu", "l2-to-l1", "vmscape", "itlb-multihit", "spectre-v1", "smt",
		"guest-controls",
	};
	const struct { const char *name, *state; } rows[] = {
		{ "l1tf", kernel_does("l1tf", "Not affected") ? "Not affected: " :
			  l1d_cond() || l1d_always() ? "Mitigation: " : "Vulnerable: " },
		{ "cpu-buffers", buffers_wanted() ? "Mitigation: " : "Vulnerable: " },
		{ "branch-history", kernel_does("spectre_v2", "BHI: SW loop") ? "Mitigation: " :
									"Not affected: " },
		{ "vcpu-to-vcpu", off ? "Vulnerable: " : "Mitigation: " },
		{ "vmscape", kernel_does("vmscape", "Not affected") ? "Not affected: " :
			     kernel_does("vmscape", "IBPB") ? "Mitigation: " : "Vulnerable: " },
		{ "itlb-multihit", kernel_does("itlb_multihit", "Not affected") ? "Not affected: " :
				   large_are_not_executable() ? "Mitigation: " : "Vulnerable: " },
		{ "spectre-v1", "Mitigation: " },
		{ "smt", "Mitigation: " },
	};
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), MITIGATIONS "%s", names[i]);
		EXPECT(file_says(path, "Not affected: ") || file_says(path, "Mitigation: ") ||
		       file_says(path, "Vulnerable: "), "%s says nothing", path);
	}
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(path, sizeof(path), MITIGATIONS "%s", rows[i].name);
		EXPECT(file_says(path, rows[i].state), "%s is not \"%s\"", rows[i].name,
		       rows[i].state);
	}
}

#define LARGE		(2ul << 20)
#define LARGE_AT	0x10000000u
#define CODE_IN_LARGE	0x1000

/* 2 MiB of memory in one piece, with @code in it, as slot 1. */
static void large_slot(struct vm *vm, const void *code, size_t len)
{
	u8 *raw = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	u8 *mem = (u8 *)(((uintptr_t)raw + LARGE - 1) & ~(LARGE - 1));

	ASSERT(raw != MAP_FAILED, "no memory");
	madvise(mem, LARGE, MADV_HUGEPAGE);
	memset(mem, 0, LARGE);
	memcpy(mem + CODE_IN_LARGE, code, len);
	vm_set_slot(vm, 1, 0, LARGE_AT, LARGE, mem);
}

/* Pages of paging structures, of EPT01 and EPT02. */
static u64 tables(const struct vm *vm)
{
	struct nestvm_device_info info = { .size = sizeof(info) };

	MUST(vm->dev, NESTVM_GET_DEVICE_INFO, &info);
	return info.table_pages;
}

/* iTLB multihit: what is executed is mapped in 4 KiB, other memory as large as it is. */
static void large_page_is_split(const void *arg)
{
	static const u8 reads_then_jumps[] = {
		0xbb, 0x00, 0x10, 0x00, 0x10,	/* mov $LARGE_AT + CODE_IN_LARGE, %ebx */
		0x8a, 0x03,			/* mov (%rbx), %al */
		0xe6, 0x10,			/* out %al, $0x10 */
		0xff, 0xe3,			/* jmp *%rbx */
	};
	static const u8 in_large[] = {
		0xe6, 0x10,			/* out %al, $0x10 */
		0x8a, 0x43, 0x02,		/* mov 2(%rbx), %al */
		0xf4,				/* hlt */
	};
	u64 before, read, executed;
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, 0);
	large_slot(&vm, in_large, sizeof(in_large));
	memcpy(vm.mem + CODE_AT, reads_then_jumps, sizeof(reads_then_jumps));
	vcpu = vm_add_vcpu(&vm);
	vcpu_long_mode(vcpu, CODE_AT);
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	read = tables(&vm);
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	executed = tables(&vm);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	EXPECT_EQ(tables(&vm), executed, "tables when it is read again");
	/* Mapped in 4 KiB from the beginning: it was no large page. */
	vm_set_slot(&vm, 1, 0, 0, 0, NULL);
	before = tables(&vm);
	if (read - before > 1 + (executed - read))
		ktap_skip("the kernel gave no huge page");
	EXPECT_EQ(executed - read, large_are_not_executable(), "tables for executing there");
}

static u64 after_step(struct vcpu *vcpu, u8 step)
{
	int ret = guest_run(vcpu);

	ASSERT(ret == KVM_EXIT_IO, "before step %u: KVM_RUN gives %d", step, ret);
	EXPECT_EQ(*((u8 *)vcpu->run + vcpu->run->io.data_offset), step, "the step");
	return tables(vcpu->vm);
}

/* The same in EPT02, where EPT12 has large pages. L1 itself does not execute there. */
static void large_page_is_split_l2(const void *arg)
{
	static const u8 vmcalls[] = { 0x0f, 0x01, 0xc1, 0xeb, 0xfb };
	u64 read, executed, again;
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, VM_EXPOSE);
	large_slot(&vm, vmcalls, sizeof(vmcalls));
	vcpu = guest_load(&vm, &guest_mitigations, "_l2_in_a_large_page");
	read = after_step(vcpu, 1);
	executed = after_step(vcpu, 2);
	again = after_step(vcpu, 3);
	guest_run_to_end(vcpu);
	EXPECT_EQ(executed - read, large_are_not_executable(), "tables for executing there");
	EXPECT_EQ(again, executed, "tables when it is read again");
}

/* From L2 to an L1 that has IBRS; not the other way, where L1 is the master. */
static void barrier_from_l2_to_l1(const void *arg)
{
	bool wanted = kernel_does("spectre_v2", "IBPB: conditional") ||
		      kernel_does("spectre_v2", "IBPB: always-on");
	size_t i, up = 0, down = 0, barriers_up = 0, barriers_down = 0;
	struct vcpu *vcpu;
	struct vm vm;

	vm_create(&vm, VM_EXPOSE);
	if (!(cpuid_entry(vm_cpuid(&vm), 7, 0)->edx & (1u << 26)))
		ktap_skip("L1 is given no IBRS");
	vcpu = guest_load(&vm, &guest_mitigations, "_l2_calls");
	ASSERT(guest_run(vcpu) == KVM_EXIT_IO, "no first step");
	watch_start();
	ASSERT(guest_run(vcpu) == KVM_EXIT_IO, "no second step");
	watch_stop();
	guest_run_to_end(vcpu);
	for (i = 1; i < nr_events; i++) {
		size_t j = i;

		if (events[i].kind != ENTRY)
			continue;
		while (j && events[j].kind != EXIT)
			j--;
		if (events[j].kind != EXIT)
			continue;
		if (events[j].value == 18) {		/* VMCALL: L2 to L1 */
			up++;
			barriers_up += written_since(i, EXIT, PRED_CMD);
		} else if (events[j].value == 24) {	/* VMRESUME: L1 to L2 */
			down++;
			barriers_down += written_since(i, EXIT, PRED_CMD);
		}
	}
	EXPECT(up >= 4 && down >= 4, "%zu exits to L1, %zu entries", up, down);
	EXPECT_EQ(barriers_up, wanted ? up : 0, "barriers to L1");
	EXPECT_EQ(barriers_down, 0, "barriers to L2");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "buffers_cleared_last", buffers_cleared_last, NULL, 0 },
		{ "spec_ctrl_before_return", spec_ctrl_before_return, NULL, 0 },
		{ "returns_filled", returns_filled, NULL, 0 },
		{ "branch_history_overwritten", branch_history_overwritten, NULL, 0 },
		{ "l1d_flushed", l1d_flushed, NULL, 0 },
		{ "l1d_flushed_after_emulation", l1d_flushed_after_emulation, NULL, 0 },
		{ "barrier_between_vcpus", barrier_between_vcpus, NULL, 0 },
		{ "told", told, NULL, 0 },
		{ "large_page_is_split", large_page_is_split, NULL, 0 },
		{ "large_page_is_split_l2", large_page_is_split_l2, NULL, 0 },
		{ "barrier_from_l2_to_l1", barrier_from_l2_to_l1, NULL, 0 },
		{ "barrier_before_user_space", barrier_before_user_space, NULL, 0 },
	};

	return guest_main(&guest_mitigations, cases, ARRAY_LEN(cases), argc, argv);
}

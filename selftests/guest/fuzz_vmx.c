// SPDX-License-Identifier: GPL-2.0
/*
 * Random VMX instructions by L1 with random operands and VMCS contents. L1 may
 * perish of it; the test program then begins again. args[0]: how many.
 */
#include "l1.h"

#define SCRATCH	(GUEST_FREE + 0x100000ul)	/* pages no one needs */
#define PAGES	16

#define F(NAME, member, encoding, width, shadow) encoding,
static const u16 fields[] = { VMCS_FIELDS(F) };
#undef F

static u64 below(u64 n)
{
	return random64() % n;
}

static u64 value(void)
{
	switch (below(8)) {
	case 0:
		return 0;
	case 1:
		return below(256);
	case 2:
		return BIT_ULL(below(64));
	case 3:
		return ~BIT_ULL(below(64));
	case 4:
		return SCRATCH + below(PAGES) * 4096;
	case 5:
		return SCRATCH + below(PAGES * 4096);
	case 6:
		return -below(4096);
	default:
		return random64();
	}
}

static u64 encoding(void)
{
	u64 e = fields[below(ARRAY_SIZE(fields))];

	switch (below(16)) {
	case 0:
		return random64();
	case 1:
		return below(0x8000);
	case 2:
		return e | 1;
	default:
		return e;
	}
}

/* An address to VMPTRLD and the like: ours, or one that harms nobody. */
static u64 region(void)
{
	switch (below(8)) {
	case 0:
	case 1:
		return pa(&l1_vmcs);
	case 2:
		return pa(&l1_vmxon_region);
	case 3:
		return SCRATCH + below(PAGES) * 4096 + below(4096);
	case 4:
		return 1ull << (36 + below(28));
	case 5:
		return 0xfee00000;
	default:
		return SCRATCH + below(PAGES) * 4096;
	}
}

static void l2_something(void)
{
	u64 i;

	for (i = 0; ; i++) {
		cpuid(i, 0);
		wrmsr(IA32_KERNEL_GS_BASE, rdmsr(IA32_KERNEL_GS_BASE) + 1);
		outb(GUEST_PORT_NOTHING, i);
		*(volatile u64 *)(SCRATCH + (i * 4096) % (PAGES * 4096)) = i;
		vmcall(i);
	}
}

/* Back to a VMCS that would run; a timer, if there is one, ends what runs away. */
static void sane(void)
{
	vmxoff();
	write_cr4(read_cr4() | CR4_VMXE);
	l1_vmxon_region.revision = rdmsr(IA32_VMX_BASIC) & VMX_BASIC_REVISION;
	l1_vmcs.revision = l1_vmxon_region.revision;
	if (vmxon(pa(&l1_vmxon_region)) != VMX_OK || vmclear(pa(&l1_vmcs)) != VMX_OK ||
	    vmptrld(pa(&l1_vmcs)) != VMX_OK)
		return;
	l1_fill_vmcs(l2_something);
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	vmw(VMCS_EXCEPTION_BITMAP, 0xffffffff);
	if (l1_ctl_allowed(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER)) {
		vmw(VMCS_PIN_CTLS, vmr(VMCS_PIN_CTLS) | PIN_PREEMPT_TIMER);
		vmw(VMCS_GUEST_PREEMPT_TIMER, 2000);
	}
	if (below(2) && l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_EPT))
		l1_ept_on();
}

static bool is_host_state(u64 e)
{
	return (e & VMCS_ENC_TYPE) == VMCS_TYPE_HOST;
}

/* Enter with a few fields changed; host state only now and then: L1 seldom outlives it. */
static void mutate_and_enter(void)
{
	unsigned int n = 1 + below(4), tries;

	sane();
	while (n--) {
		u64 e = encoding();

		if (is_host_state(e) && below(20))
			continue;
		vmwrite(e, below(4) ? value() : below(2) ? 0 : random64());
	}
	for (tries = 0; tries < 4; tries++) {
		if (l1_enter() != VMX_OK)
			break;
		if (below(2))
			l1_skip_insn();
		vmwrite(encoding(), value());
	}
}

/* What memory holds of a VMCS is anything; it may only be noticed, never believed. */
static void scribble(void)
{
	struct vmx_region *r = (void *)(SCRATCH + below(PAGES) * 4096);
	unsigned int i;
	u64 v = 0;

	vmclear(pa(r));
	for (i = 0; i < 64; i++)
		((u64 *)r)[below(512)] = random64();
	r->revision = below(8) ? l1_vmcs.revision : random64();
	vmptrld(pa(r));
	for (i = 0; i < 16; i++)
		vmread(encoding(), &v);
	vmclear(pa(r));
}

static void one(void)
{
	struct inv_desc d = { value(), value() };
	u64 v = value();

	switch (below(14)) {
	case 0:
		vmxon(region());
		break;
	case 1:
		if (!below(4))
			vmxoff();
		break;
	case 2:
		vmclear(region());
		break;
	case 3:
		vmptrld(region());
		break;
	case 4:
		vmptrst((u64 *)(SCRATCH + below(4096)));
		break;
	case 5:
	case 6:
		vmread(encoding(), &v);
		break;
	case 7:
	case 8:
		if (!is_host_state(v = encoding()))
			vmwrite(v, value());
		break;
	case 9:
		invept(below(4) ? below(4) : value(), &d);
		break;
	case 10:
		invvpid(below(4) ? below(5) : value(), &d);
		break;
	case 11:
		mutate_and_enter();
		break;
	case 12:
		scribble();
		break;
	default:
		vmcall_root();
		break;
	}
}

GUEST_CASE(_random_instructions, NEED_VMX)
{
	l1_prepare();
	sane();
	while (PARAMS->results[0] < PARAMS->args[0]) {
		PARAMS->results[0]++;
		one();
	}
}

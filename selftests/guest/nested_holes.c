// SPDX-License-Identifier: GPL-2.0
/*
 * Holes that other hypervisors' nested VT-x had, each as the L1 that would use it;
 * docs/known-holes.md says which are tested where.
 */
#include "l1.h"
#include "apic.h"

#define SLOT	0x10000000ul
#define PAGE	(GUEST_FREE + 0x200000ul)	/* L2's, in a 2-MiB page of its own */
#define OTHERS	(GUEST_FREE + 0x400000ul)	/* pages that L1's EPT puts in its place */
#define STEP(n)	outb(0x50, n)

static void l2_spins(void)
{
	for (;;) {
		cpu_relax();
		let_l0_in();
	}
}

/* ---- L0's own registers ---------------------------------------------------- */

static void l2_cr8(void)
{
	write_cr8(0xf);
	vmcall(read_cr8());
}

/* CVE-2017-12154: nobody shadows or wants MOV CR8. To L2 it is L1's, never L0's. */
GUEST_CASE(cr8_is_never_that_of_l0, NEED_VMX | NEED_IRQCHIP)
{
	l1_start(l2_cr8);
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_TPR_SHADOW | PROC_CR8_LOAD | PROC_CR8_STORE);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0xf, "CR8 as L2 reads it");
	EXPECT_EQ(apic_read(APIC_TPR), 0xf0, "the TPR of L1");
	apic_write(APIC_TPR, 0);
}

static void l2_sets_osxsave(void)
{
	u32 lo;

	write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("xgetbv" : "=a"(lo) : "c"(0) : "rdx");
	vmcall(lo);
}

/* XCR0 is one register for L1 and L2: with L2's OSXSAVE its own, or L1's and set from the start. */
GUEST_CASE(xcr0_is_never_that_of_l0, NEED_VMX)
{
	if (!(cpuid(1, 0).ecx & BIT(26)))
		skip("CPUID shows no XSAVE");
	l1_start(l2_sets_osxsave);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, XCR0_X87, "XCR0 as L2 reads it");
	vmw(VMCS_CR4_MASK, CR4_OSXSAVE);
	vmw(VMCS_CR4_SHADOW, CR4_OSXSAVE);
	vmw(VMCS_GUEST_CR4, read_cr4() | CR4_OSXSAVE);
	l1_set_l2(l2_sets_osxsave);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, XCR0_X87, "XCR0 as L2 reads it with OSXSAVE of L1");
}

#define MSR_X2APIC_TPR	0x808

static void l2_x2apic_tpr(void)
{
	wrmsr(MSR_X2APIC_TPR, 0x50);
	vmcall(rdmsr(MSR_X2APIC_TPR));
}

/*
 * CVE-2019-3887: L1's bitmap lets all MSRs through. With x2APIC virtualized the TPR is
 * that of the virtual-APIC page; once that is off again it is L1's APIC, never L0's.
 */
GUEST_CASE(x2apic_msrs_after_virtualization, NEED_VMX | NEED_IRQCHIP)
{
	u8 *page = (u8 *)PAGE;

	if (!cpu_has_x2apic())
		skip("CPUID shows no x2APIC");
	memset(page, 0, 4096);
	l1_start(l2_x2apic_tpr);
	apic_x2apic();
	l1_ctl_set(VMCS_PROC_CTLS, PROC_TPR_SHADOW | PROC_MSR_BITMAPS, "the TPR shadow");
	vmw(VMCS_VIRTUAL_APIC, pa(page));
	vmw(VMCS_TPR_THRESHOLD, 0);
	if (l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_X2APIC)) {
		l1_ctl_set(VMCS_PROC2_CTLS, PROC2_X2APIC, "x2APIC virtualization");
		EXPECT_EXIT(VMEXIT_VMCALL);
		EXPECT_EQ(l2.rax, 0x50, "the TPR as L2 reads it");
		EXPECT_EQ(page[APIC_TPR], 0x50, "the TPR in the virtual-APIC page");
		EXPECT_EQ(apic_read(APIC_TPR), 0, "the TPR of L1");
		l1_ctl_clear(VMCS_PROC2_CTLS, PROC2_X2APIC);
		page[APIC_TPR] = 0;
	}
	l1_set_l2(l2_x2apic_tpr);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x50, "the TPR as L2 reads it");
	EXPECT_EQ(page[APIC_TPR], 0, "the TPR in the virtual-APIC page");
	EXPECT_EQ(apic_read(APIC_TPR), 0x50, "the TPR of L1");
	apic_write(APIC_TPR, 0);
}

/* ---- leaving VMX operation -------------------------------------------------- */

static void l2_halts(void)
{
	PARAMS->results[0] = rdtsc();
	sti();
	for (;;)
		hlt();
}

/* CVE-2019-7221: the timer that would wake L2 must not outlive it. */
GUEST_CASE(_halted_with_a_timer, NEED_VMX | NEED_IRQCHIP)
{
	u64 rate = rdmsr(IA32_VMX_MISC) & VMX_MISC_PREEMPT_RATE;

	l1_start(l2_halts);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER, "the preemption timer");
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_HLT);
	vmw(VMCS_GUEST_PREEMPT_TIMER, PARAMS->args[0] >> rate);
	EXPECT_EXIT(VMEXIT_PREEMPT_TIMER);
}

static volatile u32 ap_l1_starts, ap_in_l1;
static volatile u32 ap_exit_reason;

static void ap_runs_l2(void)
{
	ap_l1_starts++;
	apic_enable();
	if (ap_l1_starts == 1) {
		l1_start(l2_spins);
		ap_in_l1 = 1;
		ap_exit_reason = l1_run();
		vmxoff();
	}
	ap_in_l1 = 2;
	for (;;) {
		cpu_relax();
		let_l0_in();
	}
}

/*
 * CVE-2022-3344 and its like: a reset while L2 runs. INIT is an exit to L1, which goes on;
 * once out of VMX operation, the CPU starts anew.
 */
GUEST_CASE(init_while_l2_runs, NEED_VMX | NEED_2_CPUS)
{
	smp_start(ap_runs_l2);
	ASSERT(WAIT_FOR(ap_in_l1 == 1), "the second CPU does not come to L2");
	wait_ticks(10000000);
	apic_ipi(1, APIC_ICR_INIT | APIC_ICR_ASSERT);
	ASSERT(WAIT_FOR(ap_in_l1 == 2), "the second CPU does not leave L2");
	EXPECT_EQ(ap_exit_reason, VMEXIT_INIT, "the exit reason");
	ap_in_l1 = 0;
	smp_start(ap_runs_l2);
	EXPECT(WAIT_FOR(ap_in_l1 == 2), "the second CPU does not start again");
	EXPECT_EQ(ap_l1_starts, 2, "starts");
}

/* ---- what is flushed ---------------------------------------------------------- */

static void l2_reads(void)
{
	vmcall(*(volatile u64 *)PAGE);
}

static void expect_l2_reads(u64 want)
{
	l1_set_l2(l2_reads);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, want, "what L2 reads");
}

static u64 *other(u64 i)
{
	return (u64 *)(OTHERS + i * 4096);
}

/*
 * CVE-2026-89930, CVE-2026-89932: a VPID that L2 has not had needs no INVVPID, also if
 * the first entry with it fails.
 */
GUEST_CASE(vpid_of_a_failed_entry, NEED_VMX)
{
	u64 *pte = page_entry(PAGE), cr3;

	*(u64 *)PAGE = 0x1111;
	*other(0) = 0x2222;
	*other(1) = 0x3333;
	l1_start(l2_reads);
	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_VPID, "VPID");
	vmw(VMCS_VPID, 1);
	expect_l2_reads(0x1111);
	*pte = pa(other(0)) | PTE_P | PTE_W | PTE_U;
	vmw(VMCS_VPID, 2);
	cr3 = vmr(VMCS_GUEST_CR3);
	vmw(VMCS_GUEST_CR3, ~0ull);
	EXPECT_EQ(l1_run(), VMEXIT_INVALID_GUEST_STATE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	vmw(VMCS_GUEST_CR3, cr3);
	expect_l2_reads(0x2222);
	*pte = pa(other(1)) | PTE_P | PTE_W | PTE_U;
	vmw(VMCS_VPID, 3);
	expect_l2_reads(0x3333);
}

/* ---- EPT ------------------------------------------------------------------------ */

#define EPTS	12		/* more than any hypervisor keeps shadows of */

/* A hierarchy of its own for each: the common one but for PAGE. */
static u64 make_ept(u64 i)
{
	u64 *pml4 = other(EPTS + 4 * i), *pdpt = pml4 + 512, *pd = pdpt + 512, *pt = pd + 512;
	u64 k;

	memcpy(pdpt, l1_ept_pdpte(0), 4096);
	memcpy(pd, l1_ept_2m(0), 4096);
	for (k = 0; k < 512; k++)
		pt[k] = ((PAGE & ~0x1fffffull) + k * 4096) | EPT_WB | EPT_RWX;
	memset(pml4, 0, 4096);
	pml4[0] = pa(pdpt) | EPT_RWX;
	pdpt[0] = pa(pd) | EPT_RWX;
	pd[PAGE >> 21] = pa(pt) | EPT_RWX;
	pt[PAGE >> 12 & 511] = pa(other(i)) | EPT_WB | EPT_RWX;
	return pa(pml4) | (l1_eptp() & 0xfff);
}

#define PLACES	(PARAMS->args[0])
#define PLACE(i)	((1ull << 32) + ((i) << 21))

static void l2_reads_everywhere(void)
{
	u64 i, wrong = 0;

	for (i = 0; i < PLACES; i++)
		wrong += *(volatile u64 *)PLACE(i) != 0x1234;
	vmcall(wrong);
}

/* One page at each 2 MiB above 4 GiB, by one page directory and one page table of L1's. */
GUEST_CASE(_one_page_at_many_places, NEED_VMX)
{
	u64 *pdpt = other(0), *pd = other(1), *pt = other(2), *page = other(3), i, k;

	*page = 0x1234;
	for (i = 0; i < 512; i++) {
		pd[i] = pa(pt) | EPT_RWX;
		pt[i] = pa(page) | EPT_WB | EPT_RWX;
	}
	l1_start(l2_reads_everywhere);
	l1_ept_on();
	memcpy(pdpt, l1_ept_pdpte(0), 4096);
	for (i = 4; i < 64; i++)
		pdpt[i] = pa(pd) | EPT_RWX;
	*l1_ept_pml4e(0) = pa(pdpt) | EPT_RWX;
	/* L2's own paging: as many addresses, 1:1. */
	for (i = 4; i < 64; i++) {
		u64 *own = other(4 + i);

		for (k = 0; k < 512; k++)
			own[k] = i << 30 | k << 21 | PTE_P | PTE_W | PTE_U | PTE_PS;
		((u64 *)GUEST_PDPT)[i] = pa(own) | PTE_P | PTE_W | PTE_U;
	}
	EXPECT_L2_DONE();
	STEP(1);
	l1_set_l2(l2_reads_everywhere);
	EXPECT_L2_DONE();
}

/* CVE-2026-64561: a root is dropped for a new one, never the one that is in use. */
GUEST_CASE(more_epts_than_shadows, NEED_VMX)
{
	u64 eptp[EPTS], i, round;
	struct inv_desc d = {};

	l1_start(l2_reads);
	l1_ept_on();
	for (i = 0; i < EPTS; i++) {
		*other(i) = 0x1000 + i;
		eptp[i] = make_ept(i);
	}
	for (round = 0; round < 3; round++)
		for (i = 0; i < EPTS; i++) {
			vmw(VMCS_EPTP, eptp[i]);
			expect_l2_reads(0x1000 + i);
		}
	/* A change in one that is not in use. */
	*((u64 *)(eptp[0] & ~0xfffull) + 3 * 512 + (PAGE >> 12 & 511)) =
		pa(other(5)) | EPT_WB | EPT_RWX;
	d.id = eptp[0];
	EXPECT_EQ(invept(INVEPT_SINGLE, &d), VMX_OK, "INVEPT");
	for (i = 0; i < EPTS; i++) {
		vmw(VMCS_EPTP, eptp[i]);
		expect_l2_reads(i ? 0x1000 + i : 0x1005);
	}
}

/* Whatever address in the region: a table may be there by then, so only zeros are written. */
static void l2_touches(void)
{
	u64 i;

	for (i = 0; i < 4; i++) {
		volatile u64 *p = (u64 *)(PAGE + (random64() & 0x1ff000));

		if (i & 1)
			*p = 0;
		else
			(void)*p;
	}
	vmcall(0);
}

static volatile u32 hammer_stop, hammered;

/*
 * The directory entry and its table in all shapes: nothing, a large page, a table, the
 * table as a page that L2 writes, misconfigured ones.
 */
static void ap_hammers(void)
{
	volatile u64 *pde = l1_ept_2m(PAGE), *pt = other(0);
	const u64 shapes[] = {
		0, PAGE | EPT_PS | EPT_WB | EPT_RWX, PAGE | EPT_PS | EPT_WB | EPT_R | EPT_X,
		pa(pt) | EPT_RWX, pa(pt) | EPT_R, pa(pt) | EPT_RWX, pa(pt) | EPT_W,
		pa(pt) | EPT_RWX, PAGE | EPT_PS | 2 << 3 | EPT_RWX,
	};
	const u64 leaves[] = {
		0, PAGE | EPT_WB | EPT_RWX, PAGE | EPT_WB | EPT_R, pa(pt) | EPT_WB | EPT_RWX,
		PAGE | EPT_WB | EPT_W, 1ull << 51 | EPT_WB | EPT_RWX, PAGE | EPT_WB | EPT_RWX,
		pa(other(1)) | EPT_WB | EPT_RWX, pa(other(2)) | EPT_WB | EPT_RWX,
		pa(other(3)) | EPT_WB | EPT_RWX, pa(other(4)) | EPT_WB | EPT_RWX,
	};

	while (!hammer_stop) {
		u64 r = random64();

		pt[r & 511] = leaves[(r >> 16) % ARRAY_SIZE(leaves)];
		if (!(r >> 32 & 63))
			*pde = shapes[(r >> 40) % ARRAY_SIZE(shapes)];
		if (!(++hammered % 256))
			let_l0_in();
	}
	*pde = PAGE | EPT_PS | EPT_WB | EPT_RWX;
	hammer_stop = 2;
	for (;;) {
		cpu_relax();
		let_l0_in();
	}
}

/*
 * CVE-2026-53359, CVE-2026-46113, CVE-2026-23401: tables change their role while they are
 * shadowed, on another CPU and without INVEPT. Anything may become of L2, nothing of L0;
 * and once all is told by INVEPT it is right.
 */
GUEST_CASE(ept_changes_under_l2, NEED_VMX | NEED_2_CPUS | NEED_LONG_TIME)
{
	u32 exits[64] = { 0 }, i, reason;

	l1_start(l2_touches);
	l1_ept_on();
	smp_start(ap_hammers);
	ASSERT(WAIT_FOR(hammered), "the second CPU does not start");
	for (i = 0; i < 600; i++) {
		reason = l1_run();
		ASSERT(reason == VMEXIT_VMCALL || reason == VMEXIT_EPT_VIOLATION ||
		       reason == VMEXIT_EPT_MISCONFIG, "exit reason %x, L2 at %llx", reason,
		       vmr(VMCS_GUEST_RIP));
		exits[reason]++;
		if (!(i % 8))
			l1_invept();
		if (reason == VMEXIT_VMCALL || !(i % 4))
			l1_set_l2(l2_touches);
	}
	hammer_stop = 1;
	ASSERT(WAIT_FOR(hammer_stop == 2), "the second CPU does not stop");
	l1_invept();
	*(volatile u64 *)PAGE = 0x4444;
	expect_l2_reads(0x4444);
	say("%u changes; exits: %u by L2, %u violations, %u misconfigurations", hammered,
	    exits[VMEXIT_VMCALL], exits[VMEXIT_EPT_VIOLATION], exits[VMEXIT_EPT_MISCONFIG]);
	EXPECT(exits[VMEXIT_VMCALL] && exits[VMEXIT_EPT_VIOLATION] && exits[VMEXIT_EPT_MISCONFIG],
	       "an exit never came");
}

/* ---- with the test program's help --------------------------------------------------- */

#define MSR_OF_NOBODY	IA32_SYSENTER_CS	/* L0 does not care for it */

static void l2_rdmsr(void)
{
	vmcall(rdmsr(MSR_OF_NOBODY));
}

static void expect_rdmsr(u32 reason)
{
	l1_set_l2(l2_rdmsr);
	EXPECT_EXIT(reason);
}

/*
 * CVE-2026-98863: a page of L1 that is not there now is looked for at each entry; one
 * that was there is not kept.
 */
GUEST_CASE(_bitmap_comes_and_goes, NEED_VMX)
{
	l1_start(l2_rdmsr);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MSR_BITMAPS, "the MSR bitmap");
	vmw(VMCS_MSR_BITMAP, SLOT);
	expect_rdmsr(VMEXIT_RDMSR);
	STEP(1);			/* there, all zeros */
	expect_rdmsr(VMEXIT_VMCALL);
	STEP(2);			/* away */
	expect_rdmsr(VMEXIT_RDMSR);
	STEP(3);			/* there, another one, all ones */
	expect_rdmsr(VMEXIT_RDMSR);
	STEP(4);			/* the first again */
	expect_rdmsr(VMEXIT_VMCALL);
}

/*
 * CVE-2026-64562, CVE-2026-89929: the thread goes from CPU to CPU, and with it go the
 * VMCS, its shadow, and what INVVPID must reach.
 */
GUEST_CASE(_keeps_its_state, NEED_VMX)
{
	static u64 *pages[2];
	u64 *pte = page_entry(PAGE), i, last = 0;
	struct inv_desc d = { 1, 0 };

	pages[0] = other(0);
	pages[1] = other(1);
	*pages[0] = 0x1111;
	*pages[1] = 0x2222;
	l1_start(l2_reads);
	l1_ctl_set(VMCS_PROC2_CTLS, PROC2_VPID, "VPID");
	vmw(VMCS_VPID, 1);
	for (i = 0; i < PARAMS->args[0]; i++) {
		EXPECT_EQ(vmr(VMCS_GUEST_SYSENTER_ESP), last, "a field of the VMCS");
		last = random64() >> 17;
		vmw(VMCS_GUEST_SYSENTER_ESP, last);
		*pte = pa(pages[i & 1]) | PTE_P | PTE_W | PTE_U;
		if (invvpid(INVVPID_SINGLE, &d) != VMX_OK)
			failed("INVVPID fails");
		expect_l2_reads(i & 1 ? 0x2222 : 0x1111);
		PARAMS->results[0] = i;
		let_l0_in();
	}
}

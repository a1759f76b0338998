// SPDX-License-Identifier: GPL-2.0
#include "boot.h"

#include "../machine.h"

#include <string.h>

#define CR0_PE		(1ull << 0)
#define CR0_MP		(1ull << 1)
#define CR0_ET		(1ull << 4)
#define CR0_PG		(1ull << 31)
#define CR4_PAE		(1ull << 5)
#define EFER_LME	(1ull << 8)
#define EFER_LMA	(1ull << 10)
#define RFLAGS_FIXED	2ull

#define IA32_MTRR_DEF_TYPE	0x2ff
#define MTRR_ENABLE		(1ull << 11)
#define MTRR_WRITE_BACK		6
#define IA32_MISC_ENABLE	0x1a0
#define MISC_FAST_STRINGS	1ull

#define PTE_PRESENT_RW	3ull
#define PTE_LARGE	0x80ull

/* Selectors as the Linux boot protocol wants them. */
#define SEL_CODE	0x10
#define SEL_DATA	0x18
#define SEL_TSS		0x20

static void put_gdt(struct nvl_vm *vm, enum boot_mode mode)
{
	uint64_t *gdt = nvl_vm_ptr(vm, BOOT_GDT, 6 * sizeof(*gdt));

	gdt[0] = 0;
	gdt[1] = 0;
	gdt[SEL_CODE / 8] = mode == BOOT_LONG ? 0x00af9b000000ffffull : 0x00cf9b000000ffffull;
	gdt[SEL_DATA / 8] = 0x00cf93000000ffffull;
	gdt[SEL_TSS / 8] = 0x00008b0000000067ull;
	gdt[SEL_TSS / 8 + 1] = 0;
}

static void put_identity_map(struct nvl_vm *vm)
{
	uint64_t *pml4 = nvl_vm_ptr(vm, BOOT_PAGING, 6 * 4096);
	uint64_t *pdpt = pml4 + 512, *pd = pdpt + 512;
	unsigned int i;

	pml4[0] = (BOOT_PAGING + 0x1000) | PTE_PRESENT_RW;
	for (i = 0; i < 4; i++)
		pdpt[i] = (BOOT_PAGING + 0x2000 + i * 0x1000) | PTE_PRESENT_RW;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = (uint64_t)i << 21 | PTE_LARGE | PTE_PRESENT_RW;
}

static void set_flat_segments(struct kvm_sregs *s, bool wide)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = SEL_CODE, .type = 11, .present = 1,
		.db = !wide, .s = 1, .l = wide, .g = 1,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = SEL_DATA, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};

	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->tr = (struct kvm_segment) {
		.limit = 0x67, .selector = SEL_TSS, .type = 11, .present = 1,
	};
	s->gdt.base = BOOT_GDT;
	s->gdt.limit = 6 * 8 - 1;
	s->idt.base = 0;
	s->idt.limit = 0;
}

static void set_mode(struct nvl_vm *vm, struct kvm_sregs *s, enum boot_mode mode)
{
	if (mode == BOOT_REAL) {
		/* Reset state, but not at the reset vector: there is no firmware. */
		s->cs.base = 0;
		s->cs.selector = 0;
		return;
	}
	put_gdt(vm, mode);
	set_flat_segments(s, mode == BOOT_LONG);
	/* Caches on, which they are not at reset. */
	s->cr0 = CR0_PE | CR0_ET;
	if (mode == BOOT_LONG) {
		put_identity_map(vm);
		s->cr3 = BOOT_PAGING;
		s->cr4 |= CR4_PAE;
		s->cr0 |= CR0_PG | CR0_MP;
		s->efer |= EFER_LME | EFER_LMA;
	}
}

int cpu_init_first(struct machine *m, struct nvl_vcpu *vcpu, const struct boot_cpu *cpu,
		   struct nvl_error *err)
{
	struct kvm_regs regs = {
		.rip = cpu->entry,
		.rax = cpu->rax,
		.rbx = cpu->rbx,
		.rsi = cpu->rsi,
		.rflags = RFLAGS_FIXED,
	};
	struct kvm_sregs sregs;
	int ret;

	if (cpu->mode == BOOT_REAL)
		regs.rsp = BOOT_SECTOR;
	ret = nvl_vcpu_get_sregs(vcpu, &sregs, err);
	if (ret < 0)
		return ret;
	set_mode(m->vm, &sregs, cpu->mode);
	ret = nvl_vcpu_set_sregs(vcpu, &sregs, err);
	if (ret < 0)
		return ret;
	return nvl_vcpu_set_regs(vcpu, &regs, err);
}

int cpu_init_msrs(struct nvl_vcpu *vcpu, struct nvl_error *err)
{
	uint64_t misc;

	/*
	 * Both are what an operating system expects of firmware and neither is
	 * needed to run, so a device that does not know the MSR is not an error.
	 */
	nvl_vcpu_set_msr(vcpu, IA32_MTRR_DEF_TYPE, MTRR_ENABLE | MTRR_WRITE_BACK, NULL);
	if (nvl_vcpu_get_msr(vcpu, IA32_MISC_ENABLE, &misc, NULL) == 0 &&
	    !(misc & MISC_FAST_STRINGS))
		return nvl_vcpu_set_msr(vcpu, IA32_MISC_ENABLE, misc | MISC_FAST_STRINGS, err);
	return 0;
}

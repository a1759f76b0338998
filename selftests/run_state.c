// SPDX-License-Identifier: GPL-2.0
/* What is set on a vCPU is what is read from it, and stays over KVM_RUN. */
#include "lib/vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#define HLT_AT	0x1000

static struct vm vm;

static struct vcpu *start(unsigned int flags)
{
	struct vcpu *vcpu;

	vm_create(&vm, flags);
	vcpu = vm_add_vcpu(&vm);
	vm.mem[HLT_AT] = 0xf4;
	vcpu_long_mode(vcpu, HLT_AT);
	return vcpu;
}

static void halt(struct vcpu *vcpu)
{
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
}

static void regs(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_regs set, got;
	u64 *words = (u64 *)&set;
	unsigned int i;

	for (i = 0; i < 16; i++)
		words[i] = 0x1111111111111111u * (u64)(i + 1);
	set.rip = HLT_AT;
	set.rflags = 0x8d7;
	MUST(vcpu->fd, KVM_SET_REGS, &set);
	MUST(vcpu->fd, KVM_GET_REGS, &got);
	EXPECT(!memcmp(&set, &got, sizeof(got)), "differs at once");
	halt(vcpu);
	MUST(vcpu->fd, KVM_GET_REGS, &got);
	EXPECT_EQ(got.rip, HLT_AT + 1, "RIP after HLT");
	got.rip = HLT_AT;
	EXPECT(!memcmp(&set, &got, sizeof(got)), "differs after KVM_RUN");
}

static void sregs(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_sregs set, got;

	MUST(vcpu->fd, KVM_GET_SREGS, &set);
	set.fs.base = 0x7f0012345678;
	set.gs.base = 0xffff888000001000;
	set.fs.selector = 0x20;
	set.gdt.base = 0x5000;
	set.gdt.limit = 0x7f;
	set.idt.base = 0x6000;
	set.idt.limit = 0xfff;
	set.cr2 = 0x123456789;
	MUST(vcpu->fd, KVM_SET_SREGS, &set);
	MUST(vcpu->fd, KVM_GET_SREGS, &got);
	EXPECT(!memcmp(&set, &got, sizeof(got)), "differs at once");
	halt(vcpu);
	MUST(vcpu->fd, KVM_GET_SREGS, &got);
	/* Entering and leaving may set the accessed bit of a segment. */
	EXPECT_EQ(got.fs.base, set.fs.base, "the base of FS");
	EXPECT_EQ(got.gs.base, set.gs.base, "the base of GS");
	EXPECT_EQ(got.gdt.base, set.gdt.base, "the base of the GDT");
	EXPECT_EQ(got.idt.limit, set.idt.limit, "the limit of the IDT");
	EXPECT_EQ(got.cr2, set.cr2, "CR2");
	EXPECT(got.cr0 == set.cr0 && got.cr3 == set.cr3 && got.cr4 == set.cr4 &&
	       got.efer == set.efer,
	       "CR0 %llx CR3 %llx CR4 %llx EFER %llx", got.cr0, got.cr3, got.cr4, got.efer);
}

/* VMMs set registers and CPUID in either order. */
static void sregs_before_cpuid(const void *arg)
{
	struct kvm_sregs s, bad;
	struct vcpu *vcpu = &vm.vcpus[0];
	struct kvm_cpuid2 *cpuid;

	vm_create(&vm, 0);
	vcpu->vm = &vm;
	vcpu->fd = MUST(vm.fd, KVM_CREATE_VCPU, 0);
	vcpu->run_size = MUST(vm.dev, KVM_GET_VCPU_MMAP_SIZE, 0);
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	ASSERT(vcpu->run != MAP_FAILED, "mapping the run page: %s", strerror(errno));
	vm.mem[HLT_AT] = 0xf4;
	vcpu_long_mode(vcpu, HLT_AT);
	MUST(vcpu->fd, KVM_GET_SREGS, &s);
	bad = s;
	bad.cr4 |= 1ull << 31;
	EXPECT(ioctl(vcpu->fd, KVM_SET_SREGS, &bad) < 0 && errno == EINVAL, "CR4 bit 31");
	bad = s;
	bad.cr4 |= 1 << 13;			/* VMXE, which this VM does not have */
	EXPECT(!device_is_nestvm(vm.dev) ||
	       (ioctl(vcpu->fd, KVM_SET_SREGS, &bad) < 0 && errno == EINVAL), "CR4.VMXE");
	bad = s;
	bad.efer |= 1 << 1;
	EXPECT(ioctl(vcpu->fd, KVM_SET_SREGS, &bad) < 0 && errno == EINVAL, "EFER bit 1");
	cpuid = vm_cpuid(&vm);
	MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
	halt(vcpu);
}

/* A VMM that uses a vCPU again sets its CPUID again. */
static void cpuid_after_run(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_cpuid2 *cpuid = vm_cpuid(&vm);

	halt(vcpu);
	cpuid->nent = 256;
	MUST(vcpu->fd, KVM_GET_CPUID2, cpuid);
	MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
	cpuid_entry(cpuid, 1, 0)->ecx ^= 1;
	EXPECT(ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0 &&
	       errno == (device_is_nestvm(vm.dev) ? EBUSY : EINVAL), "without SSE3: %d", errno);
	cpuid_entry(cpuid, 1, 0)->ecx ^= 1;
	cpuid->nent--;
	EXPECT(ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid) < 0, "an entry less is taken");
	cpuid->nent++;
	MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
	/* What is cut away does not count. */
	if (device_is_nestvm(vm.dev)) {
		cpuid_entry(cpuid, 1, 0)->ecx |= 1 << 5;
		MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
	}
	vcpu_long_mode(vcpu, HLT_AT);
	halt(vcpu);
}

static void reset_state(const void *arg)
{
	struct kvm_sregs s;
	struct kvm_regs r;
	struct vcpu *vcpu;

	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	MUST(vcpu->fd, KVM_GET_SREGS, &s);
	MUST(vcpu->fd, KVM_GET_REGS, &r);
	EXPECT(s.cs.selector == 0xf000 && s.cs.base == 0xffff0000, "CS %x %llx", s.cs.selector,
	       s.cs.base);
	EXPECT_EQ(r.rip, 0xfff0, "RIP");
	EXPECT_EQ(r.rflags, 2, "RFLAGS");
	EXPECT_EQ(s.cr0, 0x60000010, "CR0");
	EXPECT(!s.cr3 && !s.cr4 && !s.efer, "CR3 %llx CR4 %llx EFER %llx", s.cr3, s.cr4, s.efer);
	EXPECT(s.tr.type == 11 && s.tr.present, "TR's type %u", s.tr.type);
}

/* KVM 6.1 leaves mxcsr out, on the way in and out. */
static void expect_fpu(struct vcpu *vcpu, const struct kvm_fpu *set)
{
	struct kvm_fpu got;

	MUST(vcpu->fd, KVM_GET_FPU, &got);
	EXPECT(!memcmp(set->xmm, got.xmm, sizeof(got.xmm)), "XMM differs");
	EXPECT(!memcmp(set->fpr[0], got.fpr[0], 10), "ST0 differs");
	EXPECT_EQ(got.fcw, set->fcw, "the control word");
	if (device_is_nestvm(vm.dev))
		EXPECT_EQ(got.mxcsr, set->mxcsr, "MXCSR");
}

static void fpu(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_fpu set;

	MUST(vcpu->fd, KVM_GET_FPU, &set);
	memset(set.xmm, 0x5a, sizeof(set.xmm));
	memset(set.fpr[0], 0x11, 10);
	set.fcw = 0x27f;
	set.mxcsr = 0x9fc0;
	MUST(vcpu->fd, KVM_SET_FPU, &set);
	expect_fpu(vcpu, &set);
	halt(vcpu);
	expect_fpu(vcpu, &set);
}

static void xsave(const void *arg)
{
	static struct kvm_xsave set, got;
	struct vcpu *vcpu = start(0);
	u8 *xmm0 = (u8 *)set.region + 160;

	if (!device_cap(vm.dev, KVM_CAP_XSAVE))
		ktap_skip("no KVM_CAP_XSAVE");
	MUST(vcpu->fd, KVM_GET_XSAVE, &set);
	memset(xmm0, 0x77, 16);
	*(u64 *)((u8 *)set.region + 512) |= 3;		/* XSTATE_BV: x87 and SSE are not initial */
	MUST(vcpu->fd, KVM_SET_XSAVE, &set);
	halt(vcpu);
	MUST(vcpu->fd, KVM_GET_XSAVE, &got);
	EXPECT(!memcmp(xmm0, (u8 *)got.region + 160, 16), "XMM0 differs after KVM_RUN");
	/* A component no CPU has. */
	*(u64 *)((u8 *)set.region + 512) |= 1ull << 62;
	EXPECT(ioctl(vcpu->fd, KVM_SET_XSAVE, &set) < 0, "XSTATE_BV bit 62 is taken");
	/* MXCSR with a reserved bit would fault when it is loaded. */
	*(u64 *)((u8 *)set.region + 512) &= ~(1ull << 62);
	set.region[6] = 0xffffffff;
	if (ioctl(vcpu->fd, KVM_SET_XSAVE, &set) >= 0)
		halt(start(0));
}

static void xcrs(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_xcrs x = { 0 };
	struct kvm_sregs s;

	if (!device_cap(vm.dev, KVM_CAP_XCRS))
		ktap_skip("no KVM_CAP_XCRS");
	MUST(vcpu->fd, KVM_GET_XCRS, &x);
	EXPECT(x.nr_xcrs == 1 && x.xcrs[0].xcr == 0 && x.xcrs[0].value == 1,
	       "XCR0 after reset is %llx",
	       x.xcrs[0].value);
	MUST(vcpu->fd, KVM_GET_SREGS, &s);
	s.cr4 |= 1 << 18;
	MUST(vcpu->fd, KVM_SET_SREGS, &s);
	x.xcrs[0].value = 3;
	MUST(vcpu->fd, KVM_SET_XCRS, &x);
	halt(vcpu);
	MUST(vcpu->fd, KVM_GET_XCRS, &x);
	EXPECT_EQ(x.xcrs[0].value, 3, "XCR0");
	x.xcrs[0].value = 2;
	EXPECT(ioctl(vcpu->fd, KVM_SET_XCRS, &x) < 0, "XCR0 without x87 is taken");
}

static void debugregs(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_debugregs set = { 0 }, got;

	if (!device_cap(vm.dev, KVM_CAP_DEBUGREGS))
		ktap_skip("no KVM_CAP_DEBUGREGS");
	set.db[0] = 0x1111;
	set.db[2] = 1ull << 62;		/* no canonical address; MOV takes it */
	set.db[3] = 0x4444;
	set.dr6 = 0xffff0ff0;
	set.dr7 = 0x400;
	MUST(vcpu->fd, KVM_SET_DEBUGREGS, &set);
	halt(vcpu);
	MUST(vcpu->fd, KVM_GET_DEBUGREGS, &got);
	EXPECT(!memcmp(got.db, set.db, sizeof(set.db)) && got.dr6 == set.dr6 && got.dr7 == set.dr7,
	       "%llx %llx %llx %llx %llx", got.db[0], got.db[2], got.db[3], got.dr6, got.dr7);
	set.dr7 = 1ull << 32;
	EXPECT(ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &set) < 0, "DR7 with a high half is taken");
}

static void msrs(const void *arg)
{
	static const struct {
		u32 msr;
		u64 value;
	} rows[] = {
		{ 0x277, 0x0606060606060606 }, { 0x174, 0x10 }, { 0x175, 0x1234 },
		{ 0x176, 0x5678 },
		{ 0xc0000081, 0x0023001000000000 }, { 0xc0000082, 0xffffffff81000000 },
		{ 0xc0000084, 0x47700 }, { 0xc0000102, 0xffff888000000000 },
	};
	struct vcpu *vcpu = start(0);
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT(vcpu_set_msr(vcpu, rows[i].msr, rows[i].value) == 1, "MSR %#x is refused",
		       rows[i].msr);
	halt(vcpu);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		EXPECT(vcpu_get_msr(vcpu, rows[i].msr) == rows[i].value, "MSR %#x is %#llx",
		       rows[i].msr,
		       vcpu_get_msr(vcpu, rows[i].msr));
	EXPECT(vcpu_set_msr(vcpu, 0x277, 0x0202020202020202) != 1, "a PAT that cannot be is taken");
	EXPECT_EQ(vcpu_get_msr(vcpu, 0x277), 0x0606060606060606, "the PAT after a refused one");
}

/* Every MSR of the list can be read, and what was read can be set. */
static void msr_index_list(const void *arg)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) + 1000 * sizeof(u32));
	struct vcpu *vcpu = start(VM_IRQCHIP);
	u32 i;

	list->nmsrs = 1000;
	MUST(vm.dev, KVM_GET_MSR_INDEX_LIST, list);
	for (i = 0; i < list->nmsrs; i++) {
		struct {
			struct kvm_msrs head;
			struct kvm_msr_entry e;
		} m = { .head.nmsrs = 1, .e.index = list->indices[i] };

		if (ioctl(vcpu->fd, KVM_GET_MSRS, &m) != 1) {
			EXPECT(!device_is_nestvm(vm.dev), "MSR %#x of the list cannot be read",
			       m.e.index);
			continue;
		}
		EXPECT(ioctl(vcpu->fd, KVM_SET_MSRS, &m) == 1 || !device_is_nestvm(vm.dev),
		       "MSR %#x: its own value %#llx is refused", m.e.index, m.e.data);
	}
}

static void vcpu_events(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_vcpu_events set, got;

	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &set);
	set.nmi.masked = 1;
	set.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	set.flags |= KVM_VCPUEVENT_VALID_SHADOW;
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &set);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &got);
	EXPECT_EQ(got.nmi.masked, 1, "nmi.masked");
	EXPECT_EQ(got.interrupt.shadow, KVM_X86_SHADOW_INT_STI, "interrupt.shadow");
}

static void mp_state(const void *arg)
{
	struct vcpu *vcpu = start(VM_IRQCHIP);
	struct kvm_mp_state s;

	MUST(vcpu->fd, KVM_GET_MP_STATE, &s);
	EXPECT_EQ(s.mp_state, KVM_MP_STATE_RUNNABLE, "the first vCPU's state");
	vcpu = vm_add_vcpu(&vm);
	MUST(vcpu->fd, KVM_GET_MP_STATE, &s);
	EXPECT_EQ(s.mp_state, KVM_MP_STATE_UNINITIALIZED, "the second vCPU's state");
	s.mp_state = KVM_MP_STATE_RUNNABLE;
	MUST(vcpu->fd, KVM_SET_MP_STATE, &s);
	vcpu_long_mode(vcpu, HLT_AT);
	MUST(vcpu->fd, KVM_GET_MP_STATE, &s);
	EXPECT_EQ(s.mp_state, KVM_MP_STATE_RUNNABLE, "the second vCPU's state");
	s.mp_state = 77;
	EXPECT(ioctl(vcpu->fd, KVM_SET_MP_STATE, &s) < 0, "a state of 77 is taken");
}

static void lapic(const void *arg)
{
	struct kvm_lapic_state set, got;
	struct vcpu *vcpu = start(VM_IRQCHIP);

	MUST(vcpu->fd, KVM_GET_LAPIC, &set);
	EXPECT_EQ(*(u32 *)(set.regs + 0x20) >> 24, 0, "the APIC id");
	*(u32 *)(set.regs + 0xf0) = 0x1ff;
	*(u32 *)(set.regs + 0x80) = 0x50;
	*(u32 *)(set.regs + 0x370) = 0x77;
	MUST(vcpu->fd, KVM_SET_LAPIC, &set);
	MUST(vcpu->fd, KVM_GET_LAPIC, &got);
	EXPECT_EQ(*(u32 *)(got.regs + 0xf0), 0x1ff, "the SVR");
	EXPECT_EQ(*(u32 *)(got.regs + 0x80), 0x50, "the TPR");
	EXPECT_EQ(*(u32 *)(got.regs + 0x370), 0x77, "the error LVT");
}

static void need_cap(unsigned int cap, const char *name)
{
	if (!device_cap(vm.dev, cap))
		ktap_skip("no %s", name);
}

static void enable_cap(u32 cap)
{
	struct kvm_enable_cap e = { .cap = cap, .args[0] = 1 };

	MUST(vm.fd, KVM_ENABLE_CAP, &e);
}

/* PDPTEs that memory does not hold (it is all zero at CR3). */
static void sregs2(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_sregs2 set, got;
	unsigned int i;

	need_cap(KVM_CAP_SREGS2, "KVM_CAP_SREGS2");
	vcpu_protected_mode(vcpu, HLT_AT);
	MUST(vcpu->fd, KVM_GET_SREGS2, &set);
	EXPECT_EQ(set.flags, 0, "the flags without paging");
	set.cr3 = 0x9000;
	set.cr4 = 1 << 5;
	set.cr0 |= 1u << 31;
	set.efer = 0;
	set.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	for (i = 0; i < 4; i++)
		set.pdptrs[i] = (0xa000 + i * 0x1000) | 1;
	MUST(vcpu->fd, KVM_SET_SREGS2, &set);
	MUST(vcpu->fd, KVM_GET_SREGS2, &got);
	EXPECT(!memcmp(&set, &got, sizeof(got)), "differs; flags %llx, PDPTE0 %llx", got.flags,
	       got.pdptrs[0]);
	set.pdptrs[2] = 0x7;
	EXPECT(ioctl(vcpu->fd, KVM_SET_SREGS2, &set) < 0 && errno == EINVAL,
	       "a PDPTE with reserved bits");
	set.pdptrs[2] = 0;
	set.flags = 2;
	EXPECT(ioctl(vcpu->fd, KVM_SET_SREGS2, &set) < 0 && errno == EINVAL, "an unknown flag");
	MUST(vcpu->fd, KVM_GET_SREGS2, &set);
	EXPECT(!memcmp(&set, &got, sizeof(got)), "what was refused has changed something");
}

static u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static void tsc(const void *arg)
{
	u64 offset = 0x123456789abcull, got = 0, low, high, now;
	struct kvm_device_attr a = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};
	struct vcpu *vcpu = start(0);
	int khz;

	need_cap(KVM_CAP_VCPU_ATTRIBUTES, "KVM_CAP_VCPU_ATTRIBUTES");
	MUST(vcpu->fd, KVM_HAS_DEVICE_ATTR, &a);
	MUST(vcpu->fd, KVM_SET_DEVICE_ATTR, &a);
	a.addr = (uintptr_t)&got;
	MUST(vcpu->fd, KVM_GET_DEVICE_ATTR, &a);
	EXPECT_EQ(got, offset, "the offset");
	low = rdtsc() + offset;
	now = vcpu_get_msr(vcpu, 0x10);
	high = rdtsc() + offset;
	EXPECT(now >= low && now <= high, "the TSC is %llx, not in %llx to %llx", now, low, high);
	a.addr = 8;
	EXPECT(ioctl(vcpu->fd, KVM_SET_DEVICE_ATTR, &a) < 0 && errno == EFAULT, "from nowhere");
	a.attr = 7;
	EXPECT(ioctl(vcpu->fd, KVM_HAS_DEVICE_ATTR, &a) < 0 && errno == ENXIO, "attribute 7");
	a.group = 7;
	EXPECT(ioctl(vcpu->fd, KVM_GET_DEVICE_ATTR, &a) < 0 && errno == ENXIO, "group 7");

	if (!device_is_nestvm(vm.dev))
		return;
	khz = MUST(vcpu->fd, KVM_GET_TSC_KHZ, 0);
	MUST(vcpu->fd, KVM_SET_TSC_KHZ, khz);
	MUST(vcpu->fd, KVM_SET_TSC_KHZ, 0);
	EXPECT_EQ(MUST(vcpu->fd, KVM_GET_TSC_KHZ, 0), khz, "the rate after 0 was asked for");
	MUST(vcpu->fd, KVM_SET_TSC_KHZ, khz + khz / 10000);
	EXPECT(ioctl(vcpu->fd, KVM_SET_TSC_KHZ, khz * 2) < 0 && errno == EOPNOTSUPP, "%d", errno);
	EXPECT(*refusal_text(vcpu->fd), "no reason for a rate that is refused");
}

/* An exception that waits keeps what its delivery will put into CR2. */
static void payload(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_vcpu_events set, got;

	need_cap(KVM_CAP_EXCEPTION_PAYLOAD, "KVM_CAP_EXCEPTION_PAYLOAD");
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &set);
	set.flags |= KVM_VCPUEVENT_VALID_PAYLOAD;
	EXPECT(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &set) < 0 && errno == EINVAL,
	       "a payload nobody asked for");
	enable_cap(KVM_CAP_EXCEPTION_PAYLOAD);
	set.exception.pending = 1;
	set.exception.nr = 14;
	set.exception.has_error_code = 1;
	set.exception.error_code = 2;
	set.exception_has_payload = 1;
	set.exception_payload = 0x7654321;
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &set);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &got);
	EXPECT(got.exception.pending && !got.exception.injected && got.exception.nr == 14 &&
	       got.exception_has_payload && got.exception_payload == 0x7654321,
	       "pending %u injected %u vector %u payload %u %llx", got.exception.pending,
	       got.exception.injected, got.exception.nr, got.exception_has_payload,
	       (u64)got.exception_payload);
}

static void triple_fault(const void *arg)
{
	struct vcpu *vcpu = start(0);
	struct kvm_vcpu_events e;

	need_cap(KVM_CAP_X86_TRIPLE_FAULT_EVENT, "KVM_CAP_X86_TRIPLE_FAULT_EVENT");
	enable_cap(KVM_CAP_X86_TRIPLE_FAULT_EVENT);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	EXPECT(e.flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT && !e.triple_fault.pending,
	       "flags %x pending %u", e.flags, e.triple_fault.pending);
	e.triple_fault.pending = 1;
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &e);
	e.triple_fault.pending = 0;
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	EXPECT_EQ(e.triple_fault.pending, 1, "triple_fault.pending");
	vcpu_expect_exit(vcpu, KVM_EXIT_SHUTDOWN);
}

/* An INIT that has come acts at the latest when the MP state is read. */
static void latched_init(const void *arg)
{
	struct vcpu *vcpu = start(VM_IRQCHIP);
	struct kvm_vcpu_events e;
	struct kvm_mp_state s;
	struct kvm_regs r;

	vcpu = vm_add_vcpu(&vm);
	s.mp_state = KVM_MP_STATE_RUNNABLE;
	MUST(vcpu->fd, KVM_SET_MP_STATE, &s);
	vcpu_long_mode(vcpu, HLT_AT);
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	e.flags |= KVM_VCPUEVENT_VALID_SMM;
	e.smi.smm = 1;
	EXPECT(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &e) < 0 || !device_is_nestvm(vm.dev),
	       "system-management mode");
	e.smi.smm = 0;
	e.smi.latched_init = 1;
	MUST(vcpu->fd, KVM_SET_VCPU_EVENTS, &e);
	if (!device_is_nestvm(vm.dev))
		return;
	e.smi.latched_init = 0;
	MUST(vcpu->fd, KVM_GET_VCPU_EVENTS, &e);
	EXPECT_EQ(e.smi.latched_init, 1, "latched_init");
	MUST(vcpu->fd, KVM_GET_MP_STATE, &s);
	EXPECT_EQ(s.mp_state, KVM_MP_STATE_INIT_RECEIVED, "the MP state");
	MUST(vcpu->fd, KVM_GET_REGS, &r);
	EXPECT_EQ(r.rip, 0xfff0, "RIP");
}

#define VECTOR	0x61

static bool irr(struct vcpu *vcpu)
{
	struct kvm_lapic_state l;

	MUST(vcpu->fd, KVM_GET_LAPIC, &l);
	return *(u32 *)(l.regs + 0x200 + VECTOR / 32 * 16) >> VECTOR % 32 & 1;
}

/* A line that is up: a level still waits to be told, an edge has been. */
static void ioapic_lines(const void *arg)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct kvm_irq_level up = { .irq = 5, .level = 1 };
	struct vcpu *vcpu = start(VM_IRQCHIP);
	struct kvm_lapic_state l;

	if (!device_is_nestvm(vm.dev))
		ktap_skip("the API leaves this open");
	MUST(vcpu->fd, KVM_GET_LAPIC, &l);
	*(u32 *)(l.regs + 0xf0) = 0x1ff;
	MUST(vcpu->fd, KVM_SET_LAPIC, &l);
	MUST(vm.fd, KVM_GET_IRQCHIP, &chip);
	chip.chip.ioapic.redirtbl[5].bits = VECTOR;
	chip.chip.ioapic.irr = 1 << 5;
	MUST(vm.fd, KVM_SET_IRQCHIP, &chip);
	EXPECT(!irr(vcpu), "an edge was sent again");
	MUST(vm.fd, KVM_IRQ_LINE, &up);
	EXPECT(!irr(vcpu), "an edge where the line was up");
	chip.chip.ioapic.redirtbl[5].bits = VECTOR | 1 << 15;
	MUST(vm.fd, KVM_SET_IRQCHIP, &chip);
	EXPECT(irr(vcpu), "a level that nobody was told of is lost");
	MUST(vcpu->fd, KVM_SET_LAPIC, &l);
	chip.chip.ioapic.redirtbl[5].bits |= 1 << 14;		/* remote IRR */
	MUST(vm.fd, KVM_SET_IRQCHIP, &chip);
	EXPECT(!irr(vcpu), "a level that waits for its EOI is sent again");
}

static bool pic_irq0(void)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_PIC_MASTER };

	MUST(vm.fd, KVM_GET_IRQCHIP, &chip);
	return chip.chip.pic.irr & 1;
}

static long long mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void sleep_ms(long ms)
{
	struct timespec ts = { .tv_nsec = ms * 1000000 };

	nanosleep(&ts, NULL);
}

/* The timer goes on from when its count was loaded; a tick that was given stays given. */
static void pit(const void *arg)
{
	struct kvm_pit_config config = { 0 };
	struct kvm_pit_state2 s;
	long long period = 10000ull * 1000000000 / 1193182;

	vm_create(&vm, VM_IRQCHIP | VM_NO_MEMORY);
	need_cap(KVM_CAP_PIT_STATE2, "KVM_CAP_PIT_STATE2");
	if (!device_is_nestvm(vm.dev))
		ktap_skip("the API leaves this open");
	MUST(vm.fd, KVM_CREATE_PIT2, &config);
	MUST(vm.fd, KVM_GET_PIT2, &s);
	s.channels[0].mode = 4;
	s.channels[0].count = 10000;
	s.channels[0].count_load_time = mono_ns() - 5 * period;
	MUST(vm.fd, KVM_SET_PIT2, &s);
	sleep_ms(30);
	EXPECT(!pic_irq0(), "a single tick of the past comes again");
	s.channels[0].count_load_time = mono_ns();
	MUST(vm.fd, KVM_SET_PIT2, &s);
	sleep_ms(30);
	EXPECT(pic_irq0(), "a single tick of the future does not come");
	s.channels[0].mode = 2;
	s.channels[0].count_load_time = mono_ns() - 100 * period - period / 2;
	MUST(vm.fd, KVM_SET_PIT2, &s);
	MUST(vm.fd, KVM_GET_PIT2, &s);
	EXPECT(mono_ns() - s.channels[0].count_load_time >= period / 2,
	       "the phase of a periodic tick is lost");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "reset_state", reset_state, NULL, 0 },
		{ "sregs_before_cpuid", sregs_before_cpuid, NULL, 0 },
		{ "cpuid_after_run", cpuid_after_run, NULL, 0 },
		{ "regs", regs, NULL, 0 },
		{ "sregs", sregs, NULL, 0 },
		{ "fpu", fpu, NULL, 0 },
		{ "xsave", xsave, NULL, 0 },
		{ "xcrs", xcrs, NULL, 0 },
		{ "debugregs", debugregs, NULL, 0 },
		{ "msrs", msrs, NULL, 0 },
		{ "msr_index_list", msr_index_list, NULL, 0 },
		{ "vcpu_events", vcpu_events, NULL, 0 },
		{ "mp_state", mp_state, NULL, 0 },
		{ "lapic", lapic, NULL, 0 },
		{ "sregs2", sregs2, NULL, 0 },
		{ "tsc", tsc, NULL, 0 },
		{ "payload", payload, NULL, 0 },
		{ "triple_fault", triple_fault, NULL, 0 },
		{ "latched_init", latched_init, NULL, 0 },
		{ "ioapic_lines", ioapic_lines, NULL, 0 },
		{ "pit", pit, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * A machine is saved and goes on in a new one, again and again, at random points of a
 * guest whose L2 runs most of the time; what its guest computes must come out right.
 * And nested state that no L1 comes to is refused, with the vCPU as it was.
 */
#include "lib/guest_run.h"
#include "lib/stats.h"
#include "lib/uapi.h"
#include "lib/vm_state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

GUEST(nested_state);

#define MEMORY	(2u << 20)
#define CYCLES	105

/* ---- the guest's devices ------------------------------------------------------------ */

#define PORT_OUT	0x510
#define PORT_IN		0x514
#define PORT_OUTS	0x518
#define PORT_INS	0x51c
#define MMIO		0xd0000000u

static u32 last_out, last_mmio;
static u8 fifo[64];
static unsigned int fifo_in, fifo_out;
static int verdict;

static u32 answer(u32 v)
{
	return v * 0x2545f491u + 0x1234567u;
}

static void port(struct vm *vm, struct kvm_run *run)
{
	u8 *data = (u8 *)run + run->io.data_offset;
	u32 value = 0, i;

	memcpy(&value, data, run->io.size);
	switch (run->io.port) {
	case GUEST_PORT_SAY:
		ktap_say("  guest: %.200s", value < vm->mem_size ? (char *)vm->mem + value : "?");
		break;
	case GUEST_PORT_END:
		verdict = value;
		break;
	case PORT_OUT:
		last_out = value;
		break;
	case PORT_IN:
		value = answer(last_out);
		memcpy(data, &value, 4);
		break;
	case PORT_OUTS:
		for (i = 0; i < run->io.count; i++)
			fifo[fifo_in++ % sizeof(fifo)] = data[i] ^ 0x5a;
		break;
	case PORT_INS:
		for (i = 0; i < run->io.count; i++)
			data[i] = fifo[fifo_out++ % sizeof(fifo)];
		break;
	}
}

static void serve(struct vcpu *vcpu, int reason)
{
	struct kvm_run *run = vcpu->run;
	u32 value;

	if (reason == KVM_EXIT_IO) {
		port(vcpu->vm, run);
	} else if (reason == KVM_EXIT_MMIO && run->mmio.phys_addr >> 4 == MMIO >> 4) {
		if (run->mmio.is_write)
			memcpy(&last_mmio, run->mmio.data, 4);
		value = answer(last_mmio);
		if (!run->mmio.is_write)
			memcpy(run->mmio.data, &value, 4);
	} else {
		ktap_fail(__FILE__, __LINE__, "the guest leaves for %s", exit_name(reason));
		vcpu_dump(vcpu);
		ktap_stop();
	}
}

/* ---- running for a while --------------------------------------------------------------- */

static struct kvm_run *volatile interrupted;
static timer_t timer;

/* A signal just before KVM_RUN would be lost but for this. */
static void on_signal(int sig)
{
	if (interrupted)
		interrupted->immediate_exit = 1;
}

static void start_timer(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGUSR2, &sa, NULL);
	ASSERT(!timer_create(CLOCK_MONOTONIC, &ev, &timer), "%s", strerror(errno));
}

static u64 seed = 0x1234;

static u32 random32(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 33;
}

/* Run for about @ns, then finish what has begun. False: the guest has ended. */
static bool run_for(struct vcpu *vcpu, long ns)
{
	struct itimerspec when = { .it_value.tv_nsec = ns };
	int ret;

	interrupted = vcpu->run;
	timer_settime(timer, 0, &when, NULL);
	while (verdict < 0) {
		ret = vcpu_run(vcpu);
		if (ret == -EINTR && (vcpu->run->immediate_exit || ktap_late()))
			break;
		if (ret == -EINTR)
			continue;
		ASSERT(ret >= 0, "KVM_RUN: %s. %s", strerror(-ret), refusal_text(vcpu->fd));
		serve(vcpu, ret);
	}
	interrupted = NULL;
	if (ktap_late())
		vcpu_dump(vcpu);
	ASSERT(!ktap_late(), "it does not come to an end");
	vcpu_drain(vcpu, serve);
	return verdict < 0;
}

static struct vcpu *start(struct vm *vm, const char *name)
{
	verdict = -1;
	fifo_in = 0;
	fifo_out = 0;
	vm_create_sized(vm, VM_IRQCHIP | VM_EXPOSE, MEMORY);
	if (!device_cap(vm->dev, KVM_CAP_NESTED_STATE))
		ktap_skip("no KVM_CAP_NESTED_STATE");
	vm_state_prepare(vm);
	start_timer();
	return guest_load(vm, &guest_nested_state, name);
}

static void finish(struct vm *vm)
{
	guest_params(vm)->args[0] = 1;
	while (run_for(&vm->vcpus[0], 200000000))
		;
	EXPECT_EQ(verdict, GUEST_PASSED, "the guest's verdict");
}

/*
 * A new VM first meets an EPT violation for each page it touches. A third of the pauses
 * come quickly, for points in the middle of things.
 */
static long some_ns(void)
{
	return random32() % 3 ? 500000 + random32() % 2000000 : 1000 + random32() % 500000;
}

static void cycles(struct vm *vm, unsigned int count, unsigned int without)
{
	unsigned int i, in_l2 = 0, pending = 0, halted = 0, events = 0;
	static struct vm_state s;

	for (i = 0; i < count; i++) {
		if (!run_for(&vm->vcpus[0], some_ns()))
			break;
		vm_state_save(vm, &s);
		vm_destroy(vm);
		in_l2 += vm_state_in_l2(&s);
		pending += !!(s.vcpu[0].nested.head.flags & KVM_STATE_NESTED_RUN_PENDING);
		halted += s.vcpu[0].mp.mp_state == KVM_MP_STATE_HALTED;
		events += s.vcpu[0].events.interrupt.injected ||
			  s.vcpu[0].events.exception.injected;
		vm_state_restore(vm, &s, without);
		vm_state_free(&s);
	}
	finish(vm);
	ktap_say("%u cycles, %u with L2 running, %u entries pending, %u in HLT, %u events under way; %llu steps, %llu ticks, %llu interrupts of L2",
		 i, in_l2, pending, halted, events, guest_params(vm)->results[0],
		 guest_params(vm)->results[1], guest_params(vm)->results[2]);
	EXPECT(i == count && in_l2 > count / 3, "%u cycles, %u with L2 running", i, in_l2);
}

static void again_and_again(const void *name)
{
	struct vm vm;

	start(&vm, name);
	cycles(&vm, CYCLES, 0);
}

/* ---- that it can fail -------------------------------------------------------------------- */

struct part {
	const char *guest;
	unsigned int without;
};

static void some_cycles(const void *arg)
{
	const struct part *part = arg;
	struct vm vm;

	start(&vm, part->guest);
	cycles(&vm, 40, part->without);
}

/*
 * With a part of the state left out the workload must go wrong, or get stuck; not each
 * time where the part is empty at most points, as that of the events under way is.
 */
static void notices(const void *arg)
{
	const struct part *part = arg;
	unsigned int tries = 8;
	bool failed;

	do
		failed = ktap_try(some_cycles, arg, part->without ? 5 : 30);
	while (part->without && !failed && --tries);
	EXPECT(failed == !!part->without, "it %s",
	       part->without ? "goes well without a part of the state" : "fails");
}

/* ---- what is refused ----------------------------------------------------------------------- */

typedef struct vcpu_state state_t;

/* In the page: see kmod/nested/state_page.h. */
struct page {
	u32 revision, format, count, launch_state;
	struct pair {
		u32 encoding, reserved;
		u64 value;
	} pair[255];
};

static struct pair *field(state_t *s, u32 encoding)
{
	struct page *p = (struct page *)s->nested.page;
	u32 i;

	for (i = 0; i < p->count; i++)
		if (p->pair[i].encoding == encoding)
			return &p->pair[i];
	p->pair[p->count].encoding = encoding;
	return &p->pair[p->count++];
}

#define BAD(name, how) static void name(state_t *s) { struct page *p = (void *)s->nested.page;	\
	struct kvm_nested_state *h = &s->nested.head; (void)p; (void)h; how; }
#define VMX	h->hdr.vmx
#define NONE	(~0ull)

BAD(size_of_nothing, h->size = 0)
BAD(size_short_header, h->size = sizeof(*h) - 1)
BAD(size_without_page, h->size = sizeof(*h))
BAD(size_short_page, h->size = sizeof(*h) + 4095)
BAD(format_svm, h->format = 1)
BAD(format_unknown, h->format = 0xffff)
BAD(flag_evmcs, h->flags |= KVM_STATE_NESTED_EVMCS)
BAD(flag_gif, h->flags |= KVM_STATE_NESTED_GIF_SET)
BAD(flag_unknown, h->flags |= 0x8000)
BAD(pending_without_l2, h->flags = KVM_STATE_NESTED_RUN_PENDING)
BAD(mtf_without_l2, h->flags = KVM_STATE_NESTED_MTF_PENDING)
BAD(smm, VMX.smm.flags = KVM_STATE_NESTED_SMM_GUEST_MODE)
BAD(header_flag, VMX.flags |= 2)
BAD(timer_without_l2, h->flags = 0; VMX.flags = 1)
BAD(vmxon_unaligned, VMX.vmxon_pa |= 0x800)
BAD(vmxon_too_high, VMX.vmxon_pa = 1ull << 60)
BAD(vmxon_none, VMX.vmxon_pa = NONE)
BAD(vmcs_unaligned, VMX.vmcs12_pa |= 8)
BAD(vmcs_too_high, VMX.vmcs12_pa = 1ull << 60)
BAD(vmcs_is_vmxon, VMX.vmcs12_pa = VMX.vmxon_pa)
BAD(vmcs_none, VMX.vmcs12_pa = NONE)
BAD(revision, p->revision ^= 1)
BAD(shadow_revision, p->revision |= 1u << 31)
BAD(page_format, p->format++)
BAD(too_many_pairs, p->count = 256)
BAD(never_launched, p->launch_state = 0)
BAD(launch_state, p->launch_state = 7)
BAD(unknown_field, field(s, 0x681e)->encoding = 0x0ffe)
BAD(field_twice, *field(s, 0x681e) = *field(s, 0x681c))
BAD(wide_field, field(s, 0x4000)->value |= 1ull << 40)
BAD(reserved_word, p->pair[3].reserved = 1)
BAD(pin_reserved, field(s, 0x4000)->value |= 1u << 31)
BAD(proc_all, field(s, 0x4002)->value = 0xffffffff)
BAD(entry_smm, field(s, 0x4012)->value |= 1u << 10)
BAD(host_rip, field(s, 0x6c16)->value = 1ull << 60)
BAD(host_cr4, field(s, 0x6c04)->value = 0)
BAD(guest_cr0, field(s, 0x6800)->value = 1u << 31)
BAD(guest_cr4, field(s, 0x6804)->value = ~0ull)
BAD(guest_rflags, field(s, 0x6820)->value = 0)
BAD(guest_cs, field(s, 0x4816)->value = 0)
BAD(guest_tr, field(s, 0x4822)->value = 0x10000)
BAD(guest_activity, field(s, 0x4826)->value = 3)
BAD(guest_interruptibility, field(s, 0x4824)->value = 3)
BAD(link_pointer, field(s, 0x2800)->value = 0x123)
BAD(pat, field(s, 0x10000)->value = 0x0202020202020202ull)
BAD(efer, field(s, 0x10001)->value ^= 1u << 10)
BAD(dr7, field(s, 0x10002)->value = 1ull << 32)
BAD(debugctl, field(s, 0x10003)->value = 1ull << 20)
BAD(event_type, field(s, 0x10008)->value = 0x80000100u | 0x20)
BAD(event_wide, field(s, 0x10008)->value = 1ull << 40)
BAD(event_vector, field(s, 0x10008)->value = 0x80000300u | 0xff)
BAD(nmi_blocked, field(s, 0x1000c)->value = 2)
BAD(unknown_state, field(s, 0x10020)->value = 1)

static const struct bad {
	const char *name;
	void (*spoil)(state_t *s);
} bad[] = {
#define ROW(name) { #name, name }
	ROW(size_of_nothing), ROW(size_short_header), ROW(size_without_page), ROW(size_short_page),
	ROW(format_svm), ROW(format_unknown), ROW(flag_evmcs), ROW(flag_gif), ROW(flag_unknown),
	ROW(pending_without_l2), ROW(mtf_without_l2), ROW(smm), ROW(header_flag),
	ROW(timer_without_l2), ROW(vmxon_unaligned), ROW(vmxon_too_high), ROW(vmxon_none),
	ROW(vmcs_unaligned), ROW(vmcs_too_high), ROW(vmcs_is_vmxon), ROW(vmcs_none),
	ROW(revision), ROW(shadow_revision), ROW(page_format), ROW(too_many_pairs),
	ROW(never_launched), ROW(launch_state), ROW(unknown_field), ROW(field_twice),
	ROW(wide_field), ROW(reserved_word), ROW(pin_reserved), ROW(proc_all), ROW(entry_smm),
	ROW(host_rip), ROW(host_cr4), ROW(guest_cr0), ROW(guest_cr4), ROW(guest_rflags),
	ROW(guest_cs), ROW(guest_tr), ROW(guest_activity), ROW(guest_interruptibility),
	ROW(link_pointer), ROW(pat), ROW(efer), ROW(dr7), ROW(debugctl), ROW(event_type),
	ROW(event_wide), ROW(event_vector), ROW(nmi_blocked), ROW(unknown_state),
};

static void run_into_l2(struct vm *vm, struct vm_state *s)
{
	do {
		ASSERT(run_for(&vm->vcpus[0], some_ns()), "the guest has ended");
		vm_state_save(vm, s);
	} while (!vm_state_in_l2(s) || s->vcpu[0].mp.mp_state == KVM_MP_STATE_HALTED ||
		 s->vcpu[0].events.interrupt.injected || s->vcpu[0].events.exception.injected);
}

/* After all these refusals L2 goes on as if nothing had been. */
static void bad_state(const void *arg)
{
	static struct vm_state s;
	static state_t spoilt;
	struct vcpu *vcpu;
	struct vm vm;
	unsigned int i;

	vcpu = start(&vm, "_ept_deadline");
	run_into_l2(&vm, &s);
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		int ret;

		spoilt = s.vcpu[0];
		bad[i].spoil(&spoilt);
		ret = ioctl(vcpu->fd, KVM_SET_NESTED_STATE, &spoilt.nested);
		EXPECT(ret < 0 && errno == EINVAL, "%s: %d, %s", bad[i].name, ret, strerror(errno));
		EXPECT_EQ(last_refusal(vcpu->fd).id, NESTVM_REFUSED_NESTED_STATE, bad[i].name);
	}
	EXPECT(ioctl(vcpu->fd, KVM_SET_NESTED_STATE, NULL) < 0 && errno == EFAULT, "nowhere");
	/* The state that is there already can be set again. */
	MUST(vcpu->fd, KVM_SET_NESTED_STATE, &s.vcpu[0].nested);
	finish(&vm);
}

/* Random words in the page: taken or refused, the host lives, and so does the vCPU. */
static void garbage(const void *arg)
{
	static struct vm_state s;
	unsigned int i, k, taken = 0;
	static state_t spoilt;
	struct vcpu *vcpu;
	struct vm vm;

	vcpu = start(&vm, "_ept_deadline");
	run_into_l2(&vm, &s);
	for (i = 0; i < 200; i++) {
		struct page *p = (struct page *)spoilt.nested.page;

		spoilt = s.vcpu[0];
		for (k = random32() % 3; k < 3; k++) {
			struct pair *pair = &p->pair[random32() % p->count];

			pair->value = random32() % 2 ? pair->value ^ 1ull << random32() % 64 :
						       (u64)random32() << 32 | random32();
		}
		if (ioctl(vcpu->fd, KVM_SET_NESTED_STATE, &spoilt.nested))
			continue;
		/* What was taken must be able to run, be it into a fault of the guest. */
		taken++;
		vcpu->run->immediate_exit = i % 2;
		alarm(1);
		ioctl(vcpu->fd, KVM_RUN, 0);
		alarm(KTAP_TIMEOUT);
		vcpu->run->immediate_exit = 0;
	}
	ktap_say("%u of %u were taken", taken, i);
	vm_destroy(&vm);
	vm_state_restore(&vm, &s, 0);
	finish(&vm);
}

static void size_too_small(const void *arg)
{
	static struct vm_state s;
	struct kvm_nested_state h;
	struct vcpu *vcpu;
	struct vm vm;

	vcpu = start(&vm, "_ept_deadline");
	EXPECT_EQ(device_cap(vm.dev, KVM_CAP_NESTED_STATE), sizeof(h) + 4096, "the capability");
	h.size = sizeof(h) - 1;
	EXPECT(ioctl(vcpu->fd, KVM_GET_NESTED_STATE, &h) < 0 && errno == E2BIG, "%d", errno);
	EXPECT_EQ(h.size, sizeof(h), "the size outside VMX operation");
	MUST(vcpu->fd, KVM_GET_NESTED_STATE, &h);
	EXPECT_EQ(h.hdr.vmx.vmxon_pa, NONE, "the VMXON pointer");
	/* Its own state can always be set. */
	MUST(vcpu->fd, KVM_SET_NESTED_STATE, &h);
	run_into_l2(&vm, &s);
	h.size = sizeof(h);
	EXPECT(ioctl(vcpu->fd, KVM_GET_NESTED_STATE, &h) < 0 && errno == E2BIG, "%d", errno);
	EXPECT_EQ(h.size, sizeof(h) + 4096, "the size with a VMCS");
	finish(&vm);
}

/* L2's state was checked against the CPUID that is set, and its vmcs02 made from it. */
static void cpuid_after_state(const void *arg)
{
	static struct vm_state s;
	struct kvm_cpuid2 *cpuid;
	struct vcpu *vcpu;
	struct vm vm;

	vcpu = start(&vm, "_ept_deadline");
	run_into_l2(&vm, &s);
	vm_destroy(&vm);
	vm_state_restore(&vm, &s, 0);
	vcpu = &vm.vcpus[0];
	cpuid = vm_cpuid(&vm);
	MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
	cpuid_entry(cpuid, 7, 0)->ebx = 0;
	cpuid_entry(cpuid, 0x80000001, 0)->edx &= ~(1u << 27);
	if (device_is_nestvm(vm.dev))
		EXPECT_REFUSED(vcpu->fd, KVM_SET_CPUID2, cpuid, EBUSY, NESTVM_REFUSED_HAS_RUN);
	finish(&vm);
}

/* A VM without VT-x has none to restore. */
static void not_exposed(const void *arg)
{
	static struct vm_state s;
	struct vm vm, plain;
	struct vcpu *vcpu;

	start(&vm, "_ept_deadline");
	run_into_l2(&vm, &s);
	vm_create_sized(&plain, VM_IRQCHIP, MEMORY);
	vcpu = vm_add_vcpu(&plain);
	EXPECT_REFUSED(vcpu->fd, KVM_SET_NESTED_STATE, &s.vcpu[0].nested, EINVAL,
		       NESTVM_REFUSED_NESTED_STATE);
}

/* ---- where the time went ------------------------------------------------------------------ */

static u64 host_tsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static void read_elsewhere(const void *fd)
{
	EXPECT(stat_in(*(const int *)fd, "time_l2") - 1 < ~0ull - 1, "time_l2 is %llx",
	       stat_in(*(const int *)fd, "time_l2"));
}

/* One vCPU: the VM's sums are its counters. Another process may read them. */
static void statistics(const void *arg)
{
	static const char * const same[] = {
		"entries", "nested_entries", "nested_exits", "exit_l2_CPUID", "time_l0", "time_l1",
		"time_l2", "time_halted", "injected", "ept_faults", "ept02_faults",
	};
	u64 began, l0, l1, l2, halted;
	struct vcpu *vcpu;
	struct vm vm;
	unsigned int i;
	int fd;

	vcpu = start(&vm, "_ept_deadline");
	began = host_tsc();
	for (i = 0; i < 40; i++)
		run_for(vcpu, 1000000);
	began = host_tsc() - began;
	for (i = 0; i < ARRAY_LEN(same); i++)
		EXPECT(vm_stat(&vm, same[i]) == vcpu_stat(vcpu, same[i]) &&
		       vm_stat(&vm, same[i]) != ~0ull, "%s: the VM's %lld, the vCPU's %lld",
		       same[i], vm_stat(&vm, same[i]), vcpu_stat(vcpu, same[i]));
	EXPECT_EQ(vm_stat(&vm, "vcpus"), 1, "vcpus");
	EXPECT_EQ(vm_stat(&vm, "pinned_pages"), vm_info(vm.fd).pinned_pages, "pinned_pages");
	EXPECT_EQ(vm_stat(&vm, "table_pages"), vm_info(vm.fd).table_pages, "table_pages");
	EXPECT(vcpu_stat(vcpu, "table_pages") == ~0ull, "a vCPU has no tables of its own");

	l0 = vm_stat(&vm, "time_l0");
	l1 = vm_stat(&vm, "time_l1");
	l2 = vm_stat(&vm, "time_l2");
	halted = vm_stat(&vm, "time_halted");
	ktap_say("ticks: %llu in L0, %llu in L1, %llu in L2, %llu halted, of %llu", l0, l1, l2,
		 halted, began);
	EXPECT(l0 && l1 && l2, "a level has had no time");
	EXPECT(l0 + l1 + l2 + halted <= began, "more time than there was");
	fd = MUST(vm.fd, KVM_GET_STATS_FD, 0);
	EXPECT(!ktap_try(read_elsewhere, &fd, 10), "another process cannot read it");
	finish(&vm);
}

/* ---- less VT-x than the host has ----------------------------------------------------------- */

#define MSR_BASIC	0x480
#define MSR_PROC2	0x48b
#define MSR_TRUE_PIN	0x48d
#define PIN_TIMER	(1ull << (32 + 6))
#define PROC2_EPT	(1ull << (32 + 1))
#define PROC2_FREE	(1ull << (32 + 7))	/* unrestricted guest, which needs EPT */

static void restricted(const void *arg)
{
	struct vcpu *vcpu;
	struct vm vm;
	u64 pin, proc2;

	vcpu = start(&vm, "_restricted");
	pin = vcpu_get_msr(vcpu, MSR_TRUE_PIN);
	proc2 = vcpu_get_msr(vcpu, MSR_PROC2);
	if (!(pin & PIN_TIMER) || !(proc2 & PROC2_EPT))
		ktap_skip("the host has no preemption timer or no EPT to be withheld");
	EXPECT(vcpu_set_msr(vcpu, MSR_TRUE_PIN, pin | 1ull << 63) == 0, "more than the host has");
	EXPECT_EQ(last_refusal(vcpu->fd).id, NESTVM_REFUSED_STATE, "the reason");
	EXPECT(vcpu_set_msr(vcpu, MSR_TRUE_PIN, pin & ~1ull) == 0 || !(pin & 1),
	       "a bit that must be 1");
	EXPECT(vcpu_set_msr(vcpu, MSR_BASIC, vcpu_get_msr(vcpu, MSR_BASIC) ^ 1) == 0,
	       "a revision of another layout");
	EXPECT_EQ(vcpu_get_msr(vcpu, MSR_TRUE_PIN), pin, "the MSR after refusals");
	EXPECT(vcpu_set_msr(vcpu, MSR_TRUE_PIN, pin & ~PIN_TIMER) == 1, "%s",
	       refusal_text(vcpu->fd));
	EXPECT(vcpu_set_msr(vcpu, MSR_PROC2, proc2 & ~(PROC2_EPT | PROC2_FREE)) == 1, "%s",
	       refusal_text(vcpu->fd));
	finish(&vm);
	/* It has run: what it is offered stays. */
	EXPECT(vcpu_set_msr(vcpu, MSR_TRUE_PIN, pin) == 0, "given back after it has run");
	EXPECT_EQ(last_refusal(vcpu->fd).id, NESTVM_REFUSED_HAS_RUN, "the reason");
	EXPECT(vcpu_set_msr(vcpu, MSR_TRUE_PIN, pin & ~PIN_TIMER) == 1, "the value it has");
}

/* The device file tells the most that can be offered. */
static void feature_msrs(const void *arg)
{
	struct {
		struct kvm_msr_list head;
		u32 index[64];
	} list = { .head.nmsrs = 64 };
	struct vcpu *vcpu;
	struct vm vm;
	u32 i;

	vm_create_sized(&vm, VM_EXPOSE, MEMORY);
	vcpu = vm_add_vcpu(&vm);
	if (!device_cap(vm.dev, KVM_CAP_GET_MSR_FEATURES))
		ktap_skip("no KVM_CAP_GET_MSR_FEATURES");
	MUST(vm.dev, KVM_GET_MSR_FEATURE_INDEX_LIST, &list);
	EXPECT(list.head.nmsrs >= 16, "%u MSRs", list.head.nmsrs);
	for (i = 0; i < list.head.nmsrs; i++) {
		struct {
			struct kvm_msrs head;
			struct kvm_msr_entry e;
		} m = { .head.nmsrs = 1, .e.index = list.index[i] };

		EXPECT(ioctl(vm.dev, KVM_GET_MSRS, &m) == 1, "MSR %#x", list.index[i]);
		/* CR4_FIXED1 follows the vCPU's CPUID. */
		if (list.index[i] != 0x489 && device_is_nestvm(vm.dev))
			EXPECT(vcpu_get_msr(vcpu, list.index[i]) == m.e.data,
			       "MSR %#x is %#llx, the device's %#llx", list.index[i],
			       vcpu_get_msr(vcpu, list.index[i]), (u64)m.e.data);
	}
}

int main(int argc, char **argv)
{
	static const struct part nothing = { "_ept_deadline", 0 };
	static const struct part nested = { "_ept_deadline", STATE_NESTED };
	static const struct part lapic = { "_plain_periodic", STATE_LAPIC };
	static const struct part tsc = { "_ept_deadline", STATE_TSC };
	static const struct part regs = { "_plain_periodic", STATE_REGS };
	static const struct part sregs = { "_plain_periodic", STATE_SREGS };
	static const struct part events = { "_plain_periodic", STATE_EVENTS };
	static const struct part memory = { "_ept_deadline", STATE_MEMORY };
	static const struct part msrs = { "_ept_deadline", STATE_OF_MSRS };
	static const struct part xsave = { "_plain_periodic", STATE_XSAVE };
	static const struct ktap_case cases[] = {
		{ "ept_and_deadline", again_and_again, "_ept_deadline", 300 },
		{ "plain_and_periodic", again_and_again, "_plain_periodic", 300 },
		{ "notices_nothing_lost", notices, &nothing, 60 },
		{ "notices_lost_nested_state", notices, &nested, 60 },
		{ "notices_lost_lapic", notices, &lapic, 60 },
		{ "notices_lost_tsc", notices, &tsc, 60 },
		{ "notices_lost_regs", notices, &regs, 60 },
		{ "notices_lost_sregs", notices, &sregs, 60 },
		{ "notices_lost_events", notices, &events, 60 },
		{ "notices_lost_memory", notices, &memory, 60 },
		{ "notices_lost_msrs", notices, &msrs, 60 },
		{ "notices_lost_xsave", notices, &xsave, 60 },
		{ "bad_state", bad_state, NULL, 60 },
		{ "garbage", garbage, NULL, 200 },
		{ "size_too_small", size_too_small, NULL, 60 },
		{ "cpuid_after_state", cpuid_after_state, NULL, 60 },
		{ "not_exposed", not_exposed, NULL, 0 },
		{ "statistics", statistics, NULL, 60 },
		{ "restricted", restricted, NULL, 60 },
		{ "feature_msrs", feature_msrs, NULL, 0 },
	};

	return guest_main(&guest_nested_state, cases, ARRAY_LEN(cases), argc, argv);
}

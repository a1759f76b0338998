// SPDX-License-Identifier: GPL-2.0
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest/params.h"

#define CPUID_ENTRIES	256
#define CPUID1_ECX_VMX	(1u << 5)
#define CPUID1_ECX_TSC_DEADLINE (1u << 24)

int device_open(void)
{
	int fd = open(ktap_device, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ktap_skip("%s cannot be opened: %s", ktap_device, strerror(errno));
	return fd;
}

bool device_is_nestvm(int dev)
{
	struct nestvm_device_info info = { .size = sizeof(info) };

	return !ioctl(dev, NESTVM_GET_DEVICE_INFO, &info);
}

int device_cap(int dev, unsigned int cap)
{
	int ret = ioctl(dev, KVM_CHECK_EXTENSION, cap);

	return ret < 0 ? 0 : ret;
}

const char *refusal_text(int fd)
{
	static struct nestvm_refusal r;

	r.size = sizeof(r);
	if (ioctl(fd, NESTVM_GET_REFUSAL, &r))
		return "";
	return r.text;
}

int must_ioctl(int fd, unsigned long cmd, const char *name, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	if (ret < 0) {
		int err = errno;

		ktap_fail(__FILE__, __LINE__, "%s failed: %s. %s", name, strerror(err),
			  refusal_text(fd));
		ktap_stop();
	}
	return ret;
}

void vm_set_slot(struct vm *vm, u32 slot, u32 flags, u64 gpa, u64 size, void *hva)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	MUST(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

/* A KVM API without the NESTVM_ commands offers VT-x to everyone or to nobody. */
static void vm_expose(struct vm *vm)
{
	struct nestvm_expose expose = { .size = sizeof(expose), .enable = 1 };
	struct kvm_cpuid_entry2 *leaf1;

	if (device_is_nestvm(vm->dev)) {
		if (ioctl(vm->fd, NESTVM_SET_EXPOSE, &expose)) {
			if (errno == EPERM || errno == EOPNOTSUPP)
				ktap_skip("VT-x cannot be exposed: %s", refusal_text(vm->fd));
			MUST(vm->fd, NESTVM_SET_EXPOSE, &expose);
		}
		return;
	}
	leaf1 = cpuid_entry(vm_cpuid(vm), 1, 0);
	if (!leaf1 || !(leaf1->ecx & CPUID1_ECX_VMX))
		ktap_skip("%s does not offer VT-x to guests", ktap_device);
}

void vm_create_sized(struct vm *vm, unsigned int flags, size_t mem_size)
{
	memset(vm, 0, sizeof(*vm));
	vm->flags = flags;
	vm->dev = device_open();
	EXPECT_EQ(MUST(vm->dev, KVM_GET_API_VERSION, 0), KVM_API_VERSION, "the API version");
	vm->fd = MUST(vm->dev, KVM_CREATE_VM, 0);

	/* Stock KVM on a CPU without unrestricted guest asks for these two. */
	if (device_cap(vm->dev, KVM_CAP_SET_TSS_ADDR))
		MUST(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000u);
	if (device_cap(vm->dev, KVM_CAP_SET_IDENTITY_MAP_ADDR)) {
		u64 identity = 0xfffbc000u;

		MUST(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &identity);
	}

	if (flags & VM_IRQCHIP) {
		if (!device_cap(vm->dev, KVM_CAP_IRQCHIP))
			ktap_skip("%s has no in-kernel irqchip (KVM_CAP_IRQCHIP)", ktap_device);
		MUST(vm->fd, KVM_CREATE_IRQCHIP, 0);
	}
	if (flags & VM_SPLIT) {
		struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args[0] = 24 };

		if (!device_cap(vm->dev, KVM_CAP_SPLIT_IRQCHIP))
			ktap_skip("%s has no KVM_CAP_SPLIT_IRQCHIP", ktap_device);
		MUST(vm->fd, KVM_ENABLE_CAP, &cap);
	}
	if (flags & VM_EXPOSE)
		vm_expose(vm);
	if ((flags & VM_DYNAMIC) && device_is_nestvm(vm->dev)) {
		struct nestvm_memory_mode mode = { sizeof(mode), NESTVM_MEMORY_DYNAMIC };

		MUST(vm->fd, NESTVM_SET_MEMORY_MODE, &mode);
	}
	if (flags & VM_NO_MEMORY)
		return;

	vm->mem_size = mem_size;
	vm->mem = mmap(NULL, mem_size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT(vm->mem != MAP_FAILED, "%s", strerror(errno));
	vm_set_slot(vm, 0, 0, 0, mem_size, vm->mem);
}

void vm_create(struct vm *vm, unsigned int flags)
{
	vm_create_sized(vm, flags, VM_MEMORY);
}

struct kvm_cpuid_entry2 *cpuid_entry(struct kvm_cpuid2 *cpuid, u32 leaf, u32 index)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf && cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	return NULL;
}

struct kvm_cpuid2 *vm_cpuid(struct vm *vm)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) +
					  CPUID_ENTRIES * sizeof(cpuid->entries[0]));
	struct kvm_cpuid_entry2 *leaf1;

	cpuid->nent = CPUID_ENTRIES;
	MUST(vm->dev, KVM_GET_SUPPORTED_CPUID, cpuid);
	leaf1 = cpuid_entry(cpuid, 1, 0);
	if (leaf1 && (vm->flags & VM_EXPOSE) && device_is_nestvm(vm->dev))
		leaf1->ecx |= CPUID1_ECX_VMX;
	/* The KVM API leaves this bit to whoever creates the APIC. */
	if (leaf1 && (vm->flags & VM_IRQCHIP) && device_cap(vm->dev, KVM_CAP_TSC_DEADLINE_TIMER))
		leaf1->ecx |= CPUID1_ECX_TSC_DEADLINE;
	return cpuid;
}

/* The APIC id of a vCPU is its number; CPUID must agree. */
static void vcpu_set_cpuid(struct vcpu *vcpu, u32 id)
{
	struct kvm_cpuid2 *cpuid = vm_cpuid(vcpu->vm);
	u32 i;

	for (i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 1)
			e->ebx = (e->ebx & 0x00ffffff) | id << 24;
		else if (e->function == 0xb)
			e->edx = id;
	}
	MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
}

struct vcpu *vm_add_vcpu(struct vm *vm)
{
	struct vcpu *vcpu = &vm->vcpus[vm->nr_vcpus];

	ASSERT(vm->nr_vcpus < VM_MAX_VCPUS, "too many vCPUs for the test library");
	vcpu->vm = vm;
	vcpu->fd = MUST(vm->fd, KVM_CREATE_VCPU, vm->nr_vcpus);
	vcpu->run_size = MUST(vm->dev, KVM_GET_VCPU_MMAP_SIZE, 0);
	vcpu->run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	ASSERT(vcpu->run != MAP_FAILED, "mapping the run page: %s", strerror(errno));
	vcpu_set_cpuid(vcpu, vm->nr_vcpus);
	vm->nr_vcpus++;
	return vcpu;
}

void vm_destroy(struct vm *vm)
{
	while (vm->nr_vcpus) {
		struct vcpu *vcpu = &vm->vcpus[--vm->nr_vcpus];

		munmap(vcpu->run, vcpu->run_size);
		close(vcpu->fd);
	}
	close(vm->fd);
	close(vm->dev);
	if (vm->mem)
		munmap(vm->mem, vm->mem_size);
}

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

u64 vcpu_get_msr(struct vcpu *vcpu, u32 msr)
{
	struct one_msr m = { .head.nmsrs = 1, .entry.index = msr };

	ASSERT(ioctl(vcpu->fd, KVM_GET_MSRS, &m) == 1, "MSR %#x: %s", msr, strerror(errno));
	return m.entry.data;
}

/* 1 if it was set, 0 if it was refused, as KVM_SET_MSRS returns. */
int vcpu_set_msr(struct vcpu *vcpu, u32 msr, u64 value)
{
	struct one_msr m = { .head.nmsrs = 1, .entry = { .index = msr, .data = value } };

	return ioctl(vcpu->fd, KVM_SET_MSRS, &m);
}

static void set_rip(struct vcpu *vcpu, u64 rip)
{
	struct kvm_regs regs = { .rip = rip, .rflags = 2, .rsp = 0x7000 };

	MUST(vcpu->fd, KVM_SET_REGS, &regs);
}

void vcpu_real_mode(struct vcpu *vcpu, u64 rip)
{
	struct kvm_sregs sregs;

	MUST(vcpu->fd, KVM_GET_SREGS, &sregs);
	sregs.cs.selector = 0;
	sregs.cs.base = 0;
	MUST(vcpu->fd, KVM_SET_SREGS, &sregs);
	set_rip(vcpu, rip);
}

/* Selectors are those of the table guest/guest.c loads, should a guest want to reload them. */
static void flat_segments(struct kvm_sregs *sregs, bool long_mode)
{
	struct kvm_segment code = {
		.base = 0, .limit = 0xffffffff, .selector = 0x08, .type = 11, .present = 1,
		.db = !long_mode, .s = 1, .l = long_mode, .g = 1,
	};
	struct kvm_segment data = code;

	data.selector = 0x10;
	data.type = 3;
	data.l = 0;
	data.db = 1;
	sregs->cs = code;
	sregs->ds = data;
	sregs->es = data;
	sregs->fs = data;
	sregs->gs = data;
	sregs->ss = data;
}

void vcpu_protected_mode(struct vcpu *vcpu, u64 rip)
{
	struct kvm_sregs sregs;

	MUST(vcpu->fd, KVM_GET_SREGS, &sregs);
	flat_segments(&sregs, false);
	sregs.cr0 |= 1;
	MUST(vcpu->fd, KVM_SET_SREGS, &sregs);
	set_rip(vcpu, rip);
}

static void identity_map(struct vm *vm)
{
	u64 *pml4 = (u64 *)(vm->mem + GUEST_PML4);
	u64 *pdpt = (u64 *)(vm->mem + GUEST_PDPT);
	u64 *pd = (u64 *)(vm->mem + GUEST_PD);
	u64 i;

	pml4[0] = GUEST_PDPT | 7;
	for (i = 0; i < 4; i++)
		pdpt[i] = (GUEST_PD + i * 0x1000) | 7;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | 0x87;
}

void vcpu_long_mode(struct vcpu *vcpu, u64 rip)
{
	struct kvm_sregs sregs;

	identity_map(vcpu->vm);
	MUST(vcpu->fd, KVM_GET_SREGS, &sregs);
	flat_segments(&sregs, true);
	sregs.cr3 = GUEST_PML4;
	sregs.cr4 = 1 << 5 | 1 << 9 | 1 << 10;		/* PAE OSFXSR OSXMMEXCPT */
	sregs.cr0 = 0x80010033;				/* PG WP NE ET MP PE */
	sregs.efer = 1 << 8 | 1 << 10 | 1 << 11;	/* LME LMA NXE */
	MUST(vcpu->fd, KVM_SET_SREGS, &sregs);
	set_rip(vcpu, rip);
}

u64 *vm_tables_in_rom(struct vm *vm, u32 slot, u64 gpa)
{
	u64 *rom = mmap(NULL, VM_TABLES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	unsigned int i;

	ASSERT(rom != MAP_FAILED, "no memory");
	memcpy(rom, vm->mem + GUEST_PML4, VM_TABLES_SIZE);
	for (i = 0; i < VM_TABLES_SIZE / sizeof(*rom); i++)
		if (rom[i])
			rom[i] |= 0x60;
	/* The addresses of the PDPT and of the four page directories. */
	rom[0] += gpa - GUEST_PML4;
	for (i = 512; i < 516; i++)
		rom[i] += gpa - GUEST_PML4;
	vm_set_slot(vm, slot, KVM_MEM_READONLY, gpa, VM_TABLES_SIZE, rom);
	return rom;
}

int vcpu_run(struct vcpu *vcpu)
{
	if (ioctl(vcpu->fd, KVM_RUN, 0) < 0)
		return -errno;
	return vcpu->run->exit_reason;
}

const char *exit_name(u32 reason)
{
	static const char * const names[] = {
		[KVM_EXIT_UNKNOWN] = "UNKNOWN", [KVM_EXIT_EXCEPTION] = "EXCEPTION",
		[KVM_EXIT_IO] = "IO", [KVM_EXIT_HYPERCALL] = "HYPERCALL",
		[KVM_EXIT_DEBUG] = "DEBUG", [KVM_EXIT_HLT] = "HLT", [KVM_EXIT_MMIO] = "MMIO",
		[KVM_EXIT_IRQ_WINDOW_OPEN] = "IRQ_WINDOW_OPEN",
		[KVM_EXIT_SHUTDOWN] = "SHUTDOWN", [KVM_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
		[KVM_EXIT_INTR] = "INTR", [KVM_EXIT_SET_TPR] = "SET_TPR",
		[KVM_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
		[KVM_EXIT_SYSTEM_EVENT] = "SYSTEM_EVENT",
		[KVM_EXIT_IOAPIC_EOI] = "IOAPIC_EOI", [KVM_EXIT_X86_RDMSR] = "X86_RDMSR",
		[KVM_EXIT_X86_WRMSR] = "X86_WRMSR",
	};

	return reason < ARRAY_LEN(names) && names[reason] ? names[reason] : "?";
}

static void dump_exit(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		ktap_say("  port %#x %s size %u count %u", run->io.port,
			 run->io.direction ? "out" : "in", run->io.size, run->io.count);
		break;
	case KVM_EXIT_MMIO:
		ktap_say("  mmio %#llx %s len %u", run->mmio.phys_addr,
			 run->mmio.is_write ? "write" : "read", run->mmio.len);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		ktap_say("  hardware entry failure reason %#llx",
			 run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		ktap_say("  suberror %u data %#llx %#llx %#llx", run->internal.suberror,
			 run->internal.data[0], run->internal.data[1], run->internal.data[2]);
		break;
	default:
		break;
	}
}

void vcpu_dump(struct vcpu *vcpu)
{
	struct kvm_regs r;
	struct kvm_sregs s;

	ktap_say("  exit reason %u (%s)", vcpu->run->exit_reason,
		 exit_name(vcpu->run->exit_reason));
	dump_exit(vcpu->run);
	if (ioctl(vcpu->fd, KVM_GET_REGS, &r) || ioctl(vcpu->fd, KVM_GET_SREGS, &s))
		return;
	ktap_say("  rip %llx rsp %llx rflags %llx cs %x cr0 %llx cr2 %llx cr3 %llx cr4 %llx efer %llx",
		 r.rip, r.rsp, r.rflags, s.cs.selector, s.cr0, s.cr2, s.cr3, s.cr4, s.efer);
	ktap_say("  rax %llx rbx %llx rcx %llx rdx %llx rsi %llx rdi %llx", r.rax, r.rbx, r.rcx,
		 r.rdx, r.rsi, r.rdi);
}

void vcpu_expect_exit(struct vcpu *vcpu, u32 reason)
{
	int got = vcpu_run(vcpu);

	if (got == (int)reason)
		return;
	if (got < 0)
		ktap_fail(__FILE__, __LINE__, "KVM_RUN failed: %s. %s", strerror(-got),
			  refusal_text(vcpu->fd));
	else
		ktap_fail(__FILE__, __LINE__, "KVM_RUN exits for %s, should for %s",
			  exit_name(got), exit_name(reason));
	vcpu_dump(vcpu);
	ktap_stop();
}

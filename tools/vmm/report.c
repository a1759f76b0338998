// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char * const exit_names[] = {
	[KVM_EXIT_UNKNOWN] = "unknown",
	[KVM_EXIT_EXCEPTION] = "exception",
	[KVM_EXIT_IO] = "port I/O",
	[KVM_EXIT_HYPERCALL] = "hypercall",
	[KVM_EXIT_DEBUG] = "debug",
	[KVM_EXIT_HLT] = "HLT",
	[KVM_EXIT_MMIO] = "MMIO",
	[KVM_EXIT_IRQ_WINDOW_OPEN] = "interrupt window",
	[KVM_EXIT_SHUTDOWN] = "shutdown",
	[KVM_EXIT_FAIL_ENTRY] = "failed entry",
	[KVM_EXIT_INTR] = "signal",
	[KVM_EXIT_INTERNAL_ERROR] = "internal error",
	[KVM_EXIT_SYSTEM_EVENT] = "system event",
	[KVM_EXIT_IOAPIC_EOI] = "IOAPIC EOI",
	[KVM_EXIT_X86_RDMSR] = "RDMSR",
	[KVM_EXIT_X86_WRMSR] = "WRMSR",
};

#define NNAMES (sizeof(exit_names) / sizeof(exit_names[0]))

const char *report_exit_name(unsigned int reason)
{
	return reason < NNAMES && exit_names[reason] ? exit_names[reason] : "other";
}

static void put_segment(FILE *f, const char *name, const struct kvm_segment *s)
{
	fprintf(f, "  %-4s %04x base %016llx limit %08x type %x s %u dpl %u p %u db %u l %u g %u%s\n",
		name, s->selector, (unsigned long long)s->base, s->limit, s->type, s->s, s->dpl,
		s->present, s->db, s->l, s->g, s->unusable ? " unusable" : "");
}

static void put_sregs(FILE *f, const struct kvm_sregs *s)
{
	put_segment(f, "cs", &s->cs);
	put_segment(f, "ds", &s->ds);
	put_segment(f, "es", &s->es);
	put_segment(f, "fs", &s->fs);
	put_segment(f, "gs", &s->gs);
	put_segment(f, "ss", &s->ss);
	put_segment(f, "tr", &s->tr);
	put_segment(f, "ldt", &s->ldt);
	fprintf(f, "  gdt  base %016llx limit %04x   idt base %016llx limit %04x\n",
		(unsigned long long)s->gdt.base, s->gdt.limit, (unsigned long long)s->idt.base,
		s->idt.limit);
	fprintf(f, "  cr0 %016llx cr2 %016llx cr3 %016llx\n  cr4 %016llx cr8 %llx efer %llx apic base %llx\n",
		(unsigned long long)s->cr0, (unsigned long long)s->cr2,
		(unsigned long long)s->cr3, (unsigned long long)s->cr4,
		(unsigned long long)s->cr8, (unsigned long long)s->efer,
		(unsigned long long)s->apic_base);
}

static void put_regs(FILE *f, const struct kvm_regs *r)
{
	fprintf(f, "  rip %016llx rflags %08llx\n", (unsigned long long)r->rip,
		(unsigned long long)r->rflags);
	fprintf(f, "  rax %016llx rbx %016llx rcx %016llx rdx %016llx\n",
		(unsigned long long)r->rax, (unsigned long long)r->rbx,
		(unsigned long long)r->rcx, (unsigned long long)r->rdx);
	fprintf(f, "  rsi %016llx rdi %016llx rbp %016llx rsp %016llx\n",
		(unsigned long long)r->rsi, (unsigned long long)r->rdi,
		(unsigned long long)r->rbp, (unsigned long long)r->rsp);
	fprintf(f, "  r8  %016llx r9  %016llx r10 %016llx r11 %016llx\n",
		(unsigned long long)r->r8, (unsigned long long)r->r9,
		(unsigned long long)r->r10, (unsigned long long)r->r11);
	fprintf(f, "  r12 %016llx r13 %016llx r14 %016llx r15 %016llx\n",
		(unsigned long long)r->r12, (unsigned long long)r->r13,
		(unsigned long long)r->r14, (unsigned long long)r->r15);
}

/* Where @linear lies in guest memory: the device's walk, or no paging at all. */
static const uint8_t *code_at(struct cpu *cpu, const struct kvm_sregs *s, uint64_t linear,
			      uint64_t *gpa)
{
	struct kvm_translation tr = { .linear_address = linear };

	if (!(s->cr0 & 1ull << 31))
		*gpa = linear;
	else if (nvl_vcpu_ioctl(cpu->vcpu, KVM_TRANSLATE, &tr, "", NULL) == 0 && tr.valid)
		*gpa = tr.physical_address;
	else
		return NULL;
	return nvl_vm_ptr(cpu->m->vm, *gpa, 1);
}

static void put_code(FILE *f, struct cpu *cpu, const struct kvm_regs *r,
		     const struct kvm_sregs *s)
{
	/* In 64-bit code CS has no base. */
	uint64_t linear = (s->efer & 1 << 10 && s->cs.l ? 0 : s->cs.base) + r->rip;
	uint64_t gpa = 0;
	const uint8_t *p;
	unsigned int i;

	p = code_at(cpu, s, linear, &gpa);
	if (!p) {
		fprintf(f, "  the instruction at %016llx cannot be read: no page there\n",
			(unsigned long long)linear);
		return;
	}
	fprintf(f, "  code at %016llx (guest-physical %llx):", (unsigned long long)linear,
		(unsigned long long)gpa);
	/* Not over the end of the page: the next one may lie elsewhere. */
	for (i = 0; i < 16 && (gpa & 0xfff) + i < 0x1000; i++)
		fprintf(f, " %02x", p[i]);
	fputc('\n', f);
}

static void put_events(FILE *f, struct cpu *cpu)
{
	struct kvm_vcpu_events ev = { 0 };

	if (nvl_vcpu_ioctl(cpu->vcpu, KVM_GET_VCPU_EVENTS, &ev, "", NULL) < 0)
		return;
	if (ev.exception.injected || ev.exception.pending)
		fprintf(f, "  exception %u on its way, error code %xH\n", ev.exception.nr,
			ev.exception.error_code);
	if (ev.interrupt.injected)
		fprintf(f, "  interrupt %u on its way\n", ev.interrupt.nr);
	if (ev.nmi.injected || ev.nmi.pending)
		fprintf(f, "  NMI on its way\n");
}

static void put_exit(FILE *f, struct cpu *cpu)
{
	struct kvm_run *run = nvl_vcpu_run_page(cpu->vcpu);
	uint32_t i;

	fprintf(f, "  last exit: %s (KVM_EXIT %u)\n", report_exit_name(run->exit_reason),
		run->exit_reason);
	if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		fprintf(f, "  hardware reason %llxH on host CPU %u\n",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason,
			run->fail_entry.cpu);
	if (run->exit_reason != KVM_EXIT_INTERNAL_ERROR)
		return;
	fprintf(f, "  suberror %u, data:", run->internal.suberror);
	for (i = 0; i < run->internal.ndata && i < 16; i++)
		fprintf(f, " %llx", (unsigned long long)run->internal.data[i]);
	fputc('\n', f);
}

/* L1 may have failed to enter its own guest before it died itself. */
static void put_nested_failure(FILE *f, struct cpu *cpu)
{
	struct nestvm_entry_failure nf;

	if (nvl_vcpu_entry_failure(cpu->vcpu, &nf, NULL) < 0 || !nf.count)
		return;
	fprintf(f, "  its own VM entries failed %u times, the last by rule %.*s (VM-instruction error %u, exit reason %xH)\n",
		nf.count, (int)sizeof(nf.rule), nf.rule, nf.insn_error, nf.exit_reason);
}

static void put_cpu(FILE *f, struct cpu *cpu)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	if (nvl_vcpu_get_regs(cpu->vcpu, &regs, NULL) < 0 ||
	    nvl_vcpu_get_sregs(cpu->vcpu, &sregs, NULL) < 0) {
		fprintf(f, "  the device does not give its registers\n");
		return;
	}
	put_regs(f, &regs);
	put_sregs(f, &sregs);
	put_code(f, cpu, &regs, &sregs);
	put_events(f, cpu);
	if (regs.rip == 0xfff0 && sregs.cs.base == 0xffff0000)
		fprintf(f, "  (This is the state after a reset: the host CPU does not keep the guest's state over a triple fault.)\n");
}

char *report_guest(struct cpu *cpu, const char *why, const char *meaning)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f, "The guest died on vCPU %u: %s.\n  %s\n", nvl_vcpu_id(cpu->vcpu), why, meaning);
	put_exit(f, cpu);
	put_cpu(f, cpu);
	put_nested_failure(f, cpu);
	fclose(f);
	return text;
}

/* For a run that was cut off: where it was. The vCPUs have stopped. */
void report_where(struct machine *m)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_mp_state mp;
	unsigned int i;

	for (i = 0; i < m->ncpus; i++) {
		struct nvl_vcpu *vcpu = m->cpus[i].vcpu;

		mp.mp_state = KVM_MP_STATE_RUNNABLE;
		if (nvl_vcpu_get_regs(vcpu, &regs, NULL) < 0 ||
		    nvl_vcpu_get_sregs(vcpu, &sregs, NULL) < 0)
			continue;
		nvl_vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &mp, "", NULL);
		fprintf(stderr, "  vCPU %u: rip %016llx cs %04x cr3 %llx rflags %llx, %s\n", i,
			(unsigned long long)regs.rip, sregs.cs.selector,
			(unsigned long long)sregs.cr3, (unsigned long long)regs.rflags,
			mp.mp_state == KVM_MP_STATE_HALTED ? "halted" :
			mp.mp_state == KVM_MP_STATE_UNINITIALIZED ? "not started" :
			mp.mp_state == KVM_MP_STATE_INIT_RECEIVED ? "waiting for its start" :
			"running");
	}
}

static void put_vm_info(struct machine *m)
{
	struct nestvm_vm_info info;

	if (nvl_vm_info(m->vm, &info, NULL) < 0)
		return;
	fprintf(stderr, "  VT-x %s, %s memory, %llu pages pinned, %llu EPT pages\n",
		info.exposed ? "exposed" : "hidden",
		info.memory_mode == NESTVM_MEMORY_STATIC ? "static" : "dynamic",
		(unsigned long long)info.pinned_pages, (unsigned long long)info.table_pages);
}

static void put_stat(void *ctx, const char *name, uint64_t value)
{
	if (value)
		fprintf(ctx, " %s %llu,", name, (unsigned long long)value);
}

/* What the hypervisor counted: exits by reason and level, events, faults. */
static void put_device_stats(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->ncpus; i++) {
		fprintf(stderr, "nestvm: vCPU %u counters:", i);
		if (nvl_vcpu_stats(m->cpus[i].vcpu, put_stat, stderr, NULL) < 0)
			fprintf(stderr, " the device has none");
		fputc('\n', stderr);
	}
}

void report_stats(struct machine *m)
{
	unsigned int i, r;

	fprintf(stderr, "nestvm: exits to the launcher\n");
	for (i = 0; i < m->ncpus; i++) {
		struct cpu *cpu = &m->cpus[i];

		fprintf(stderr, "  vCPU %u:", i);
		for (r = 0; r < sizeof(cpu->exits) / sizeof(cpu->exits[0]); r++)
			if (cpu->exits[r])
				fprintf(stderr, " %s %llu,", report_exit_name(r),
					(unsigned long long)cpu->exits[r]);
		fprintf(stderr, " no such device %llu\n", (unsigned long long)cpu->unclaimed);
	}
	put_vm_info(m);
	put_device_stats(m);
}

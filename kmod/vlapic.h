/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The local APIC: xAPIC and x2APIC, timer in all three modes, IPIs.
 *
 * The registers are a page in the architectural layout, so that it can serve as
 * the virtual-APIC page (TPR shadow). IRR bits are set atomically from
 * any CPU; everything else belongs to the vCPU's own thread.
 */
#ifndef NESTVM_VLAPIC_H
#define NESTVM_VLAPIC_H

#include "addr.h"
#include "pure.h"

struct nv_vcpu;
struct nv_vm;
struct kvm_lapic_state;

/* An interrupt message: from an IPI, the IOAPIC, an MSI or a local source. */
struct nv_intr_msg {
	u32 dest;		/* physical ID, or logical destination if @logical */
	u8 vector;
	u8 mode;		/* DELIVER_* */
	bool logical;
	bool level;		/* level triggered */
	bool assert;
	bool x2apic_format;	/* dest is 32 bits wide (ICR of x2APIC mode), else 8 */
};

/* Delivery modes; the kernel's own headers have APIC_MODE_* with other spellings. */
#define DELIVER_FIXED		0
#define DELIVER_LOWEST		1
#define DELIVER_SMI		2	/* there is no SMM: dropped */
#define DELIVER_NMI		4
#define DELIVER_INIT		5
#define DELIVER_SIPI		6
#define DELIVER_EXTINT		7

/* The timer counts the core crystal clock, 1 GHz (CPUID leaf 15H says so). */
#define VLAPIC_TIMER_HZ		1000000000ull

/*
 * Give a new vCPU its local APIC if its VM has them in the kernel, before other
 * CPUs can see the vCPU; vcpu->lapic stays NULL otherwise, and then every
 * function here is still safe to call. Destroy after irq_destroy().
 */
int vlapic_create(struct nv_vcpu *vcpu);
void vlapic_destroy(struct nv_vcpu *vcpu);
/* Registers, timer and (unless @init) IA32_APIC_BASE as after reset. vCPU's thread. */
void vlapic_reset(struct nv_vcpu *vcpu, bool init);

/*
 * Deliver to every vCPU it addresses. Any context. Returns how many took it; one
 * that had the vector in its IRR already counts.
 */
int vlapic_deliver(struct nv_vm *vm, struct nv_vcpu *source, const struct nv_intr_msg *msg);
/* Set one vector in one vCPU's IRR and kick it. Any context. */
void vlapic_set_irr(struct nv_vcpu *vcpu, u8 vector, bool level);

/*
 * The vector that may be delivered now (above PPR, APIC enabled), or -1. The
 * PIC's ExtINT is not counted: see irq_extint_pending().
 */
int vlapic_pending(struct nv_vcpu *vcpu);
/* Like vlapic_pending() but callable from any CPU; may be momentarily wrong. */
bool vlapic_has_pending(struct nv_vcpu *vcpu);
/* Move @vector from IRR to ISR, as delivery does. */
void vlapic_ack(struct nv_vcpu *vcpu, u8 vector);
/* NMIs that other CPUs sent (0 to 2): take them, to be added to ev.nmi_pending; any left? */
int vlapic_take_nmi(struct nv_vcpu *vcpu);
bool vlapic_has_nmi(struct nv_vcpu *vcpu);
/*
 * Split irqchip: the vector whose EOI user space must hear of (KVM_EXIT_IOAPIC_EOI),
 * or -1. To be asked before every entry; a REQ_EVENT comes with it.
 */
int vlapic_take_user_eoi(struct nv_vcpu *vcpu);
/* LINT0 takes the PIC's interrupts (virtual wire), or the APIC is off. */
bool vlapic_accepts_extint(struct nv_vcpu *vcpu);

/* Guest access to the MMIO page, @offset within it. Never fails; bad ones have no effect. */
void vlapic_mmio_read(struct nv_vcpu *vcpu, u32 offset, void *buf, unsigned int len);
void vlapic_mmio_write(struct nv_vcpu *vcpu, u32 offset, const void *buf, unsigned int len);
/* Does @gpa lie in this vCPU's APIC page, in xAPIC mode? */
bool vlapic_claims(struct nv_vcpu *vcpu, gpa1_t gpa);

/*
 * MSRs 800H-8FFH, IA32_APIC_BASE, IA32_TSC_DEADLINE. 0 or -EPERM (#GP). A write of
 * IA32_APIC_BASE may move or switch off the MMIO page and CPUID's APIC bit.
 */
int vlapic_msr_read(struct nv_vcpu *vcpu, u32 msr, u64 *value, bool host);
int vlapic_msr_write(struct nv_vcpu *vcpu, u32 msr, u64 value, bool host);

u64 vlapic_cr8(struct nv_vcpu *vcpu);
void vlapic_set_cr8(struct nv_vcpu *vcpu, u64 cr8);
/* The register page, for the virtual-APIC address of vmcs01. */
hpa0_t vlapic_page(struct nv_vcpu *vcpu);
/* TPR threshold for vmcs01: an exit is wanted when TPR[7:4] falls below it. */
u32 vlapic_tpr_threshold(struct nv_vcpu *vcpu);
/* The guest lowered TPR in the page by hardware (exit TPR_BELOW_THRESHOLD). */
void vlapic_tpr_lowered(struct nv_vcpu *vcpu);

/* KVM_GET_LAPIC, KVM_SET_LAPIC. -EINVAL: no local APIC here, or a value no APIC can hold. */
int vlapic_get_state(struct nv_vcpu *vcpu, struct kvm_lapic_state *s);
int vlapic_set_state(struct nv_vcpu *vcpu, const struct kvm_lapic_state *s);

/* The TSC offset changed: the deadline timer must be armed anew. */
void vlapic_tsc_changed(struct nv_vcpu *vcpu);

#endif

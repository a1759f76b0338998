/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt chips of a VM, GSI routing, and the events that stand for devices
 * of user space (irqfd, ioeventfd). The ioctl layer calls with the VM's lock
 * held unless said otherwise.
 */
#ifndef NESTVM_IRQ_H
#define NESTVM_IRQ_H

#include "addr.h"
#include "pure.h"

/* GSIs and routing entries a VM can have, as with KVM. */
#define IRQ_MAX_ROUTES		4096

struct kvm_ioeventfd;
struct kvm_irq_level;
struct kvm_irq_routing_entry;
struct kvm_irqchip;
struct kvm_irqfd;
struct kvm_msi;
struct kvm_pit_config;
struct kvm_pit_state2;
struct nv_vcpu;
struct nv_vm;

/*
 * Every VM has a struct nv_irqchip from the start: the I/O buses live there.
 * Destroyed when nothing runs any more but before the vCPUs are freed: until it
 * returns, eventfds and timers of the chips still deliver to them.
 */
int irq_create(struct nv_vm *vm);
void irq_destroy(struct nv_vm *vm);

/*
 * KVM_CREATE_IRQCHIP: PIC and IOAPIC in the kernel, default routing as KVM has it:
 * GSI n to pin n of the IOAPIC, and below 16 of the PIC. -EEXIST; -EINVAL if there
 * are vCPUs already.
 */
int irq_create_chips(struct nv_vm *vm);
/*
 * KVM_CAP_SPLIT_IRQCHIP: local APICs only; @pins IOAPIC routes reserved. -EEXIST (also: a PIT);
 * -EINVAL if there are vCPUs already or too many @pins.
 */
int irq_create_split(struct nv_vm *vm, unsigned int pins);
/*
 * KVM_CREATE_PIT2, before or after the chips that it ticks for. -ENOENT: the irqchip is
 * split; -EEXIST; -EINVAL: unknown flag.
 */
int irq_create_pit(struct nv_vm *vm, const struct kvm_pit_config *cfg);
bool irq_has_lapic(struct nv_vm *vm);	/* full or split */
bool irq_has_chips(struct nv_vm *vm);	/* PIC and IOAPIC are in the kernel */

/*
 * KVM_IRQ_LINE(_STATUS), KVM_SIGNAL_MSI. Any process context, no lock needed. How
 * many vCPUs or chips took it; 0 if it was pending already (or, of an MSI, if
 * nobody took it); IRQ_IGNORED if the line is masked or leads nowhere, which is
 * a status and no error; -ENXIO (line), -EINVAL (MSI) without interrupt chips here.
 */
#define IRQ_IGNORED	(-1)
int irq_set_line(struct nv_vm *vm, u32 gsi, bool level);
int irq_signal_msi(struct nv_vm *vm, const struct kvm_msi *msi);
/* KVM_SET_GSI_ROUTING: @entries already copied in, in place of all that was. */
int irq_set_routing(struct nv_vm *vm, const struct kvm_irq_routing_entry *entries, u32 count);
/* KVM_GET_IRQCHIP and so on: -ENXIO without the chip. */
int irq_get_chip(struct nv_vm *vm, struct kvm_irqchip *chip);
int irq_set_chip(struct nv_vm *vm, const struct kvm_irqchip *chip);
int irq_get_pit(struct nv_vm *vm, struct kvm_pit_state2 *s);
int irq_set_pit(struct nv_vm *vm, const struct kvm_pit_state2 *s);

/* KVM_IRQFD (with resample), KVM_IOEVENTFD. */
int irqfd_ioctl(struct nv_vm *vm, const struct kvm_irqfd *args);
int ioeventfd_ioctl(struct nv_vm *vm, const struct kvm_ioeventfd *args);

/*
 * The PIC, or user space in its place (KVM_INTERRUPT), has an interrupt for @vcpu and its
 * LINT0, or the lack of a local APIC, lets it through. Any CPU.
 */
bool irq_extint_pending(struct nv_vcpu *vcpu);
/* Acknowledge it (INTA): its vector. */
int irq_extint_ack(struct nv_vcpu *vcpu);
/* The PIC is user space's, has given nothing that still waits, and would be heard. */
bool irq_user_may_interrupt(struct nv_vcpu *vcpu);
/*
 * A local APIC ended level-triggered @vector: IOAPIC, resample irqfds. True if user
 * space must hear of it (split irqchip: KVM_EXIT_IOAPIC_EOI).
 */
bool irq_eoi(struct nv_vcpu *vcpu, u8 vector);

/*
 * Accesses of a guest to ports and MMIO: true if something in the kernel took
 * it (a chip, an ioeventfd). vm->srcu read-held.
 */
bool irq_pio_write(struct nv_vcpu *vcpu, u16 port, const void *data, unsigned int len);
bool irq_pio_read(struct nv_vcpu *vcpu, u16 port, void *data, unsigned int len);
bool irq_mmio_write(struct nv_vcpu *vcpu, gpa1_t gpa, const void *data, unsigned int len);
bool irq_mmio_read(struct nv_vcpu *vcpu, gpa1_t gpa, void *data, unsigned int len);

#endif

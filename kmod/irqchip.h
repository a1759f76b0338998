/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to irq*.c, ioeventfd.c and the chips.
 *
 * Locks, outermost first: vm->lock (creation, routing, irqfd and ioeventfd lists);
 * vpit's mutex, irqfd_lock; vpic's or vioapic's raw lock, never both at once. Under a raw lock
 * nothing is called but the local APICs. Ends of interrupts are told to resample
 * irqfds after it is dropped, for what an eventfd wakes may raise the line again.
 */
#ifndef NESTVM_IRQCHIP_H
#define NESTVM_IRQCHIP_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include "irq.h"
#include "vcpu.h"

#define IOAPIC_PINS		24
#define IRQ_CHIPS		3	/* KVM_IRQCHIP_*: PIC master, slave, IOAPIC */

enum irqchip_mode { IRQCHIP_NONE, IRQCHIP_SPLIT, IRQCHIP_FULL };

/* Who drives a line: it is up while any of them holds it up. */
enum irq_source { IRQ_SOURCE_USER, IRQ_SOURCE_RESAMPLE, IRQ_SOURCE_PIT };

struct irq_routes;
struct vioapic;
struct vpic;
struct vpit;

struct nv_irqchip {
	struct nv_vm *vm;
	/* Set once, under vm->lock, after what they promise is there: release, acquire. */
	enum irqchip_mode mode;
	struct vpit *pit;

	unsigned int split_pins;
	struct vpic *pic;
	struct vioapic *ioapic;
	struct irq_routes __rcu *routes;	/* written under vm->lock */

	/* irqfd.c */
	spinlock_t irqfd_lock;			/* with interrupts off: both lists */
	struct list_head irqfds;
	struct list_head resamplers;		/* read under RCU */
	struct workqueue_struct *irqfd_wq;	/* made with the first one */

	/* ioeventfd.c: read under vm->srcu, written under vm->lock */
	DECLARE_HASHTABLE(ioeventfds, 6);
	unsigned int ioeventfd_count;
};

static inline enum irqchip_mode irqchip_mode(struct nv_vm *vm)
{
	return smp_load_acquire(&vm->irqchip->mode);
}

/* irq_route.c */
int irq_routes_init(struct nv_vm *vm, bool chips);
void irq_routes_free(struct nv_vm *vm);
/*
 * @source drives the line or message @gsi. Any context. How many took it, 0 if it
 * was pending already, IRQ_IGNORED if it is masked or leads nowhere.
 */
int irq_drive(struct nv_vm *vm, enum irq_source source, u32 gsi, bool level);
/* An edge; a message is sent once. */
int irq_pulse(struct nv_vm *vm, enum irq_source source, u32 gsi);
/* The service of @pin of @chip has ended. No raw lock held. */
void irq_ended(struct nv_vm *vm, unsigned int chip, unsigned int pin);
/* A reserved route of the split irqchip is level triggered with @vector. */
bool irq_split_handles(struct nv_vm *vm, u8 vector);

/* irqfd.c */
void irqfd_ended(struct nv_vm *vm, u32 gsi);
void irqfd_destroy_all(struct nv_vm *vm);

/* ioeventfd.c */
bool ioeventfd_write(struct nv_vm *vm, bool pio, u64 addr, const void *data, unsigned int len);
void ioeventfd_destroy_all(struct nv_vm *vm);

/* vpic.c; the line functions here and below: any context, returns as irq_drive(). */
int vpic_create(struct nv_vm *vm);
void vpic_destroy(struct nv_vm *vm);
int vpic_set_line(struct nv_vm *vm, enum irq_source source, unsigned int pin, bool level);
bool vpic_output(struct nv_vm *vm);
u8 vpic_ack(struct nv_vm *vm);
bool vpic_claims(u16 port);
void vpic_write(struct nv_vm *vm, u16 port, u8 val);
u8 vpic_read(struct nv_vm *vm, u16 port);
struct kvm_pic_state;
void vpic_get_state(struct nv_vm *vm, unsigned int unit, struct kvm_pic_state *s);
int vpic_set_state(struct nv_vm *vm, unsigned int unit, const struct kvm_pic_state *s);

/* vioapic.c */
#define VIOAPIC_BASE	0xfec00000ull
#define VIOAPIC_SIZE	0x100ull
int vioapic_create(struct nv_vm *vm);
void vioapic_destroy(struct nv_vm *vm);
int vioapic_set_line(struct nv_vm *vm, enum irq_source source, unsigned int pin, bool level);
void vioapic_eoi(struct nv_vm *vm, u8 vector);
void vioapic_write(struct nv_vm *vm, u32 offset, const void *data, unsigned int len);
void vioapic_read(struct nv_vm *vm, u32 offset, void *data, unsigned int len);
struct kvm_ioapic_state;
void vioapic_get_state(struct nv_vm *vm, struct kvm_ioapic_state *s);
int vioapic_set_state(struct nv_vm *vm, const struct kvm_ioapic_state *s);

/* vpit.c */
int vpit_create(struct nv_vm *vm, bool speaker);
void vpit_destroy(struct nv_vm *vm);
bool vpit_claims(struct nv_vm *vm, u16 port);
void vpit_write(struct nv_vm *vm, u16 port, u8 val);
u8 vpit_read(struct nv_vm *vm, u16 port);

#endif

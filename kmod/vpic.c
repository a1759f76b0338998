// SPDX-License-Identifier: GPL-2.0
/* The pair of 8259A of KVM_CREATE_IRQCHIP: locks, ports, state. What they do: vpic_unit.c. */
#include <linux/kvm.h>
#include <linux/slab.h>
#include "irqchip.h"
#include "vlapic.h"
#include "vpic_unit.h"

#define PIC_PINS	16

struct vpic {
	raw_spinlock_t lock;		/* with interrupts off */
	struct pic_pair pair;
	u8 drivers[PIC_PINS];		/* BIT(enum irq_source) that hold the line up */
};

int vpic_create(struct nv_vm *vm)
{
	struct vpic *pic = kzalloc(sizeof(*pic), GFP_KERNEL_ACCOUNT);

	if (!pic)
		return -ENOMEM;
	raw_spin_lock_init(&pic->lock);
	pic_pair_init(&pic->pair);
	vm->irqchip->pic = pic;
	return 0;
}

void vpic_destroy(struct nv_vm *vm)
{
	kfree(vm->irqchip->pic);
	vm->irqchip->pic = NULL;
}

bool vpic_output(struct nv_vm *vm)
{
	return READ_ONCE(vm->irqchip->pic->pair.output);
}

/* INT goes to the first CPU whose LINT0 lets it through. */
static void vpic_wake(struct nv_vm *vm)
{
	struct nv_vcpu *vcpu;
	unsigned int i;

	if (!vpic_output(vm))
		return;
	nv_for_each_vcpu(i, vcpu, vm) {
		if (!vlapic_accepts_extint(vcpu))
			continue;
		vcpu_request(vcpu, REQ_EVENT);
		return;
	}
}

static void vpic_tell_ended(struct nv_vm *vm, unsigned long ended)
{
	unsigned int pin;

	for_each_set_bit(pin, &ended, PIC_PINS)
		irq_ended(vm, pin < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, pin & 7);
}

int vpic_set_line(struct nv_vm *vm, enum irq_source source, unsigned int pin, bool level)
{
	struct vpic *pic = vm->irqchip->pic;
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&pic->lock, flags);
	if (level)
		pic->drivers[pin] |= BIT(source);
	else
		pic->drivers[pin] &= ~BIT(source);
	ret = pic_pair_set_line(&pic->pair, pin, pic->drivers[pin]);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	vpic_wake(vm);
	return ret;
}

u8 vpic_ack(struct nv_vm *vm)
{
	struct vpic *pic = vm->irqchip->pic;
	unsigned long flags;
	u16 ended = 0;
	u8 vector;

	raw_spin_lock_irqsave(&pic->lock, flags);
	vector = pic_pair_ack(&pic->pair, &ended);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	vpic_tell_ended(vm, ended);
	return vector;
}

/* 20H and 21H, A0H and A1H; 4D0H and 4D1H: edge/level control. */
bool vpic_claims(u16 port)
{
	return (port & ~0x81) == 0x20 || (port & ~1) == 0x4d0;
}

static bool is_elcr(u16 port)
{
	return port & 0x400;
}

void vpic_write(struct nv_vm *vm, u16 port, u8 val)
{
	struct vpic *pic = vm->irqchip->pic;
	unsigned long flags;
	u16 ended = 0;

	raw_spin_lock_irqsave(&pic->lock, flags);
	if (is_elcr(port))
		pic_pair_write_elcr(&pic->pair, port & 1, val);
	else
		pic_pair_write(&pic->pair, !!(port & 0x80), port & 1, val, &ended);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	vpic_tell_ended(vm, ended);
	vpic_wake(vm);
}

u8 vpic_read(struct nv_vm *vm, u16 port)
{
	struct vpic *pic = vm->irqchip->pic;
	unsigned long flags;
	u16 ended = 0;
	u8 val;

	raw_spin_lock_irqsave(&pic->lock, flags);
	if (is_elcr(port))
		val = pic->pair.unit[port & 1].elcr;
	else
		val = pic_pair_read(&pic->pair, !!(port & 0x80), port & 1, &ended);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	vpic_tell_ended(vm, ended);
	return val;
}

void vpic_get_state(struct nv_vm *vm, unsigned int unit, struct kvm_pic_state *s)
{
	struct vpic *pic = vm->irqchip->pic;
	const struct pic_unit *u = &pic->pair.unit[unit];
	unsigned long flags;

	raw_spin_lock_irqsave(&pic->lock, flags);
	*s = (struct kvm_pic_state) {
		.last_irr = u->lines,
		.irr = u->irr,
		.imr = u->imr,
		.isr = u->isr,
		.priority_add = u->first,
		.irq_base = u->base,
		.read_reg_select = u->read_isr,
		.poll = u->poll,
		.special_mask = u->special_mask,
		.init_state = u->init,
		.auto_eoi = u->auto_eoi,
		.rotate_on_auto_eoi = u->rotate_on_auto_eoi,
		.special_fully_nested_mode = u->fully_nested,
		.init4 = u->icw4,
		.elcr = u->elcr,
		.elcr_mask = u->elcr_mask,
	};
	raw_spin_unlock_irqrestore(&pic->lock, flags);
}

int vpic_set_state(struct nv_vm *vm, unsigned int unit, const struct kvm_pic_state *s)
{
	struct vpic *pic = vm->irqchip->pic;
	struct pic_unit *u = &pic->pair.unit[unit];
	unsigned long flags;

	if (s->priority_add > 7 || s->init_state > PIC_WAIT_ICW4)
		return -EINVAL;
	raw_spin_lock_irqsave(&pic->lock, flags);
	u->lines = s->last_irr;
	u->irr = s->irr;
	u->imr = s->imr;
	u->isr = s->isr;
	u->first = s->priority_add;
	u->base = s->irq_base & 0xf8;
	u->read_isr = s->read_reg_select;
	u->poll = s->poll;
	u->special_mask = s->special_mask;
	u->init = s->init_state;
	u->auto_eoi = s->auto_eoi;
	u->rotate_on_auto_eoi = s->rotate_on_auto_eoi;
	u->fully_nested = s->special_fully_nested_mode;
	u->icw4 = s->init4;
	u->elcr = s->elcr & u->elcr_mask;
	pic_pair_update(&pic->pair);
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	vpic_wake(vm);
	return 0;
}

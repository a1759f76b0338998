// SPDX-License-Identifier: GPL-2.0
/* The IOAPIC of KVM_CREATE_IRQCHIP: version 11H (no EOI register), 24 pins, at FEC00000H. */
#include <linux/kvm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include "irq_msg.h"
#include "irqchip.h"

#define IOREGSEL	0x00
#define IOWIN		0x10

#define REG_ID		0x00
#define REG_VERSION	0x01
#define REG_ARBITRATION	0x02
#define REG_REDIR	0x10	/* two for each pin */

#define VERSION_VALUE	(0x11u | (IOAPIC_PINS - 1) << 16)
#define ID_BITS		0x0f000000u

static_assert(IOAPIC_PINS == KVM_IOAPIC_NUM_PINS);

struct vioapic {
	raw_spinlock_t lock;		/* with interrupts off */
	u32 select;
	u32 id;
	u32 lines;			/* pins that are up (after a restore: were) */
	u64 redir[IOAPIC_PINS];
	u8 drivers[IOAPIC_PINS];	/* BIT(enum irq_source) that hold the line up */
};

int vioapic_create(struct nv_vm *vm)
{
	struct vioapic *ioapic = kzalloc(sizeof(*ioapic), GFP_KERNEL_ACCOUNT);
	unsigned int pin;

	if (!ioapic)
		return -ENOMEM;
	raw_spin_lock_init(&ioapic->lock);
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->redir[pin] = REDIR_MASKED;
	vm->irqchip->ioapic = ioapic;
	return 0;
}

void vioapic_destroy(struct nv_vm *vm)
{
	kfree(vm->irqchip->ioapic);
	vm->irqchip->ioapic = NULL;
}

/* Send what @pin stands for. Locked. */
static int pin_send(struct nv_vm *vm, struct vioapic *ioapic, unsigned int pin)
{
	u64 *redir = &ioapic->redir[pin];
	struct nv_intr_msg msg;
	int taken;

	irq_msg_from_redir(*redir, &msg);
	/* Only these are ended by an EOI; the others count as edges. */
	if (msg.mode != DELIVER_FIXED && msg.mode != DELIVER_LOWEST)
		msg.level = false;
	taken = vlapic_deliver(vm, NULL, &msg);
	if (taken && msg.level)
		*redir |= REDIR_REMOTE_IRR;
	return taken;
}

/* A level that nobody has been told of yet. Locked. */
static int pin_service(struct nv_vm *vm, struct vioapic *ioapic, unsigned int pin)
{
	u64 redir = ioapic->redir[pin];

	if (!(redir & REDIR_LEVEL) || (redir & (REDIR_MASKED | REDIR_REMOTE_IRR)) ||
	    !(ioapic->lines & BIT(pin)))
		return IRQ_IGNORED;
	return pin_send(vm, ioapic, pin);
}

/* Locked. */
static int pin_change(struct nv_vm *vm, struct vioapic *ioapic, unsigned int pin, bool level)
{
	u32 before = ioapic->lines;
	u64 redir = ioapic->redir[pin];

	if (!level) {
		ioapic->lines &= ~BIT(pin);
		return 1;
	}
	ioapic->lines |= BIT(pin);
	if (redir & REDIR_MASKED)
		return IRQ_IGNORED;
	if (redir & REDIR_LEVEL)
		return redir & REDIR_REMOTE_IRR ? 0 : pin_send(vm, ioapic, pin);
	return before & BIT(pin) ? 0 : pin_send(vm, ioapic, pin);
}

int vioapic_set_line(struct nv_vm *vm, enum irq_source source, unsigned int pin, bool level)
{
	struct vioapic *ioapic = vm->irqchip->ioapic;
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	if (level)
		ioapic->drivers[pin] |= BIT(source);
	else
		ioapic->drivers[pin] &= ~BIT(source);
	ret = pin_change(vm, ioapic, pin, ioapic->drivers[pin]);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	return ret;
}

static bool awaits_eoi(u64 redir, u8 vector)
{
	return (redir & REDIR_LEVEL) && (redir & REDIR_REMOTE_IRR) && (u8)redir == vector;
}

void vioapic_eoi(struct nv_vm *vm, u8 vector)
{
	struct vioapic *ioapic = vm->irqchip->ioapic;
	unsigned long flags, ended = 0;
	unsigned int pin;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		if (awaits_eoi(ioapic->redir[pin], vector))
			ended |= BIT(pin);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);

	/* A resampled line goes down first, or it would be taken for a new interrupt. */
	for_each_set_bit(pin, &ended, IOAPIC_PINS)
		irq_ended(vm, KVM_IRQCHIP_IOAPIC, pin);

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	for_each_set_bit(pin, &ended, IOAPIC_PINS) {
		if (!awaits_eoi(ioapic->redir[pin], vector))
			continue;
		ioapic->redir[pin] &= ~REDIR_REMOTE_IRR;
		pin_service(vm, ioapic, pin);
	}
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

static void write_redir(struct nv_vm *vm, struct vioapic *ioapic, unsigned int reg, u32 val)
{
	unsigned int pin = array_index_nospec(reg >> 1, IOAPIC_PINS);
	u64 *redir = &ioapic->redir[pin];
	u64 old = *redir, new;

	if (reg & 1)
		new = (u32)old | (u64)val << 32;
	else
		new = (old & GENMASK_ULL(63, 32)) | val;
	new &= REDIR_WRITABLE & ~(REDIR_STATUS | REDIR_REMOTE_IRR);
	/*
	 * Remote IRR is for levels: turning a pin to edge and back clears it,
	 * which is how systems end an interrupt without an EOI register.
	 */
	if (new & REDIR_LEVEL)
		new |= old & REDIR_REMOTE_IRR;
	*redir = new;
	pin_service(vm, ioapic, pin);
}

static void write_register(struct nv_vm *vm, struct vioapic *ioapic, u32 val)
{
	u32 reg = ioapic->select;

	if (reg == REG_ID)
		ioapic->id = val & ID_BITS;
	else if (reg >= REG_REDIR && reg < REG_REDIR + 2 * IOAPIC_PINS)
		write_redir(vm, ioapic, reg - REG_REDIR, val);
}

static u32 read_register(const struct vioapic *ioapic)
{
	u32 reg = ioapic->select;
	u64 redir;

	switch (reg) {
	case REG_ID:
	case REG_ARBITRATION:
		return ioapic->id;
	case REG_VERSION:
		return VERSION_VALUE;
	case REG_REDIR ... REG_REDIR + 2 * IOAPIC_PINS - 1:
		redir = ioapic->redir[array_index_nospec((reg - REG_REDIR) >> 1, IOAPIC_PINS)];
		return reg & 1 ? redir >> 32 : redir;
	default:
		return 0;
	}
}

void vioapic_write(struct nv_vm *vm, u32 offset, const void *data, unsigned int len)
{
	struct vioapic *ioapic = vm->irqchip->ioapic;
	unsigned long flags;
	u32 val = 0;

	memcpy(&val, data, min_t(unsigned int, len, sizeof(val)));
	raw_spin_lock_irqsave(&ioapic->lock, flags);
	if (offset == IOREGSEL)
		ioapic->select = val & 0xff;
	else if (offset == IOWIN)
		write_register(vm, ioapic, val);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

void vioapic_read(struct nv_vm *vm, u32 offset, void *data, unsigned int len)
{
	struct vioapic *ioapic = vm->irqchip->ioapic;
	unsigned long flags;
	u32 val = 0;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	if (offset == IOREGSEL)
		val = ioapic->select;
	else if (offset == IOWIN)
		val = read_register(ioapic);
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);

	memset(data, 0, len);
	memcpy(data, &val, min_t(unsigned int, len, sizeof(val)));
}

void vioapic_get_state(struct nv_vm *vm, struct kvm_ioapic_state *s)
{
	struct vioapic *ioapic = vm->irqchip->ioapic;
	unsigned long flags;
	unsigned int pin;

	raw_spin_lock_irqsave(&ioapic->lock, flags);
	s->base_address = VIOAPIC_BASE;
	s->ioregsel = ioapic->select;
	s->id = ioapic->id;
	s->irr = ioapic->lines;
	s->pad = 0;
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		s->redirtbl[pin].bits = ioapic->redir[pin];
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
}

int vioapic_set_state(struct nv_vm *vm, const struct kvm_ioapic_state *s)
{
	struct vioapic *ioapic = vm->irqchip->ioapic;
	unsigned long flags;
	unsigned int pin;

	/* It stays where it is wired. */
	if (s->base_address != VIOAPIC_BASE)
		return -EINVAL;
	raw_spin_lock_irqsave(&ioapic->lock, flags);
	ioapic->select = s->ioregsel & 0xff;
	ioapic->id = s->id & ID_BITS;
	ioapic->lines = 0;
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->redir[pin] = s->redirtbl[pin].bits & REDIR_WRITABLE & ~REDIR_STATUS;
	/* An edge was sent, or masked and lost, when its line rose; a level may still wait. */
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		if (!(s->irr & BIT(pin)))
			continue;
		ioapic->lines |= BIT(pin);
		pin_service(vm, ioapic, pin);
	}
	raw_spin_unlock_irqrestore(&ioapic->lock, flags);
	return 0;
}

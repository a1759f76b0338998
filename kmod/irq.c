// SPDX-License-Identifier: GPL-2.0
/* Life of a VM's interrupt chips, their place on the buses, and their state. */
#include "irq.h"

#include <linux/kvm.h>
#include <linux/slab.h>
#include "irqchip.h"
#include "vlapic.h"

int irq_create(struct nv_vm *vm)
{
	struct nv_irqchip *chip = kzalloc(sizeof(*chip), GFP_KERNEL_ACCOUNT);

	if (!chip)
		return -ENOMEM;
	chip->vm = vm;
	spin_lock_init(&chip->irqfd_lock);
	INIT_LIST_HEAD(&chip->irqfds);
	INIT_LIST_HEAD(&chip->resamplers);
	hash_init(chip->ioeventfds);
	vm->irqchip = chip;
	return 0;
}

void irq_destroy(struct nv_vm *vm)
{
	struct nv_irqchip *chip = vm->irqchip;

	if (!chip)
		return;
	/* First what raises interrupts by itself, then what they go through. */
	irqfd_destroy_all(vm);
	vpit_destroy(vm);
	ioeventfd_destroy_all(vm);
	vioapic_destroy(vm);
	vpic_destroy(vm);
	irq_routes_free(vm);
	vm->irqchip = NULL;
	kfree(chip);
}

static int may_create(struct nv_vm *vm)
{
	if (vm->irqchip->mode != IRQCHIP_NONE)
		return -EEXIST;
	/* vCPUs get their local APIC when they are made. */
	return vm->vcpu_count ? -EINVAL : 0;
}

int irq_create_chips(struct nv_vm *vm)
{
	int ret = may_create(vm);

	if (ret)
		return ret;
	ret = vpic_create(vm);
	if (ret)
		return ret;
	ret = vioapic_create(vm);
	if (ret)
		goto destroy_pic;
	ret = irq_routes_init(vm, true);
	if (ret)
		goto destroy_ioapic;
	smp_store_release(&vm->irqchip->mode, IRQCHIP_FULL);
	return 0;

destroy_ioapic:
	vioapic_destroy(vm);
destroy_pic:
	vpic_destroy(vm);
	return ret;
}

int irq_create_split(struct nv_vm *vm, unsigned int pins)
{
	int ret;

	if (pins > IRQ_MAX_ROUTES)
		return -EINVAL;
	ret = may_create(vm);
	if (ret)
		return ret;
	/* It would have no PIC and no IOAPIC to tick for. */
	if (vm->irqchip->pit)
		return -EEXIST;
	ret = irq_routes_init(vm, false);
	if (ret)
		return ret;
	vm->irqchip->split_pins = pins;
	smp_store_release(&vm->irqchip->mode, IRQCHIP_SPLIT);
	return 0;
}

int irq_create_pit(struct nv_vm *vm, const struct kvm_pit_config *cfg)
{
	/* Before the chips, as kvmtool has it, its ticks go nowhere. */
	if (irqchip_mode(vm) == IRQCHIP_SPLIT)
		return -ENOENT;
	if (vm->irqchip->pit)
		return -EEXIST;
	if (cfg->flags & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	return vpit_create(vm, cfg->flags & KVM_PIT_SPEAKER_DUMMY);
}

bool irq_has_lapic(struct nv_vm *vm)
{
	return irqchip_mode(vm) != IRQCHIP_NONE;
}

bool irq_has_chips(struct nv_vm *vm)
{
	return irqchip_mode(vm) == IRQCHIP_FULL;
}

int irq_get_chip(struct nv_vm *vm, struct kvm_irqchip *chip)
{
	if (!irq_has_chips(vm))
		return -ENXIO;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		memset(&chip->chip, 0, sizeof(chip->chip));
		vpic_get_state(vm, chip->chip_id, &chip->chip.pic);
		return 0;
	case KVM_IRQCHIP_IOAPIC:
		memset(&chip->chip, 0, sizeof(chip->chip));
		vioapic_get_state(vm, &chip->chip.ioapic);
		return 0;
	default:
		return -EINVAL;
	}
}

int irq_set_chip(struct nv_vm *vm, const struct kvm_irqchip *chip)
{
	if (!irq_has_chips(vm))
		return -ENXIO;
	switch (chip->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		return vpic_set_state(vm, chip->chip_id, &chip->chip.pic);
	case KVM_IRQCHIP_IOAPIC:
		return vioapic_set_state(vm, &chip->chip.ioapic);
	default:
		return -EINVAL;
	}
}

bool irq_extint_pending(struct nv_vcpu *vcpu)
{
	if (!vlapic_accepts_extint(vcpu))
		return false;
	return irq_has_chips(vcpu->vm) ? vpic_output(vcpu->vm) : vcpu->ev.user_intr >= 0;
}

int irq_extint_ack(struct nv_vcpu *vcpu)
{
	int vector = vcpu->ev.user_intr;

	if (irq_has_chips(vcpu->vm))
		return vpic_ack(vcpu->vm);
	vcpu->ev.user_intr = -1;
	return vector;
}

bool irq_user_may_interrupt(struct nv_vcpu *vcpu)
{
	return !irq_has_chips(vcpu->vm) && vcpu->ev.user_intr < 0 && vlapic_accepts_extint(vcpu);
}

bool irq_eoi(struct nv_vcpu *vcpu, u8 vector)
{
	switch (irqchip_mode(vcpu->vm)) {
	case IRQCHIP_FULL:
		vioapic_eoi(vcpu->vm, vector);
		return false;
	case IRQCHIP_SPLIT:
		return irq_split_handles(vcpu->vm, vector);
	default:
		return false;
	}
}

static bool pic_claims(struct nv_vm *vm, u16 port)
{
	return irq_has_chips(vm) && vpic_claims(port);
}

static bool chip_claims_port(struct nv_vm *vm, u16 port)
{
	return pic_claims(vm, port) || vpit_claims(vm, port);
}

/*
 * The chips are eight bits wide: a wider access is one of each byte, at ports
 * that follow each other. Bytes beyond the chip go nowhere.
 */
bool irq_pio_write(struct nv_vcpu *vcpu, u16 port, const void *data, unsigned int len)
{
	struct nv_vm *vm = vcpu->vm;
	const u8 *bytes = data;
	unsigned int i;

	if (ioeventfd_write(vm, true, port, data, len))
		return true;
	if (!chip_claims_port(vm, port))
		return false;
	for (i = 0; i < len; i++) {
		u16 at = port + i;

		if (pic_claims(vm, at))
			vpic_write(vm, at, bytes[i]);
		else if (vpit_claims(vm, at))
			vpit_write(vm, at, bytes[i]);
	}
	return true;
}

bool irq_pio_read(struct nv_vcpu *vcpu, u16 port, void *data, unsigned int len)
{
	struct nv_vm *vm = vcpu->vm;
	u8 *bytes = data;
	unsigned int i;

	if (!chip_claims_port(vm, port))
		return false;
	for (i = 0; i < len; i++) {
		u16 at = port + i;

		if (pic_claims(vm, at))
			bytes[i] = vpic_read(vm, at);
		else if (vpit_claims(vm, at))
			bytes[i] = vpit_read(vm, at);
		else
			bytes[i] = 0xff;
	}
	return true;
}

static bool ioapic_claims(struct nv_vm *vm, gpa1_t gpa)
{
	return irq_has_chips(vm) && gpa.v >= VIOAPIC_BASE && gpa.v < VIOAPIC_BASE + VIOAPIC_SIZE;
}

bool irq_mmio_write(struct nv_vcpu *vcpu, gpa1_t gpa, const void *data, unsigned int len)
{
	if (ioeventfd_write(vcpu->vm, false, gpa.v, data, len))
		return true;
	if (!ioapic_claims(vcpu->vm, gpa))
		return false;
	vioapic_write(vcpu->vm, gpa.v - VIOAPIC_BASE, data, len);
	return true;
}

bool irq_mmio_read(struct nv_vcpu *vcpu, gpa1_t gpa, void *data, unsigned int len)
{
	if (!ioapic_claims(vcpu->vm, gpa))
		return false;
	vioapic_read(vcpu->vm, gpa.v - VIOAPIC_BASE, data, len);
	return true;
}

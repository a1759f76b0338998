// SPDX-License-Identifier: GPL-2.0
/*
 * GSI routing: what a line or message number of user space leads to. The table is
 * replaced as a whole and read under RCU, also from hard interrupts.
 */
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include "irq_msg.h"
#include "irqchip.h"

#define NO_ROUTE	U16_MAX
#define NO_GSI		U16_MAX

struct irq_route {
	u32 gsi;
	u16 next;		/* of the same GSI, or NO_ROUTE */
	bool is_msi;
	bool msi_ok;		/* the address is one of interrupt messages */
	u8 chip, pin;		/* KVM_IRQCHIP_* */
	struct nv_intr_msg msg;
};

struct irq_routes {
	struct rcu_head rcu;
	u32 count;
	u16 first[IRQ_MAX_ROUTES];		/* by GSI */
	u16 gsi_of[IRQ_CHIPS][IOAPIC_PINS];	/* by chip and pin, or NO_GSI */
	struct irq_route route[];
};

static struct irq_routes *routes_alloc(u32 count)
{
	struct irq_routes *r = kvzalloc(struct_size(r, route, count), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	memset(r->first, 0xff, sizeof(r->first));
	memset(r->gsi_of, 0xff, sizeof(r->gsi_of));
	return r;
}

/* One GSI: at most one pin of each chip, or one message. */
static int routes_add(struct irq_routes *r, const struct irq_route *new)
{
	struct irq_route *to = &r->route[r->count];
	u16 i;

	for (i = r->first[new->gsi]; i != NO_ROUTE; i = r->route[i].next)
		if (new->is_msi || r->route[i].is_msi || r->route[i].chip == new->chip)
			return -EINVAL;

	*to = *new;
	to->next = r->first[new->gsi];
	r->first[new->gsi] = r->count++;
	if (!new->is_msi)
		r->gsi_of[new->chip][new->pin] = new->gsi;
	return 0;
}

static int chip_route(struct nv_vm *vm, u32 chip, u32 pin, struct irq_route *to)
{
	static const u8 pins[IRQ_CHIPS] = {
		[KVM_IRQCHIP_PIC_MASTER] = 8,
		[KVM_IRQCHIP_PIC_SLAVE] = 8,
		[KVM_IRQCHIP_IOAPIC] = IOAPIC_PINS,
	};

	if (!irq_has_chips(vm) || chip >= ARRAY_SIZE(pins))
		return -EINVAL;
	chip = array_index_nospec(chip, ARRAY_SIZE(pins));
	if (pin >= pins[chip])
		return -EINVAL;
	to->chip = chip;
	to->pin = pin;
	return 0;
}

static int route_from_entry(struct nv_vm *vm, const struct kvm_irq_routing_entry *e,
			    struct irq_route *to)
{
	u64 addr;

	if (e->gsi >= IRQ_MAX_ROUTES || e->flags)
		return -EINVAL;
	memset(to, 0, sizeof(*to));
	to->gsi = array_index_nospec(e->gsi, IRQ_MAX_ROUTES);
	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		return chip_route(vm, e->u.irqchip.irqchip, e->u.irqchip.pin, to);
	case KVM_IRQ_ROUTING_MSI:
		/*
		 * The guest may have written anything into its device; an address
		 * that is none of interrupts delivers nothing.
		 */
		addr = (u64)e->u.msi.address_hi << 32 | e->u.msi.address_lo;
		to->is_msi = true;
		to->msi_ok = irq_msg_from_msi(addr, e->u.msi.data, &to->msg);
		return 0;
	default:
		return -EINVAL;
	}
}

static void routes_publish(struct nv_vm *vm, struct irq_routes *new)
{
	struct irq_routes *old;

	old = rcu_replace_pointer(vm->irqchip->routes, new, lockdep_is_held(&vm->lock));
	if (old)
		kvfree_rcu(old, rcu);
}

int irq_set_routing(struct nv_vm *vm, const struct kvm_irq_routing_entry *entries, u32 count)
{
	struct irq_routes *new;
	u32 i;
	int ret;

	if (count > IRQ_MAX_ROUTES || !irq_has_lapic(vm))
		return -EINVAL;
	new = routes_alloc(count);
	if (!new)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		struct irq_route route;

		ret = route_from_entry(vm, &entries[i], &route);
		if (!ret)
			ret = routes_add(new, &route);
		if (ret) {
			kvfree(new);
			return ret;
		}
	}
	routes_publish(vm, new);
	return 0;
}

/* @chips: the routing of KVM_CREATE_IRQCHIP, else an empty one. */
int irq_routes_init(struct nv_vm *vm, bool chips)
{
	struct irq_routes *new = routes_alloc(chips ? IOAPIC_PINS + 16 : 0);
	u32 gsi;

	if (!new)
		return -ENOMEM;
	for (gsi = 0; chips && gsi < IOAPIC_PINS; gsi++) {
		struct irq_route route = {
			.gsi = gsi, .chip = KVM_IRQCHIP_IOAPIC, .pin = gsi,
		};

		routes_add(new, &route);
		if (gsi >= 16)
			continue;
		route.chip = gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
		route.pin = gsi & 7;
		routes_add(new, &route);
	}
	routes_publish(vm, new);
	return 0;
}

/* Nothing looks at the table any more. */
void irq_routes_free(struct nv_vm *vm)
{
	kvfree(rcu_dereference_protected(vm->irqchip->routes, true));
	RCU_INIT_POINTER(vm->irqchip->routes, NULL);
}

static int route_drive(struct nv_vm *vm, const struct irq_route *r, enum irq_source source,
		       bool level)
{
	if (r->is_msi) {
		if (!level || !r->msi_ok)
			return IRQ_IGNORED;
		return vlapic_deliver(vm, NULL, &r->msg);
	}
	switch (r->chip) {
	case KVM_IRQCHIP_PIC_MASTER:
		return vpic_set_line(vm, source, r->pin, level);
	case KVM_IRQCHIP_PIC_SLAVE:
		return vpic_set_line(vm, source, r->pin + 8, level);
	default:
		return vioapic_set_line(vm, source, r->pin, level);
	}
}

int irq_drive(struct nv_vm *vm, enum irq_source source, u32 gsi, bool level)
{
	const struct irq_routes *routes;
	int ret = IRQ_IGNORED, one;
	u16 i;

	if (gsi >= IRQ_MAX_ROUTES)
		return ret;
	gsi = array_index_nospec(gsi, IRQ_MAX_ROUTES);
	rcu_read_lock();
	routes = rcu_dereference(vm->irqchip->routes);
	if (!routes)
		goto out;
	for (i = routes->first[gsi]; i != NO_ROUTE; i = routes->route[i].next) {
		one = route_drive(vm, &routes->route[i], source, level);
		if (one >= 0)
			ret = max(ret, 0) + one;
	}
out:
	rcu_read_unlock();
	return ret;
}

int irq_pulse(struct nv_vm *vm, enum irq_source source, u32 gsi)
{
	int ret = irq_drive(vm, source, gsi, true);

	irq_drive(vm, source, gsi, false);
	return ret;
}

int irq_set_line(struct nv_vm *vm, u32 gsi, bool level)
{
	if (!irq_has_lapic(vm))
		return -ENXIO;
	return irq_drive(vm, IRQ_SOURCE_USER, gsi, level);
}

int irq_signal_msi(struct nv_vm *vm, const struct kvm_msi *msi)
{
	struct nv_intr_msg msg;

	if (!irq_has_lapic(vm) || msi->flags)
		return -EINVAL;
	if (!irq_msg_from_msi((u64)msi->address_hi << 32 | msi->address_lo, msi->data, &msg))
		return 0;
	return vlapic_deliver(vm, NULL, &msg);
}

void irq_ended(struct nv_vm *vm, unsigned int chip, unsigned int pin)
{
	const struct irq_routes *routes;
	u16 gsi = NO_GSI;

	rcu_read_lock();
	routes = rcu_dereference(vm->irqchip->routes);
	if (routes)
		gsi = routes->gsi_of[chip][pin];
	rcu_read_unlock();
	if (gsi != NO_GSI)
		irqfd_ended(vm, gsi);
}

bool irq_split_handles(struct nv_vm *vm, u8 vector)
{
	const struct irq_routes *routes;
	bool found = false;
	u32 gsi;
	u16 i;

	rcu_read_lock();
	routes = rcu_dereference(vm->irqchip->routes);
	for (gsi = 0; routes && !found && gsi < vm->irqchip->split_pins; gsi++) {
		i = routes->first[gsi];
		if (i == NO_ROUTE)
			continue;
		found = routes->route[i].msi_ok && routes->route[i].msg.level &&
			routes->route[i].msg.vector == vector;
	}
	rcu_read_unlock();
	return found;
}

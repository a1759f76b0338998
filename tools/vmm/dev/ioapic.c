// SPDX-License-Identifier: GPL-2.0
#include "ioapic.h"

#include "../machine.h"

#include <string.h>

#define REG_SELECT	0x00
#define REG_WINDOW	0x10
#define REG_EOI		0x40

#define IDX_ID		0x00
#define IDX_VERSION	0x01
#define IDX_ARBITRATION	0x02
#define IDX_REDIR	0x10

#define VERSION		0x20		/* with an EOI register */

#define REDIR_VECTOR	0xffull
#define REDIR_LOGICAL	(1ull << 11)
#define REDIR_REMOTE_IRR (1ull << 14)
#define REDIR_LEVEL	(1ull << 15)
#define REDIR_MASKED	(1ull << 16)
#define REDIR_READONLY	(1ull << 12 | REDIR_REMOTE_IRR)

#define MSI_LOGICAL	(1u << 2)
#define MSI_ASSERT	(1u << 14)
#define MSI_LEVEL	(1u << 15)

void ioapic_init(struct ioapic *io, struct machine *m)
{
	unsigned int i;

	memset(io, 0, sizeof(*io));
	io->m = m;
	for (i = 0; i < IOAPIC_NR_PINS; i++)
		io->redir[i] = REDIR_MASKED;
}

/* A redirection entry as the message that the local APICs understand. */
static uint32_t msi_address(uint64_t e)
{
	return LAPIC_BASE | (uint32_t)(e >> 56) << 12 | (e & REDIR_LOGICAL ? MSI_LOGICAL : 0);
}

static uint32_t msi_data(uint64_t e)
{
	/* Vector and delivery mode lie where the entry has them. */
	return (e & 0x7ff) | MSI_ASSERT | (e & REDIR_LEVEL ? MSI_LEVEL : 0);
}

static void update_routes(struct ioapic *io)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry[IOAPIC_NR_PINS];
	} routes;
	struct nvl_error err;
	unsigned int i, n = 0;

	memset(&routes, 0, sizeof(routes));
	for (i = 0; i < IOAPIC_NR_PINS; i++) {
		if (io->redir[i] & REDIR_MASKED)
			continue;
		routes.entry[n].gsi = i;
		routes.entry[n].type = KVM_IRQ_ROUTING_MSI;
		routes.entry[n].u.msi.address_lo = msi_address(io->redir[i]);
		routes.entry[n].u.msi.data = msi_data(io->redir[i]);
		n++;
	}
	routes.head.nr = n;
	if (nvl_vm_ioctl(io->m->vm, KVM_SET_GSI_ROUTING, &routes,
			 "the interrupt routes cannot be set", &err) < 0)
		machine_end(io->m, END_HOST_ERROR, 0, NULL, "%s", err.text);
}

void ioapic_restore(struct ioapic *io, const struct ioapic *from)
{
	struct machine *m = io->m;

	*io = *from;
	io->m = m;
	update_routes(io);
}

static void deliver(struct ioapic *io, unsigned int pin)
{
	uint64_t *e = &io->redir[pin];
	struct nvl_error err;

	if (*e & REDIR_MASKED)
		return;
	if (*e & REDIR_LEVEL) {
		if (*e & REDIR_REMOTE_IRR || !(io->lines & 1u << pin))
			return;
		*e |= REDIR_REMOTE_IRR;
	} else {
		if (!(io->irr & 1u << pin))
			return;
		io->irr &= ~(1u << pin);
	}
	if (nvl_vm_signal_msi(io->m->vm, msi_address(*e), msi_data(*e), &err) < 0)
		machine_end(io->m, END_HOST_ERROR, 0, NULL, "%s", err.text);
}

void ioapic_set_irq(struct ioapic *io, unsigned int pin, bool level)
{
	uint32_t bit = 1u << pin;

	if (level && !(io->lines & bit))
		io->irr |= bit;
	io->lines = level ? io->lines | bit : io->lines & ~bit;
	if (level)
		deliver(io, pin);
}

void ioapic_eoi(struct ioapic *io, uint8_t vector)
{
	unsigned int i;

	for (i = 0; i < IOAPIC_NR_PINS; i++) {
		uint64_t *e = &io->redir[i];

		if ((*e & REDIR_VECTOR) != vector || !(*e & REDIR_LEVEL))
			continue;
		*e &= ~REDIR_REMOTE_IRR;
		deliver(io, i);
	}
}

uint32_t ioapic_read(struct ioapic *io, uint64_t off)
{
	unsigned int pin;

	if (off == REG_SELECT)
		return io->select;
	if (off != REG_WINDOW)
		return 0;
	switch (io->select) {
	case IDX_ID:
	case IDX_ARBITRATION:
		return (uint32_t)io->id << 24;
	case IDX_VERSION:
		return VERSION | (IOAPIC_NR_PINS - 1) << 16;
	}
	pin = (io->select - IDX_REDIR) / 2;
	if (io->select < IDX_REDIR || pin >= IOAPIC_NR_PINS)
		return 0;
	return io->redir[pin] >> (io->select & 1 ? 32 : 0);
}

static void redir_write(struct ioapic *io, unsigned int pin, bool high, uint32_t v)
{
	uint64_t *e = &io->redir[pin], old = *e;

	if (high)
		*e = (*e & 0xffffffffull) | (uint64_t)v << 32;
	else
		*e = (*e & ~0xffffffffull) | (*e & REDIR_READONLY) | (v & ~REDIR_READONLY);
	/* A pin that becomes edge-triggered forgets what it waited for. */
	if (!(*e & REDIR_LEVEL))
		*e &= ~REDIR_REMOTE_IRR;
	/* Writing the same again is what drivers do to unmask: spare the kernel. */
	if (*e != old && !(*e & old & REDIR_MASKED))
		update_routes(io);
	deliver(io, pin);
}

void ioapic_write(struct ioapic *io, uint64_t off, uint32_t v)
{
	unsigned int pin = (io->select - IDX_REDIR) / 2;

	switch (off) {
	case REG_SELECT:
		io->select = v;
		break;
	case REG_EOI:
		ioapic_eoi(io, v);
		break;
	case REG_WINDOW:
		if (io->select == IDX_ID)
			io->id = v >> 24 & 0xf;
		else if (io->select >= IDX_REDIR && pin < IOAPIC_NR_PINS)
			redir_write(io, pin, io->select & 1, v);
		break;
	}
}

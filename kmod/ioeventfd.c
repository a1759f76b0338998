// SPDX-License-Identifier: GPL-2.0
/* ioeventfd: a guest's write to an address signals an eventfd instead of exiting. */
#include <linux/eventfd.h>
#include <linux/kvm.h>
#include <linux/slab.h>
#include <linux/srcu.h>
#include "compat.h"
#include "irqchip.h"

#define IOEVENTFD_MAX	1000	/* in a VM, as many as KVM has places on a bus */

struct nv_ioeventfd {
	struct hlist_node node;
	struct eventfd_ctx *eventfd;
	bool pio;
	u64 addr;
	u32 len;		/* 0: any */
	bool any_value;
	u64 value;
};

static bool ioeventfd_hit(const struct nv_ioeventfd *e, bool pio, u64 addr, const void *data,
			  unsigned int len)
{
	u64 value = 0;

	if (e->pio != pio || e->addr != addr)
		return false;
	if (!e->len)
		return true;
	if (e->len != len)
		return false;
	/* Little-endian: the low bytes are the value. */
	memcpy(&value, data, len);
	return e->any_value || value == e->value;
}

bool ioeventfd_write(struct nv_vm *vm, bool pio, u64 addr, const void *data, unsigned int len)
{
	struct nv_irqchip *chip = vm->irqchip;
	struct nv_ioeventfd *e;

	hash_for_each_possible_rcu(chip->ioeventfds, e, node, addr,
				   srcu_read_lock_held(&vm->srcu)) {
		if (!ioeventfd_hit(e, pio, addr, data, len))
			continue;
		eventfd_signal(e->eventfd);
		return true;
	}
	return false;
}

/* Could one write mean both? Under vm->lock. */
static bool ioeventfd_collides(struct nv_irqchip *chip, const struct nv_ioeventfd *new)
{
	struct nv_ioeventfd *e;

	hash_for_each_possible(chip->ioeventfds, e, node, new->addr) {
		if (e->pio != new->pio || e->addr != new->addr)
			continue;
		if (!e->len || !new->len)
			return true;
		if (e->len == new->len &&
		    (e->any_value || new->any_value || e->value == new->value))
			return true;
	}
	return false;
}

static int ioeventfd_parse(const struct kvm_ioeventfd *args, struct nv_ioeventfd *e)
{
	if (args->flags & ~(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO |
			    KVM_IOEVENTFD_FLAG_DEASSIGN))
		return -EINVAL;
	switch (args->len) {
	case 0:
		/* Any length: there is no value to compare. */
		if (args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)
			return -EINVAL;
		break;
	case 1:
	case 2:
	case 4:
	case 8:
		break;
	default:
		return -EINVAL;
	}
	if (args->addr + args->len < args->addr)
		return -EINVAL;
	e->pio = args->flags & KVM_IOEVENTFD_FLAG_PIO;
	if (e->pio && args->addr + args->len > 0x10000)
		return -EINVAL;
	e->addr = args->addr;
	e->len = args->len;
	e->any_value = !(args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);
	e->value = e->any_value ? 0 : args->datamatch;
	return 0;
}

static int ioeventfd_assign(struct nv_vm *vm, struct nv_ioeventfd *template)
{
	struct nv_irqchip *chip = vm->irqchip;
	struct nv_ioeventfd *e;

	if (ioeventfd_collides(chip, template))
		return -EEXIST;
	if (chip->ioeventfd_count >= IOEVENTFD_MAX)
		return -ENOSPC;
	e = kmemdup(template, sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	hash_add_rcu(chip->ioeventfds, &e->node, e->addr);
	chip->ioeventfd_count++;
	return 0;
}

static int ioeventfd_deassign(struct nv_vm *vm, const struct nv_ioeventfd *template)
{
	struct nv_irqchip *chip = vm->irqchip;
	struct nv_ioeventfd *e;

	hash_for_each_possible(chip->ioeventfds, e, node, template->addr) {
		if (e->eventfd != template->eventfd || e->pio != template->pio ||
		    e->addr != template->addr || e->len != template->len ||
		    e->any_value != template->any_value || e->value != template->value)
			continue;
		hash_del_rcu(&e->node);
		chip->ioeventfd_count--;
		synchronize_srcu(&vm->srcu);
		eventfd_ctx_put(e->eventfd);
		kfree(e);
		return 0;
	}
	return -ENOENT;
}

int ioeventfd_ioctl(struct nv_vm *vm, const struct kvm_ioeventfd *args)
{
	struct nv_ioeventfd e = { };
	int ret = ioeventfd_parse(args, &e);

	if (ret)
		return ret;
	e.eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(e.eventfd))
		return PTR_ERR(e.eventfd);
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN) {
		ret = ioeventfd_deassign(vm, &e);
		eventfd_ctx_put(e.eventfd);
		return ret;
	}
	ret = ioeventfd_assign(vm, &e);
	if (ret)
		eventfd_ctx_put(e.eventfd);
	return ret;
}

/* No vCPU runs any more. */
void ioeventfd_destroy_all(struct nv_vm *vm)
{
	struct nv_ioeventfd *e;
	struct hlist_node *next;
	int bucket;

	hash_for_each_safe(vm->irqchip->ioeventfds, bucket, next, e, node) {
		hash_del(&e->node);
		eventfd_ctx_put(e->eventfd);
		kfree(e);
	}
}

// SPDX-License-Identifier: GPL-2.0
/* Copy an ioctl's argument in and out as its row says. */
#include "ioctl.h"
#include <linux/slab.h>
#include <linux/uaccess.h>

#define ON_STACK	256

const struct nv_ioctl *nv_ioctl_find(const struct nv_ioctl *table, size_t n, unsigned int cmd)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (table[i].cmd == cmd)
			return &table[i];
	return NULL;
}

static long call_fixed(const struct nv_ioctl *row, void *obj, void __user *user, void *buf)
{
	size_t size = _IOC_SIZE(row->cmd);
	struct nv_ioctl_arg arg = { .buf = buf };
	long ret;

	if ((_IOC_DIR(row->cmd) & _IOC_WRITE) && copy_from_user(buf, user, size))
		return -EFAULT;
	ret = row->fn(obj, &arg);
	if (ret >= 0 && (_IOC_DIR(row->cmd) & _IOC_READ) && copy_to_user(user, buf, size))
		return -EFAULT;
	return ret;
}

static long call_sized(const struct nv_ioctl *row, void *obj, void __user *user, void *buf)
{
	struct nv_ioctl_arg arg = { .buf = buf };
	u32 usize;
	long ret;

	if (get_user(usize, (u32 __user *)user))
		return -EFAULT;
	if (usize < row->min)
		return -EINVAL;
	/* An absurd size would have us look for zeros in all of user space. */
	if (usize > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(buf, row->size, user, usize);
	if (ret)
		return ret;
	/* Read once: what follows uses the size that was checked. */
	*(u32 *)buf = usize;
	ret = row->fn(obj, &arg);
	if (ret >= 0 && copy_to_user(user, buf, min_t(size_t, usize, row->size)))
		return -EFAULT;
	return ret;
}

static long call_with_buffer(const struct nv_ioctl *row, void *obj, void __user *user, void *buf)
{
	return row->kind == ARG_FIXED ? call_fixed(row, obj, user, buf) :
					call_sized(row, obj, user, buf);
}

long nv_ioctl_call(const struct nv_ioctl *row, void *obj, unsigned long value)
{
	size_t size = row->kind == ARG_FIXED ? _IOC_SIZE(row->cmd) : row->size;
	struct nv_ioctl_arg arg = { .value = value };
	u64 small[ON_STACK / sizeof(u64)] = { };
	void *big;
	long ret;

	if (row->kind == ARG_VALUE || row->kind == ARG_POINTER)
		return row->fn(obj, &arg);
	if (size <= sizeof(small))
		return call_with_buffer(row, obj, (void __user *)value, small);
	big = kzalloc(size, GFP_KERNEL);
	if (!big)
		return -ENOMEM;
	ret = call_with_buffer(row, obj, (void __user *)value, big);
	kfree(big);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics of a vCPU in the binary format of KVM_GET_STATS_FD: header, id,
 * descriptors, data. Read as a file; the values are of the moment of reading.
 */
#include "stats.h"
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "dev.h"
#include "vcpu.h"

#define NAME_SIZE	48
#define ID_SIZE		32

static const char *const stat_names[] = {
#define S(name, help) #name,
	NV_STATS(S)
#undef S
};

#define R(name, number) [number] = #name,
static const char *const exit_names[VMEXIT_COUNT] = { VMX_EXIT_REASONS(R) };
#undef R

struct desc {
	struct kvm_stats_desc d;
	char name[NAME_SIZE];
};

struct stats_file {
	struct nv_vcpu *vcpu;
	struct file *owner;
	size_t header_size;	/* header, id and descriptors */
	u32 ndesc;
	void *header;
	u16 *index;		/* of each descriptor: into struct nv_stats as u64[] */
};

static void add(struct stats_file *sf, struct desc *descs, const char *prefix, const char *name,
		size_t index)
{
	struct desc *d = &descs[sf->ndesc];

	d->d.flags = KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10;
	d->d.size = 1;
	d->d.offset = sf->ndesc * sizeof(u64);
	snprintf(d->name, sizeof(d->name), "%s%s", prefix, name);
	sf->index[sf->ndesc++] = index;
}

static int build(struct stats_file *sf)
{
	size_t max = STAT_COUNT + 2 * VMEXIT_COUNT;
	size_t desc_offset = sizeof(struct kvm_stats_header) + ID_SIZE;
	struct kvm_stats_header *h;
	struct desc *descs;
	unsigned int i;

	sf->header = kvzalloc(desc_offset + max * sizeof(*descs), GFP_KERNEL_ACCOUNT);
	sf->index = kvcalloc(max, sizeof(*sf->index), GFP_KERNEL_ACCOUNT);
	if (!sf->header || !sf->index)
		return -ENOMEM;
	descs = sf->header + desc_offset;
	for (i = 0; i < STAT_COUNT; i++)
		add(sf, descs, "", stat_names[i], i);
	for (i = 0; i < 2 * VMEXIT_COUNT; i++)
		if (exit_names[i % VMEXIT_COUNT])
			add(sf, descs, i < VMEXIT_COUNT ? "exit_l1_" : "exit_l2_",
			    exit_names[i % VMEXIT_COUNT], STAT_COUNT + i);
	sf->header_size = desc_offset + sf->ndesc * sizeof(*descs);
	h = sf->header;
	h->name_size = NAME_SIZE;
	h->num_desc = sf->ndesc;
	h->id_offset = sizeof(*h);
	h->desc_offset = desc_offset;
	h->data_offset = sf->header_size;
	snprintf(sf->header + h->id_offset, ID_SIZE, "nestvm-vcpu-%u", sf->vcpu->id);
	return 0;
}

static ssize_t stats_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct stats_file *sf = file->private_data;
	const u64 *values = (const u64 *)&sf->vcpu->stats;
	size_t data = sf->ndesc * sizeof(u64);
	ssize_t ret;
	u64 *copy;
	u32 i;

	if (*pos < sf->header_size)
		return simple_read_from_buffer(buf, len, pos, sf->header, sf->header_size);
	copy = kvmalloc(data, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	for (i = 0; i < sf->ndesc; i++)
		copy[i] = READ_ONCE(values[sf->index[i]]);
	*pos -= sf->header_size;
	ret = simple_read_from_buffer(buf, len, pos, copy, data);
	*pos += sf->header_size;
	kvfree(copy);
	return ret;
}

static void stats_free(struct stats_file *sf)
{
	kvfree(sf->header);
	kvfree(sf->index);
	kfree(sf);
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats_file *sf = file->private_data;

	fput(sf->owner);
	stats_free(sf);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.read = stats_read,
	.release = stats_release,
	.llseek = default_llseek,
};

int stats_fd(struct nv_vcpu *vcpu, struct file *owner)
{
	struct stats_file *sf = kzalloc(sizeof(*sf), GFP_KERNEL_ACCOUNT);
	struct file *file;
	int fd, ret;

	if (!sf)
		return -ENOMEM;
	sf->vcpu = vcpu;
	ret = build(sf);
	if (ret)
		goto free;
	fd = get_unused_fd_flags(O_CLOEXEC);
	ret = fd;
	if (fd < 0)
		goto free;
	file = anon_inode_getfile("nestvm-stats", &stats_fops, sf, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		ret = PTR_ERR(file);
		goto free;
	}
	/* The vCPU lives as long as its file. */
	sf->owner = get_file(owner);
	file->f_mode |= FMODE_PREAD;
	fd_install(fd, file);
	return fd;

free:
	stats_free(sf);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics of a vCPU or a VM in the binary format of KVM_GET_STATS_FD: header, id,
 * descriptors, data. Read as a file; the values are of the moment of reading.
 */
#include "stats.h"
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "dev.h"
#include "vcpu.h"

/* What a VM holds now, in 4-KiB pages: V(name, expression of vm) */
#define VM_STATS(V)						\
	V(vcpus, vm->vcpu_count)				\
	V(pinned_pages, READ_ONCE(vm->pinned_pages))		\
	V(resident_pages, vm->dynamic ? READ_ONCE(vm->ept.mapped) : READ_ONCE(vm->pinned_pages)) \
	V(table_pages, READ_ONCE(vm->ept.table_pages))

#define NAME_SIZE	48
#define ID_SIZE		32

static const struct {
	const char *name;
	u32 unit;
} stat_rows[] = {
#define S(name, unit, help) { #name, KVM_STATS_UNIT_##unit },
	NV_STATS(S)
#undef S
};

#define V(name, value) #name,
static const char *const vm_names[] = { VM_STATS(V) };
#undef V

#define VALUE_COUNT	(sizeof(struct nv_stats) / sizeof(u64))

#define R(name, number) [number] = #name,
static const char *const exit_names[VMEXIT_COUNT] = { VMX_EXIT_REASONS(R) };
#undef R

struct desc {
	struct kvm_stats_desc d;
	char name[NAME_SIZE];
};

struct stats_file {
	struct nv_vm *vm;
	struct nv_vcpu *vcpu;	/* NULL: of the whole VM */
	struct file *owner;
	size_t header_size;	/* header, id and descriptors */
	u32 ndesc;
	void *header;
	u16 *index;		/* of each: into struct nv_stats as u64[], then vm_names */
};

static void add(struct stats_file *sf, struct desc *descs, const char *prefix, const char *name,
		size_t index, u32 flags)
{
	struct desc *d = &descs[sf->ndesc];

	d->d.flags = flags | KVM_STATS_BASE_POW10;
	d->d.size = 1;
	d->d.offset = sf->ndesc * sizeof(u64);
	snprintf(d->name, sizeof(d->name), "%s%s", prefix, name);
	sf->index[sf->ndesc++] = index;
}

static int build(struct stats_file *sf)
{
	size_t max = VALUE_COUNT + ARRAY_SIZE(vm_names);
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
		add(sf, descs, "", stat_rows[i].name, i,
		    KVM_STATS_TYPE_CUMULATIVE | stat_rows[i].unit);
	for (i = 0; i < 2 * VMEXIT_COUNT; i++)
		if (exit_names[i % VMEXIT_COUNT])
			add(sf, descs, i < VMEXIT_COUNT ? "exit_l1_" : "exit_l2_",
			    exit_names[i % VMEXIT_COUNT], STAT_COUNT + i,
			    KVM_STATS_TYPE_CUMULATIVE);
	for (i = 0; !sf->vcpu && i < ARRAY_SIZE(vm_names); i++)
		add(sf, descs, "", vm_names[i], VALUE_COUNT + i, KVM_STATS_TYPE_INSTANT);
	sf->header_size = desc_offset + sf->ndesc * sizeof(*descs);
	h = sf->header;
	h->name_size = NAME_SIZE;
	h->num_desc = sf->ndesc;
	h->id_offset = sizeof(*h);
	h->desc_offset = desc_offset;
	h->data_offset = sf->header_size;
	if (sf->vcpu)
		snprintf(sf->header + h->id_offset, ID_SIZE, "nestvm-vcpu-%u", sf->vcpu->id);
	else
		snprintf(sf->header + h->id_offset, ID_SIZE, "nestvm-vm");
	return 0;
}

static u64 sum(struct nv_vm *vm, size_t index)
{
	struct nv_vcpu *vcpu;
	u64 total = 0;
	int i;

	nv_for_each_vcpu(i, vcpu, vm)
		total += READ_ONCE(((const u64 *)&vcpu->stats)[index]);
	return total;
}

static u64 value_of(struct stats_file *sf, size_t index)
{
	const struct nv_vm *vm = sf->vm;
#define V(name, value) value,
	const u64 held[] = { VM_STATS(V) };
#undef V

	if (sf->vcpu)
		return READ_ONCE(((const u64 *)&sf->vcpu->stats)[index]);
	return index < VALUE_COUNT ? sum(sf->vm, index) : held[index - VALUE_COUNT];
}

static ssize_t stats_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct stats_file *sf = file->private_data;
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
		copy[i] = value_of(sf, sf->index[i]);
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

int stats_fd(struct nv_vm *vm, struct nv_vcpu *vcpu, struct file *owner)
{
	struct stats_file *sf = kzalloc(sizeof(*sf), GFP_KERNEL_ACCOUNT);
	struct dev_new_file f;
	int ret;

	if (!sf)
		return -ENOMEM;
	sf->vm = vm;
	sf->vcpu = vcpu;
	ret = build(sf);
	if (ret)
		goto free;
	ret = dev_new_file(&f, "nestvm-stats", &stats_fops, sf, O_RDONLY);
	if (ret)
		goto free;
	/* The vCPU, and the VM, live as long as their files. */
	sf->owner = get_file(owner);
	f.file->f_mode |= FMODE_PREAD;
	fd_install(f.fd, f.file);
	return f.fd;

free:
	stats_free(sf);
	return ret;
}

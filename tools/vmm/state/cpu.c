// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU's state by the commands of the KVM API, in an order in which no value
 * is refused, changed or lost because another is not there yet:
 *
 *	CPUID, TSC, special registers (they hold the local APIC's base and mode),
 *	local APIC, MSRs (they hold what VT-x may do, and the timer's deadline),
 *	XCR0 and extended state, nested state, registers, debug registers, events,
 *	and the run state last.
 *
 * The guest's TSC goes on where it stood, so that none of its clocks jumps back.
 */
#include "parts.h"

#include "../machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <x86intrin.h>

#define IA32_TSC	0x10
#define IA32_VMX_BASIC	0x480
#define IA32_VMX_LAST	0x491
#define MSRS_MAX	1024
#define CPUID_MAX	1024
#define XSAVE_MAX	(64u << 10)
#define NESTED_MAX	(64u << 10)

uint64_t cpu_host_tsc(void)
{
	return __rdtsc();
}

int cpu_state_possible(struct machine *m, struct nvl_error *err)
{
	if (m->conf->expose && nvl_vm_cap(m->vm, KVM_CAP_NESTED_STATE) <= 0)
		return nvl_fail(err, EOPNOTSUPP,
				"the VM has VT-x, and %s cannot tell the state of its nested guests: stop the VM instead, or switch its virtualization extensions off.",
				nvl_device_path(m->dev));
	return 0;
}

/* Reading */

static int save_cpuid(struct nvl_vcpu *vcpu, struct pack *p, struct nvl_error *err)
{
	struct kvm_cpuid2 *c;
	uint32_t i;
	int ret;

	c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));
	if (!c)
		return nvl_fail(err, ENOMEM, "no memory left for the CPUID table.");
	c->nent = CPUID_MAX;
	ret = nvl_vcpu_ioctl(vcpu, KVM_GET_CPUID2, c, "CPUID cannot be read back", err);
	if (ret == 0) {
		pack_u32(p, c->nent);
		for (i = 0; i < c->nent; i++) {
			const struct kvm_cpuid_entry2 *e = &c->entries[i];

			pack_u32(p, e->function);
			pack_u32(p, e->index);
			pack_u32(p, e->flags);
			pack_u32(p, e->eax);
			pack_u32(p, e->ebx);
			pack_u32(p, e->ecx);
			pack_u32(p, e->edx);
		}
	}
	free(c);
	return ret;
}

static struct kvm_msr_list *msr_list(struct machine *m, struct nvl_error *err)
{
	struct kvm_msr_list *list;

	list = calloc(1, sizeof(*list) + MSRS_MAX * sizeof(list->indices[0]));
	if (!list) {
		nvl_fail(err, ENOMEM, "no memory left for the list of MSRs.");
		return NULL;
	}
	list->nmsrs = MSRS_MAX;
	if (ioctl(nvl_device_fd(m->dev), KVM_GET_MSR_INDEX_LIST, list) < 0) {
		nvl_fail(err, errno, "%s does not tell its MSRs: %s.", nvl_device_path(m->dev),
			 strerror(errno));
		free(list);
		return NULL;
	}
	return list;
}

/* Every MSR the device lists and this vCPU has; the TSC goes its own way. */
static int save_msrs(struct machine *m, struct nvl_vcpu *vcpu, struct pack *p,
		     struct nvl_error *err)
{
	struct kvm_msr_list *list = msr_list(m, err);
	struct pack found;
	uint32_t i, n = 0;
	uint64_t value;

	if (!list)
		return -EIO;
	pack_init(&found);
	for (i = 0; i < list->nmsrs; i++) {
		if (list->indices[i] == IA32_TSC ||
		    nvl_vcpu_get_msr(vcpu, list->indices[i], &value, NULL) < 0)
			continue;
		pack_u32(&found, list->indices[i]);
		pack_u64(&found, value);
		n++;
	}
	pack_u32(p, n);
	pack_bytes(p, found.data, found.len);
	p->failed |= found.failed;
	pack_free(&found);
	free(list);
	return 0;
}

static bool has_tsc_offset(struct nvl_vcpu *vcpu)
{
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
	};

	return nvl_vcpu_ioctl(vcpu, KVM_HAS_DEVICE_ATTR, &attr, "", NULL) == 0;
}

/* What the guest's TSC read at the moment @host_tsc. */
static int save_tsc(struct nvl_vcpu *vcpu, uint64_t host_tsc, struct pack *p,
		    struct nvl_error *err)
{
	uint64_t offset, tsc;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};
	int ret;

	if (has_tsc_offset(vcpu)) {
		ret = nvl_vcpu_ioctl(vcpu, KVM_GET_DEVICE_ATTR, &attr,
				     "the time-stamp counter cannot be read", err);
		tsc = host_tsc + offset;
	} else {
		ret = nvl_vcpu_get_msr(vcpu, IA32_TSC, &tsc, err);
	}
	if (ret < 0)
		return ret;
	pack_u32(p, nvl_vcpu_tsc_khz(vcpu));
	pack_u64(p, tsc);
	return 0;
}

static int save_xsave(struct machine *m, struct nvl_vcpu *vcpu, struct pack *p,
		      struct nvl_error *err)
{
	int size = nvl_vm_cap(m->vm, KVM_CAP_XSAVE2);
	bool wide = size > (int)sizeof(struct kvm_xsave);
	void *buf;
	int ret;

	if (!wide)
		size = sizeof(struct kvm_xsave);
	buf = calloc(1, size);
	if (!buf)
		return nvl_fail(err, ENOMEM, "no memory left for the vCPU's extended state.");
	ret = nvl_vcpu_ioctl(vcpu, wide ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, buf,
			     "the extended state cannot be read", err);
	if (ret == 0)
		pack_blob(p, buf, size);
	free(buf);
	return ret;
}

static int save_nested(struct machine *m, struct nvl_vcpu *vcpu, struct pack *p,
		       struct nvl_error *err)
{
	int size = m->conf->expose ? nvl_vm_cap(m->vm, KVM_CAP_NESTED_STATE) : 0;
	struct kvm_nested_state *s;
	int ret;

	if (size <= 0) {
		pack_blob(p, NULL, 0);
		return 0;
	}
	if (size < (int)sizeof(*s))
		size = sizeof(*s);
	s = calloc(1, size);
	if (!s)
		return nvl_fail(err, ENOMEM, "no memory left for the nested state.");
	s->size = size;
	ret = nvl_vcpu_ioctl(vcpu, KVM_GET_NESTED_STATE, s, "the nested state cannot be read",
			     err);
	if (ret == 0)
		pack_blob(p, s, s->size);
	free(s);
	return ret;
}

/* A structure of fixed size that one command reads. */
static int save_struct(struct nvl_vcpu *vcpu, unsigned long cmd, size_t size, const char *what,
		       struct pack *p, struct nvl_error *err)
{
	uint8_t buf[2048] = { 0 };
	int ret;

	ret = nvl_vcpu_ioctl(vcpu, cmd, buf, what, err);
	if (ret == 0)
		pack_blob(p, buf, size);
	return ret;
}

/*
 * The structures, in the order in which they are read: the run state first, since
 * that lets a pending INIT act; sources of interrupts before where they go.
 * pseudo-rows mark what is no structure.
 */
enum { ROW_STRUCT, ROW_CPUID, ROW_TSC, ROW_MSRS, ROW_XSAVE, ROW_NESTED };

static const struct {
	unsigned int kind;
	unsigned long get, set;
	size_t size;
	const char *get_what, *set_what;
} rows[] = {
#define ROW(NAME, type, text) \
	{ ROW_STRUCT, KVM_GET_##NAME, KVM_SET_##NAME, sizeof(struct type), \
	  text " cannot be read", text " cannot be restored" }
	ROW(MP_STATE, kvm_mp_state, "the run state"),
	{ ROW_CPUID, 0, 0, 0, "", "" },
	{ ROW_MSRS, 0, 0, 0, "", "" },
	ROW(LAPIC, kvm_lapic_state, "the local APIC"),
	ROW(REGS, kvm_regs, "the registers"),
	ROW(SREGS2, kvm_sregs2, "the special registers"),
	{ ROW_XSAVE, 0, 0, 0, "", "" },
	ROW(XCRS, kvm_xcrs, "XCR0"),
	ROW(DEBUGREGS, kvm_debugregs, "the debug registers"),
	ROW(VCPU_EVENTS, kvm_vcpu_events, "the pending events"),
	{ ROW_NESTED, 0, 0, 0, "", "" },
	{ ROW_TSC, 0, 0, 0, "", "" },
#undef ROW
};

#define NROWS (sizeof(rows) / sizeof(rows[0]))

int cpu_state_save(struct machine *m, unsigned int i, uint64_t host_tsc, struct pack *p,
		   struct nvl_error *err)
{
	struct nvl_vcpu *vcpu = m->cpus[i].vcpu;
	unsigned int r;
	int ret = 0;

	for (r = 0; r < NROWS && ret == 0; r++) {
		switch (rows[r].kind) {
		case ROW_CPUID:
			ret = save_cpuid(vcpu, p, err);
			break;
		case ROW_TSC:
			ret = save_tsc(vcpu, host_tsc, p, err);
			break;
		case ROW_MSRS:
			ret = save_msrs(m, vcpu, p, err);
			break;
		case ROW_XSAVE:
			ret = save_xsave(m, vcpu, p, err);
			break;
		case ROW_NESTED:
			ret = save_nested(m, vcpu, p, err);
			break;
		default:
			ret = save_struct(vcpu, rows[r].get, rows[r].size, rows[r].get_what, p,
					  err);
			break;
		}
	}
	return ret;
}

/* Writing */

struct cpu_parts {
	struct kvm_cpuid2 *cpuid;
	uint32_t nmsrs;
	struct kvm_msr_entry *msrs;
	const uint8_t *blob[NROWS];
	size_t len[NROWS];
	uint32_t tsc_khz;
	uint64_t tsc;
};

static void parse_cpuid(struct cpu_parts *c, struct unpack *u)
{
	uint32_t i, n = unpack_max(u, CPUID_MAX);

	c->cpuid = calloc(1, sizeof(*c->cpuid) + n * sizeof(c->cpuid->entries[0]));
	if (!c->cpuid) {
		u->failed = true;
		return;
	}
	c->cpuid->nent = n;
	for (i = 0; i < n; i++) {
		struct kvm_cpuid_entry2 *e = &c->cpuid->entries[i];

		e->function = unpack_u32(u);
		e->index = unpack_u32(u);
		e->flags = unpack_u32(u);
		e->eax = unpack_u32(u);
		e->ebx = unpack_u32(u);
		e->ecx = unpack_u32(u);
		e->edx = unpack_u32(u);
	}
}

static void parse_msrs(struct cpu_parts *c, struct unpack *u)
{
	uint32_t i;

	c->nmsrs = unpack_max(u, MSRS_MAX);
	c->msrs = calloc(c->nmsrs + 1, sizeof(*c->msrs));
	if (!c->msrs) {
		u->failed = true;
		return;
	}
	for (i = 0; i < c->nmsrs; i++) {
		c->msrs[i].index = unpack_u32(u);
		c->msrs[i].data = unpack_u64(u);
	}
}

static bool parse(struct cpu_parts *c, struct unpack *u)
{
	unsigned int r;

	for (r = 0; r < NROWS; r++) {
		switch (rows[r].kind) {
		case ROW_CPUID:
			parse_cpuid(c, u);
			break;
		case ROW_MSRS:
			parse_msrs(c, u);
			break;
		case ROW_TSC:
			c->tsc_khz = unpack_u32(u);
			c->tsc = unpack_u64(u);
			break;
		case ROW_XSAVE:
			c->blob[r] = unpack_blob(u, XSAVE_MAX, &c->len[r]);
			break;
		case ROW_NESTED:
			c->blob[r] = unpack_blob(u, NESTED_MAX, &c->len[r]);
			break;
		default:
			c->blob[r] = unpack_blob(u, rows[r].size, &c->len[r]);
			if (c->len[r] != rows[r].size)
				u->failed = true;
			break;
		}
	}
	return unpack_ok(u);
}

static unsigned int row_of(unsigned int kind, unsigned long set)
{
	unsigned int r;

	for (r = 0; r < NROWS - 1; r++)
		if (rows[r].kind == kind && rows[r].set == set)
			break;
	return r;
}

/* A copy that may be as long as the device wants to read, zeros behind what was saved. */
static int load_blob(struct nvl_vcpu *vcpu, const struct cpu_parts *c, unsigned int r,
		     unsigned long cmd, size_t room, const char *what, struct nvl_error *err)
{
	uint8_t *buf = calloc(1, c->len[r] > room ? c->len[r] : room);
	int ret;

	if (!buf)
		return nvl_fail(err, ENOMEM, "no memory left for a vCPU's state.");
	memcpy(buf, c->blob[r], c->len[r]);
	ret = nvl_vcpu_ioctl(vcpu, cmd, buf, what, err);
	free(buf);
	return ret;
}

static int load_struct(struct nvl_vcpu *vcpu, const struct cpu_parts *c, unsigned long set,
		       struct nvl_error *err)
{
	unsigned int r = row_of(ROW_STRUCT, set);

	return load_blob(vcpu, c, r, set, rows[r].size, rows[r].set_what, err);
}

static int load_msrs(struct nvl_vcpu *vcpu, const struct cpu_parts *c, struct nvl_error *err)
{
	uint64_t have;
	uint32_t i;
	int ret;

	for (i = 0; i < c->nmsrs; i++) {
		const struct kvm_msr_entry *e = &c->msrs[i];

		/* What it has already need not be writable, such as a capability. */
		if (nvl_vcpu_get_msr(vcpu, e->index, &have, NULL) == 0 && have == e->data)
			continue;
		ret = nvl_vcpu_set_msr(vcpu, e->index, e->data, err);
		if (ret < 0 && e->index >= IA32_VMX_BASIC && e->index <= IA32_VMX_LAST)
			return nvl_fail(err, EOPNOTSUPP,
					"this host's VT-x lacks what the VM was shown: capability MSR %xH is %llxH there and %llxH here. Restrict the VM's processor description to what both hosts have.",
					e->index, (unsigned long long)e->data,
					(unsigned long long)have);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int load_tsc(struct nvl_vcpu *vcpu, const struct cpu_parts *c, uint64_t host_tsc,
		    struct nvl_error *err)
{
	uint64_t offset = c->tsc - host_tsc;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};
	uint32_t here = nvl_vcpu_tsc_khz(vcpu);
	int ret;

	if (c->tsc_khz && here && c->tsc_khz != here) {
		ret = nvl_vcpu_ioctl(vcpu, KVM_SET_TSC_KHZ, (void *)(uintptr_t)c->tsc_khz,
				     "the time-stamp counter's rate cannot be restored", NULL);
		if (ret < 0)
			return nvl_fail(err, -ret,
					"the VM's time-stamp counter runs at %u kHz, this host's at %u kHz, and its CPU cannot scale: use a host of the same rate.",
					c->tsc_khz, here);
	}
	if (!has_tsc_offset(vcpu))
		return nvl_vcpu_set_msr(vcpu, IA32_TSC, c->tsc, err);
	return nvl_vcpu_ioctl(vcpu, KVM_SET_DEVICE_ATTR, &attr,
			      "the time-stamp counter cannot be restored", err);
}

static int load_xsave(struct machine *m, struct nvl_vcpu *vcpu, const struct cpu_parts *c,
		      struct nvl_error *err)
{
	int size = nvl_vm_cap(m->vm, KVM_CAP_XSAVE2);

	if (size < (int)sizeof(struct kvm_xsave))
		size = sizeof(struct kvm_xsave);
	if (c->len[row_of(ROW_XSAVE, 0)] > (size_t)size)
		return nvl_fail(err, EOPNOTSUPP,
				"this host's CPU lacks extended state that the VM uses (AMX or the like).");
	return load_blob(vcpu, c, row_of(ROW_XSAVE, 0), KVM_SET_XSAVE, size,
			 "the extended state cannot be restored", err);
}

static int load_nested(struct machine *m, struct nvl_vcpu *vcpu, const struct cpu_parts *c,
		       struct nvl_error *err)
{
	unsigned int r = row_of(ROW_NESTED, 0);
	const struct kvm_nested_state *s = (const void *)c->blob[r];
	int max = nvl_vm_cap(m->vm, KVM_CAP_NESTED_STATE);
	uint32_t size;

	if (!c->len[r])
		return 0;
	if (!m->conf->expose || max <= 0)
		return nvl_fail(err, EOPNOTSUPP,
				"the state has nested guests, and this VM or %s has no VT-x to run them.",
				nvl_device_path(m->dev));
	if (c->len[r] < sizeof(*s) || c->len[r] > (size_t)max)
		return nvl_fail(err, EBADMSG, "the nested state's size is no nested state's.");
	memcpy(&size, &s->size, sizeof(size));
	if (size != c->len[r])
		return nvl_fail(err, EBADMSG, "the nested state's size is not what it says.");
	return load_blob(vcpu, c, r, KVM_SET_NESTED_STATE, max,
			 "the nested state cannot be restored", err);
}

static int apply(struct machine *m, struct nvl_vcpu *vcpu, const struct cpu_parts *c,
		 uint64_t host_tsc, struct nvl_error *err)
{
	int ret;

	ret = nvl_vcpu_set_cpuid(vcpu, c->cpuid, err);
	if (ret == 0)
		ret = load_tsc(vcpu, c, host_tsc, err);
	if (ret == 0)
		ret = load_struct(vcpu, c, KVM_SET_SREGS2, err);
	if (ret == 0)
		ret = load_struct(vcpu, c, KVM_SET_LAPIC, err);
	if (ret == 0)
		ret = load_msrs(vcpu, c, err);
	if (ret == 0)
		ret = load_struct(vcpu, c, KVM_SET_XCRS, err);
	if (ret == 0)
		ret = load_xsave(m, vcpu, c, err);
	if (ret == 0)
		ret = load_nested(m, vcpu, c, err);
	if (ret == 0)
		ret = load_struct(vcpu, c, KVM_SET_REGS, err);
	if (ret == 0)
		ret = load_struct(vcpu, c, KVM_SET_DEBUGREGS, err);
	if (ret == 0)
		ret = load_struct(vcpu, c, KVM_SET_VCPU_EVENTS, err);
	if (ret == 0)
		ret = load_struct(vcpu, c, KVM_SET_MP_STATE, err);
	return ret;
}

int cpu_state_load(struct machine *m, unsigned int i, uint64_t host_tsc, struct unpack *u,
		   struct nvl_error *err)
{
	struct cpu_parts c = { 0 };
	int ret;

	if (parse(&c, u))
		ret = apply(m, m->cpus[i].vcpu, &c, host_tsc, err);
	else
		ret = nvl_fail(err, EBADMSG, "the state of vCPU %u is not what nestvm writes.", i);
	free(c.cpuid);
	free(c.msrs);
	return ret;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The names of what VT-x offers a guest hypervisor, for the setting vtx-features.
 *
 * The setting lists what may be offered; the host's CPU and nestvm decide what
 * is. A row says which bits of which capability MSRs go when the name is not in
 * the list (SDM 3D "VMX Capability Reporting Facility"), and what it builds on.
 */
#ifndef CONF_VTX_H
#define CONF_VTX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VTX_ALL UINT64_MAX
#define VTX_BIT(feature) (1ull << (feature))

enum {
	VTX_EPT,
	VTX_EPT_2M,
	VTX_EPT_1G,
	VTX_EPT_EXEC_ONLY,
	VTX_EPT_AD,
	VTX_VPID,
	VTX_UNRESTRICTED_GUEST,
	VTX_PREEMPTION_TIMER,
	VTX_TPR_SHADOW,
	VTX_APIC_ACCESS,
	VTX_X2APIC,
	VTX_MSR_BITMAPS,
	VTX_IO_BITMAPS,
	VTX_VIRTUAL_NMIS,
	VTX_MONITOR_TRAP,
	VTX_DESCRIPTOR_EXITING,
	VTX_RDTSCP,
	VTX_INVPCID,
	VTX_WBINVD_EXITING,
	VTX_COUNT
};

/* Bits of one capability MSR; of a control word the "may be 1" half, shifted down. */
struct vtx_bits {
	uint32_t msr;
	uint64_t bits;
	bool control;
};

struct vtx_feature {
	const char *name;
	const char *help;
	uint64_t needs;			/* 1 << VTX_* of what must be offered too */
	struct vtx_bits withhold[2];	/* msr 0: none */
};

extern const struct vtx_feature vtx_features[VTX_COUNT];

#define VTX_TEXT_MAX 512

/* "all", "none", or names with commas. */
bool vtx_parse(const char *text, uint64_t *mask, char *bad, size_t room);
const char *vtx_print(uint64_t mask, char out[VTX_TEXT_MAX]);
/* A feature of @mask whose base is not in it: its index, and the base's; else -1. */
int vtx_unmet(uint64_t mask, unsigned int *base);

#endif

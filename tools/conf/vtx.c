// SPDX-License-Identifier: GPL-2.0
#include "vtx.h"

#include <stdio.h>
#include <string.h>

/* SDM 4 "Model-Specific Registers", the VMX capability MSRs. */
#define MSR_PIN		0x48d		/* the true controls: the plain ones follow them */
#define MSR_PROC	0x48e
#define MSR_EXIT	0x48f
#define MSR_PROC2	0x48b
#define MSR_EPT_VPID	0x48c

#define CTL(m, n)	{ .msr = (m), .bits = VTX_BIT(n), .control = true }
#define EPT_CAP(b)	{ .msr = MSR_EPT_VPID, .bits = (b) }

const struct vtx_feature vtx_features[VTX_COUNT] = {
	[VTX_EPT] = { "ept", "extended page tables", 0,
		{ CTL(MSR_PROC2, 1), EPT_CAP(0x06334141) } },
	[VTX_EPT_2M] = { "ept-2m", "2-MB pages in them", VTX_BIT(VTX_EPT), { EPT_CAP(VTX_BIT(16)) } },
	[VTX_EPT_1G] = { "ept-1g", "1-GB pages in them", VTX_BIT(VTX_EPT), { EPT_CAP(VTX_BIT(17)) } },
	[VTX_EPT_EXEC_ONLY] = { "ept-exec-only", "execute-only pages in them", VTX_BIT(VTX_EPT),
		{ EPT_CAP(VTX_BIT(0)) } },
	[VTX_EPT_AD] = { "ept-ad", "accessed and dirty flags in them", VTX_BIT(VTX_EPT),
		{ EPT_CAP(VTX_BIT(21)) } },
	[VTX_VPID] = { "vpid", "tagged translations", 0,
		{ CTL(MSR_PROC2, 5), EPT_CAP(0xf0100000000) } },
	[VTX_UNRESTRICTED_GUEST] = { "unrestricted-guest", "guests in real mode", VTX_BIT(VTX_EPT),
		{ CTL(MSR_PROC2, 7) } },
	[VTX_PREEMPTION_TIMER] = { "preemption-timer", "the VMX-preemption timer", 0,
		{ CTL(MSR_PIN, 6), CTL(MSR_EXIT, 22) } },
	[VTX_TPR_SHADOW] = { "tpr-shadow", "a shadow of the task priority", 0,
		{ CTL(MSR_PROC, 21) } },
	[VTX_APIC_ACCESS] = { "apic-access", "exits for accesses to the APIC page", 0,
		{ CTL(MSR_PROC2, 0) } },
	[VTX_X2APIC] = { "x2apic", "virtualised x2APIC mode", VTX_BIT(VTX_TPR_SHADOW),
		{ CTL(MSR_PROC2, 4) } },
	[VTX_MSR_BITMAPS] = { "msr-bitmaps", "MSRs without exits", 0, { CTL(MSR_PROC, 28) } },
	[VTX_IO_BITMAPS] = { "io-bitmaps", "ports without exits", 0, { CTL(MSR_PROC, 25) } },
	[VTX_VIRTUAL_NMIS] = { "virtual-nmis", "virtual NMIs and their window", 0,
		{ CTL(MSR_PIN, 5), CTL(MSR_PROC, 22) } },
	[VTX_MONITOR_TRAP] = { "monitor-trap", "the monitor trap flag", 0, { CTL(MSR_PROC, 27) } },
	[VTX_DESCRIPTOR_EXITING] = { "descriptor-exiting", "exits for LGDT, SIDT and their like", 0,
		{ CTL(MSR_PROC2, 2) } },
	[VTX_RDTSCP] = { "rdtscp", "RDTSCP in guests", 0, { CTL(MSR_PROC2, 3) } },
	[VTX_INVPCID] = { "invpcid", "INVPCID in guests", 0, { CTL(MSR_PROC2, 12) } },
	[VTX_WBINVD_EXITING] = { "wbinvd-exiting", "exits for WBINVD", 0, { CTL(MSR_PROC2, 6) } },
};

bool vtx_parse(const char *text, uint64_t *mask, char *bad, size_t room)
{
	uint64_t found = 0;

	if (!strcmp(text, "all")) {
		*mask = VTX_ALL;
		return true;
	}
	if (!strcmp(text, "none")) {
		*mask = 0;
		return true;
	}
	for (;;) {
		size_t len = strcspn(text, ",");
		unsigned int i;

		for (i = 0; i < VTX_COUNT; i++)
			if (strlen(vtx_features[i].name) == len &&
			    !strncmp(text, vtx_features[i].name, len))
				break;
		if (i == VTX_COUNT) {
			snprintf(bad, room, "%.*s", (int)len, text);
			return false;
		}
		found |= VTX_BIT(i);
		if (!text[len])
			break;
		text += len + 1;
	}
	*mask = found;
	return true;
}

const char *vtx_print(uint64_t mask, char out[VTX_TEXT_MAX])
{
	size_t at = 0;
	unsigned int i;

	if (mask == VTX_ALL)
		return "all";
	for (i = 0; i < VTX_COUNT; i++)
		if (mask & VTX_BIT(i))
			at += snprintf(out + at, VTX_TEXT_MAX - at, "%s%s", at ? "," : "",
				       vtx_features[i].name);
	return at ? out : "none";
}

int vtx_unmet(uint64_t mask, unsigned int *base)
{
	unsigned int i, j;

	for (i = 0; i < VTX_COUNT; i++) {
		if (!(mask & VTX_BIT(i)))
			continue;
		for (j = 0; j < VTX_COUNT; j++) {
			if ((vtx_features[i].needs & VTX_BIT(j)) && !(mask & VTX_BIT(j))) {
				*base = j;
				return i;
			}
		}
	}
	return -1;
}

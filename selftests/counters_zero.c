// SPDX-License-Identifier: GPL-2.0
/* Nothing of any VM is left: every counter of the device is zero. */
#include "lib/uapi.h"

static void nothing_left(const void *arg)
{
	struct nestvm_device_info info = device_info(nestvm_open());

	EXPECT_EQ(info.vms, 0, "VMs");
	EXPECT_EQ(info.vcpus, 0, "vCPUs");
	EXPECT_EQ(info.vmcs_regions, 0, "VMCS regions");
	EXPECT_EQ(info.pinned_pages, 0, "pinned pages");
	EXPECT_EQ(info.table_pages, 0, "EPT pages");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "nothing_left", nothing_left, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}

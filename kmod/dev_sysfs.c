// SPDX-License-Identifier: GPL-2.0
/* What /sys/class/misc/nestvm tells: a file for each mitigation. */
#include <linux/device.h>
#include <linux/sysfs.h>
#include "dev.h"
#include "vmx/vmx.h"

static struct device_attribute files[VMX_MITIGATIONS];
static struct attribute *attributes[VMX_MITIGATIONS + 1];

static ssize_t show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return vmx_mitigation_text(attr - files, buf, PAGE_SIZE);
}

static const struct attribute_group mitigations = { .name = "mitigations", .attrs = attributes };
static const struct attribute_group *groups[] = { &mitigations, NULL };

const struct attribute_group **dev_sysfs_groups(void)
{
	unsigned int i;

	for (i = 0; i < VMX_MITIGATIONS; i++) {
		files[i] = (struct device_attribute){
			.attr = { .name = vmx_mitigation_name(i), .mode = 0444 },
			.show = show,
		};
		sysfs_attr_init(&files[i].attr);
		attributes[i] = &files[i].attr;
	}
	return groups;
}

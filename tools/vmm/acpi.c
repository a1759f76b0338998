// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI tables, put where a PC's firmware would: RSDP, XSDT, FADT, FACS, MADT
 * and a DSDT whose AML is written by the builders below.
 */
#include "machine.h"

#include <errno.h>
#include <string.h>

#define TABLE_HEADER	36
#define SCOPES		8

/* Little-endian bytes appended to guest memory; running out is seen at the end. */
struct blob {
	uint8_t *p;
	size_t len, max;
	bool full;
	/* Open AML packages: where their length goes. */
	size_t open[SCOPES];
	unsigned int depth;
};

static void put(struct blob *b, uint64_t value, unsigned int bytes)
{
	for (; bytes; bytes--, value >>= 8) {
		if (b->len == b->max) {
			b->full = true;
			return;
		}
		b->p[b->len++] = value;
	}
}

static void put_text(struct blob *b, const char *s, size_t len)
{
	size_t i, n = strlen(s);

	for (i = 0; i < len; i++)
		put(b, i < n ? s[i] : ' ', 1);
}

static void align(struct blob *b, size_t to)
{
	while (b->len & (to - 1) && !b->full)
		put(b, 0, 1);
}

static void poke(struct blob *b, size_t at, uint64_t value, unsigned int bytes)
{
	for (; bytes; bytes--, value >>= 8)
		if (at < b->max)
			b->p[at++] = value;
}

static uint8_t checksum(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return -sum;
}

static size_t table_begin(struct blob *b, const char *signature, uint8_t revision)
{
	size_t start;

	align(b, 16);
	start = b->len;
	put_text(b, signature, 4);
	put(b, 0, 4);			/* length, see table_end() */
	put(b, revision, 1);
	put(b, 0, 1);			/* checksum */
	put_text(b, "NESTVM", 6);
	put_text(b, "NESTVMPC", 8);
	put(b, 1, 4);
	put_text(b, "NSTV", 4);
	put(b, 1, 4);
	return start;
}

static uint64_t table_end(struct blob *b, size_t start)
{
	poke(b, start + 4, b->len - start, 4);
	if (!b->full)
		b->p[start + 9] = checksum(b->p + start, b->len - start);
	return ACPI_BASE + start;
}

/* -- AML ------------------------------------------------------------------ */

/* Package lengths always take two bytes here: up to 4095. */
static void aml_open(struct blob *b)
{
	b->open[b->depth++] = b->len;
	put(b, 0, 2);
}

static void aml_close(struct blob *b)
{
	size_t at = b->open[--b->depth];
	size_t len = b->len - at;

	if (len > 0xfff)
		b->full = true;
	poke(b, at, 0x40 | (len & 0xf), 1);
	poke(b, at + 1, len >> 4, 1);
}

static void aml_name(struct blob *b, const char *name)
{
	put(b, 0x08, 1);
	put_text(b, name, 4);
}

static void aml_scope_sb(struct blob *b)
{
	put(b, 0x10, 1);
	aml_open(b);
	put(b, '\\', 1);
	put_text(b, "_SB_", 4);
}

static void aml_device(struct blob *b, const char *name)
{
	put(b, 0x825b, 2);
	aml_open(b);
	put_text(b, name, 4);
}

static void aml_byte(struct blob *b, uint8_t v)
{
	put(b, 0x0a, 1);
	put(b, v, 1);
}

static void aml_hid_pnp(struct blob *b, uint16_t product)
{
	aml_name(b, "_HID");
	put(b, 0x0c, 1);
	put(b, 0xd041, 2);		/* "PNP", compressed */
	put(b, product >> 8, 1);
	put(b, product & 0xff, 1);
}

static void aml_hid_string(struct blob *b, const char *id)
{
	aml_name(b, "_HID");
	put(b, 0x0d, 1);
	put_text(b, id, strlen(id));
	put(b, 0, 1);
}

static void aml_uid(struct blob *b, uint8_t uid)
{
	aml_name(b, "_UID");
	aml_byte(b, uid);
}

/* _CRS is a buffer: its size is a second length inside the package. */
static size_t crs_open(struct blob *b)
{
	aml_name(b, "_CRS");
	put(b, 0x11, 1);
	aml_open(b);
	aml_byte(b, 0);
	return b->len;
}

static void crs_close(struct blob *b, size_t start)
{
	put(b, 0x79, 1);		/* end tag; 0: no checksum */
	put(b, 0, 1);
	poke(b, start - 1, b->len - start, 1);
	aml_close(b);
}

static void crs_ports(struct blob *b, uint16_t base, uint8_t len)
{
	put(b, 0x47, 1);
	put(b, 1, 1);			/* decodes 16 bits */
	put(b, base, 2);
	put(b, base, 2);
	put(b, 1, 1);
	put(b, len, 1);
}

static void crs_isa_irq(struct blob *b, unsigned int irq)
{
	put(b, 0x22, 1);
	put(b, 1u << irq, 2);
}

static void crs_memory(struct blob *b, uint32_t base, uint32_t len)
{
	put(b, 0x86, 1);
	put(b, 9, 2);
	put(b, 1, 1);			/* writable */
	put(b, base, 4);
	put(b, len, 4);
}

static void crs_interrupt(struct blob *b, uint32_t gsi)
{
	put(b, 0x89, 1);
	put(b, 6, 2);
	put(b, 3, 1);			/* consumer, edge, active high, exclusive */
	put(b, 1, 1);
	put(b, gsi, 4);
}

static void dsdt_serial(struct blob *b)
{
	size_t crs;

	aml_device(b, "COM1");
	aml_hid_pnp(b, 0x0501);
	aml_uid(b, 0);
	crs = crs_open(b);
	crs_ports(b, COM1_PORT, 8);
	crs_isa_irq(b, COM1_GSI);
	crs_close(b, crs);
	aml_close(b);
}

static void dsdt_rtc(struct blob *b)
{
	size_t crs;

	aml_device(b, "RTC_");
	aml_hid_pnp(b, 0x0b00);
	crs = crs_open(b);
	crs_ports(b, 0x70, 2);
	crs_close(b, crs);
	aml_close(b);
}

static void dsdt_virtio(struct blob *b, const struct virtio_mmio *v, unsigned int i)
{
	char name[5] = "VR0_";
	size_t crs;

	name[2] = "0123456789ABCDEF"[i];
	aml_device(b, name);
	aml_hid_string(b, "LNRO0005");
	aml_uid(b, i);
	aml_name(b, "_CCA");
	put(b, 1, 1);
	crs = crs_open(b);
	crs_memory(b, v->base, VIRTIO_STRIDE);
	crs_interrupt(b, v->gsi);
	crs_close(b, crs);
	aml_close(b);
}

/* Name (_S5, Package {5, 5, 0, 0}) */
static void dsdt_s5(struct blob *b)
{
	aml_name(b, "_S5_");
	put(b, 0x12, 1);
	aml_open(b);
	put(b, 4, 1);
	aml_byte(b, PM_SLP_TYP_S5);
	aml_byte(b, PM_SLP_TYP_S5);
	put(b, 0, 2);
	aml_close(b);
}

static uint64_t put_dsdt(struct blob *b, struct machine *m)
{
	size_t start = table_begin(b, "DSDT", 2);
	unsigned int i;

	aml_scope_sb(b);
	dsdt_serial(b);
	dsdt_rtc(b);
	for (i = 0; i < m->nvirtio; i++)
		dsdt_virtio(b, &m->virtio[i], i);
	aml_close(b);
	dsdt_s5(b);
	return table_end(b, start);
}

/* -- The fixed tables ------------------------------------------------------ */

static uint64_t put_facs(struct blob *b)
{
	size_t start;

	align(b, 64);
	start = b->len;
	put_text(b, "FACS", 4);
	put(b, 64, 4);
	while (b->len < start + 32 && !b->full)
		put(b, 0, 1);
	put(b, 2, 1);			/* version */
	while (b->len < start + 64 && !b->full)
		put(b, 0, 1);
	return ACPI_BASE + start;
}

static void put_port_register(struct blob *b, size_t at, uint16_t port, unsigned int bits)
{
	poke(b, at, 1, 1);		/* I/O space */
	poke(b, at + 1, bits, 1);
	poke(b, at + 3, bits == 8 ? 1 : 2, 1);	/* access by byte, by word */
	poke(b, at + 4, port, 8);
}

/* Offsets are those of the table "FADT Format" of the ACPI specification. */
static uint64_t put_fadt(struct blob *b, uint64_t facs, uint64_t dsdt)
{
	size_t t = table_begin(b, "FACP", 6);

	while (b->len < t + 276 && !b->full)
		put(b, 0, 1);
	poke(b, t + 36, facs, 4);
	poke(b, t + 40, dsdt, 4);
	poke(b, t + 46, SCI_GSI, 2);
	poke(b, t + 56, PM1_EVT_PORT, 4);
	poke(b, t + 64, PM1_CNT_PORT, 4);
	poke(b, t + 88, 4, 1);		/* PM1 event length */
	poke(b, t + 89, 2, 1);		/* PM1 control length */
	poke(b, t + 96, 0xfff, 2);	/* no C2 */
	poke(b, t + 98, 0xfff, 2);	/* no C3 */
	poke(b, t + 108, 0x32, 1);	/* century in CMOS */
	poke(b, t + 109, 0x0005, 2);	/* legacy devices, no VGA, no 8042 to probe */
	/* WBINVD works, C1 everywhere, no sleep button, no RTC wake, reset register */
	poke(b, t + 112, 1 << 0 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 10, 4);
	put_port_register(b, t + 116, PM_RESET_PORT, 8);
	poke(b, t + 128, PM_RESET_VALUE, 1);
	poke(b, t + 140, dsdt, 8);
	put_port_register(b, t + 148, PM1_EVT_PORT, 32);
	put_port_register(b, t + 172, PM1_CNT_PORT, 16);
	return table_end(b, t);
}

static uint64_t put_madt(struct blob *b, struct machine *m)
{
	size_t start = table_begin(b, "APIC", 5);
	unsigned int i;

	put(b, LAPIC_BASE, 4);
	put(b, 1, 4);			/* there is a pair of 8259s too */
	for (i = 0; i < m->conf->vcpus; i++) {
		put(b, 0, 1);		/* local APIC */
		put(b, 8, 1);
		put(b, i, 1);
		put(b, i, 1);
		put(b, 1, 4);
	}
	put(b, 1, 1);			/* IOAPIC */
	put(b, 12, 1);
	put(b, 0, 2);
	put(b, IOAPIC_BASE, 4);
	put(b, 0, 4);
	put(b, 2, 1);			/* the SCI is level-triggered, active high */
	put(b, 10, 1);
	put(b, 0, 1);
	put(b, SCI_GSI, 1);
	put(b, SCI_GSI, 4);
	put(b, 0xd, 2);
	put(b, 4, 1);			/* NMI at LINT1 of all CPUs */
	put(b, 6, 1);
	put(b, 0xff, 1);
	put(b, 0, 2);
	put(b, 1, 1);
	return table_end(b, start);
}

static uint64_t put_xsdt(struct blob *b, uint64_t fadt, uint64_t madt)
{
	size_t start = table_begin(b, "XSDT", 1);

	put(b, fadt, 8);
	put(b, madt, 8);
	return table_end(b, start);
}

static void put_rsdp(struct blob *b, uint64_t xsdt)
{
	size_t end = b->len;

	b->len = 0;
	put_text(b, "RSD PTR ", 8);
	put(b, 0, 1);
	put_text(b, "NESTVM", 6);
	put(b, 2, 1);
	put(b, 0, 4);			/* no RSDT */
	put(b, 36, 4);
	put(b, xsdt, 8);
	put(b, 0, 4);
	b->p[8] = checksum(b->p, 20);
	b->p[32] = checksum(b->p, 36);
	b->len = end;
}

int acpi_build(struct machine *m, struct nvl_error *err)
{
	struct blob b = {
		.p = nvl_vm_ptr(m->vm, ACPI_BASE, ACPI_BYTES),
		.max = ACPI_BYTES,
		.len = 64,		/* the RSDP comes first, written last */
	};
	uint64_t facs, dsdt, fadt, madt;

	facs = put_facs(&b);
	dsdt = put_dsdt(&b, m);
	fadt = put_fadt(&b, facs, dsdt);
	madt = put_madt(&b, m);
	put_rsdp(&b, put_xsdt(&b, fadt, madt));
	if (b.full)
		return nvl_fail(err, ENOSPC, "the ACPI tables do not fit in their %llu bytes.",
				ACPI_BYTES);
	return 0;
}

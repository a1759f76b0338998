// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/irq_lines.c: IOAPIC, PIC and MSI as a driver sets them up. */
#include "apic.h"

#define VEC		0x60
#define STEP(n)		outb(0x50, n)
#define IOAPIC		((volatile u32 *)0xfec00000ul)
#define REDIR_LEVEL	BIT(15)
#define REDIR_MASKED	BIT(16)
#define REDIR_REMOTE_IRR BIT(14)

static void ioapic_write(u32 reg, u32 v)
{
	IOAPIC[0] = reg;
	IOAPIC[4] = v;
}

static u32 ioapic_read(u32 reg)
{
	IOAPIC[0] = reg;
	return IOAPIC[4];
}

static void redirect(u32 pin, u32 low)
{
	ioapic_write(0x10 + 2 * pin, REDIR_MASKED);
	ioapic_write(0x11 + 2 * pin, 0);
	ioapic_write(0x10 + 2 * pin, low);
}

/* Without the PIC, which has the same lines. */
static void apic_only(void)
{
	apic_enable();
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
}

static void let_in(void)
{
	sti();
	asm volatile("nop");
	cli();
}

GUEST_CASE(ioapic_registers, NEED_IRQCHIP)
{
	EXPECT_EQ(ioapic_read(1) >> 16 & 0xff, 23, "the highest pin");
	EXPECT(ioapic_read(0x10 + 2 * 5) & REDIR_MASKED, "pin 5 is not masked after reset");
	redirect(5, VEC | REDIR_LEVEL);
	EXPECT_EQ(ioapic_read(0x10 + 2 * 5), VEC | REDIR_LEVEL, "the entry of pin 5");
}

GUEST_CASE(_edge, NEED_IRQCHIP)
{
	apic_only();
	count_irq(VEC);
	redirect(5, VEC);
	STEP(1);			/* up and down */
	let_in();
	EXPECT_EQ(irqs[VEC], 1, "interrupts");
	STEP(2);			/* nothing */
	let_in();
	EXPECT_EQ(irqs[VEC], 1, "interrupts without an edge");
	redirect(5, VEC | REDIR_MASKED);
	STEP(3);			/* up and down, masked */
	let_in();
	EXPECT_EQ(irqs[VEC], 1, "interrupts of a masked pin");
}

/*
 * Level: it comes again after each EOI while the line is up, and between two of
 * them nothing else need happen; so it is the handler that has it lowered.
 */
static void on_level(struct trap_frame *f)
{
	if (++irqs[VEC] == 3)
		STEP(2);		/* down */
	apic_eoi();
}

GUEST_CASE(_level, NEED_IRQCHIP)
{
	apic_only();
	on_trap(VEC, on_level);
	redirect(5, VEC | REDIR_LEVEL);
	STEP(1);			/* up */
	sti();
	EXPECT(WAIT_FOR(irqs[VEC] == 3), "%u interrupts", irqs[VEC]);
	wait_ticks(100000);
	cli();
	EXPECT_EQ(irqs[VEC], 3, "interrupts after the line went down");
	EXPECT_EQ(ioapic_read(0x10 + 2 * 5) & REDIR_REMOTE_IRR, 0, "remote IRR");
}

GUEST_CASE(_resample, NEED_IRQCHIP)
{
	u32 i;

	apic_only();
	count_irq(VEC);
	redirect(5, VEC | REDIR_LEVEL);
	for (i = 1; i <= 2; i++) {
		STEP(i);		/* one signal: up until EOI */
		sti();
		EXPECT(WAIT_FOR(irqs[VEC] == i), "%u interrupts", irqs[VEC]);
		wait_ticks(100000);
		cli();
		EXPECT_EQ(irqs[VEC], i, "interrupts");
	}
}

GUEST_CASE(_msi, NEED_IRQCHIP)
{
	apic_only();
	count_irq(VEC);
	STEP(1);			/* an MSI of VEC to us */
	let_in();
	EXPECT_EQ(irqs[VEC], 1, "interrupts");
	STEP(2);			/* through an eventfd with a route */
	sti();
	EXPECT(WAIT_FOR(irqs[VEC] == 2), "%u interrupts", irqs[VEC]);
	cli();
}

static volatile u32 pic_irqs;

static void on_pic(struct trap_frame *f)
{
	pic_irqs++;
	outb(0x20, 0x20);
}

/* Of the PIC, line @line alone. */
static void pic_only(u32 line)
{
	apic_enable();
	apic_write(APIC_LVT_LINT0, 0x700);	/* ExtINT */
	on_trap(0x20 + line, on_pic);
	outb(0x20, 0x11);			/* ICW1..4: vectors from 20H */
	outb(0x21, 0x20);
	outb(0x21, 0x04);
	outb(0x21, 0x01);
	outb(0x21, ~(1 << line));
}

GUEST_CASE(_pit, NEED_IRQCHIP)
{
	pic_only(0);
	outb(0x43, 0x34);			/* counter 0, periodic, 1000 times a second */
	outb(0x40, 0xa9);
	outb(0x40, 0x04);
	sti();
	EXPECT(WAIT_FOR(pic_irqs >= 3), "%u ticks", pic_irqs);
	cli();
}

GUEST_CASE(_pic, NEED_IRQCHIP)
{
	pic_only(3);
	STEP(1);				/* line 3 up and down */
	let_in();
	EXPECT_EQ(pic_irqs, 1, "interrupts by the PIC");
	EXPECT_EQ(inb(0x21), 0xf7, "the mask");
}

/* Doorbells: user space hears of them by eventfd, and no exit comes. */
GUEST_CASE(_doorbell, 0)
{
	*(volatile u32 *)0xd0000000ul = 7;
	*(volatile u32 *)0xd0000000ul = 8;
	outb(0x60, 1);
	outl(0x64, 0x11);
	STEP(1);
	*(volatile u32 *)0xd0000000ul = 7;	/* taken away: an exit now */
	STEP(2);
}

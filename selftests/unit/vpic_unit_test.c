// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "vpic_unit.h"

static struct pic_pair p;
static u16 ended;

static void out(unsigned int unit, bool a0, u8 val)
{
	pic_pair_write(&p, unit, a0, val, &ended);
}

static u8 in(unsigned int unit, bool a0)
{
	return pic_pair_read(&p, unit, a0, &ended);
}

static void line(unsigned int pin, bool level)
{
	pic_pair_set_line(&p, pin, level);
}

static u8 ack(void)
{
	return pic_pair_ack(&p, &ended);
}

/* As a PC's firmware does it, vectors 20H and 28H. */
static void setup(u8 icw4)
{
	unsigned int u;

	pic_pair_init(&p);
	for (u = 0; u < 2; u++) {
		out(u, 0, 0x11);
		out(u, 1, 0x20 + 8 * u);
		out(u, 1, u ? 2 : 4);
		out(u, 1, icw4);
		out(u, 1, 0);
	}
	ended = 0;
}

TEST(edge)
{
	setup(1);
	EXPECT_FALSE(p.output);
	line(4, 1);
	EXPECT_TRUE(p.output);
	EXPECT_EQ(in(0, 0), 0x10);
	EXPECT_EQ(ack(), 0x24);
	EXPECT_FALSE(p.output);
	out(0, 0, 0x0b);
	EXPECT_EQ(in(0, 0), 0x10);
	out(0, 0, 0x20);
	EXPECT_EQ(ended, BIT(4));
	EXPECT_EQ(in(0, 0), 0);
	/* The line is still up: no new edge. */
	line(4, 1);
	EXPECT_FALSE(p.output);
	line(4, 0);
	line(4, 1);
	EXPECT_TRUE(p.output);
}

TEST(level)
{
	setup(1);
	pic_pair_write_elcr(&p, 1, 0xff);
	EXPECT_EQ(p.unit[1].elcr, 0xde);
	line(10, 1);
	EXPECT_EQ(ack(), 0x2a);
	out(1, 0, 0x62);
	out(0, 0, 0x62);
	EXPECT_EQ(ended, BIT(10));
	EXPECT_TRUE(p.output);
	line(10, 0);
	EXPECT_FALSE(p.output);
}

TEST(priority)
{
	setup(1);
	line(6, 1);
	line(3, 1);
	EXPECT_EQ(ack(), 0x23);
	EXPECT_FALSE(p.output);		/* 6 waits for 3 */
	line(1, 1);
	EXPECT_TRUE(p.output);		/* 1 does not */
	EXPECT_EQ(ack(), 0x21);
	out(0, 0, 0x20);
	EXPECT_EQ(ended, BIT(1));
	out(0, 0, 0x20);
	EXPECT_EQ(ack(), 0x26);
}

TEST(mask)
{
	setup(1);
	out(0, 1, 0x10);
	EXPECT_EQ(in(0, 1), 0x10);
	EXPECT_EQ(pic_pair_set_line(&p, 4, 1), (u64)-1);
	EXPECT_FALSE(p.output);
	out(0, 1, 0);
	EXPECT_TRUE(p.output);
}

/* Two interrupts of the slave after each other: INT must not get lost between. */
TEST(cascade)
{
	setup(1);
	line(8, 1);
	line(12, 1);
	EXPECT_EQ(ack(), 0x28);
	EXPECT_FALSE(p.output);
	out(1, 0, 0x20);
	out(0, 0, 0x20);
	EXPECT_EQ(ended, BIT(8));
	EXPECT_TRUE(p.output);
	EXPECT_EQ(ack(), 0x2c);
	/* The cascade's own pin is no device. */
	line(2, 1);
	EXPECT_EQ(p.unit[0].irr, 0);
}

TEST(special_fully_nested)
{
	setup(0x11);
	line(12, 1);
	EXPECT_EQ(ack(), 0x2c);
	line(8, 1);
	EXPECT_TRUE(p.output);
	EXPECT_EQ(ack(), 0x28);
}

TEST(special_mask)
{
	setup(1);
	line(1, 1);
	EXPECT_EQ(ack(), 0x21);
	line(5, 1);
	EXPECT_FALSE(p.output);
	out(0, 1, BIT(1));
	out(0, 0, 0x68);
	EXPECT_TRUE(p.output);
	EXPECT_EQ(ack(), 0x25);
	out(0, 0, 0x48);
	EXPECT_FALSE(p.unit[0].special_mask);
}

TEST(spurious)
{
	setup(1);
	pic_pair_write_elcr(&p, 0, 0x20);
	line(5, 1);
	EXPECT_TRUE(p.output);
	line(5, 0);
	EXPECT_EQ(ack(), 0x27);
	EXPECT_EQ(p.unit[0].isr, 0);
}

TEST(auto_eoi)
{
	setup(3);
	line(5, 1);
	EXPECT_EQ(ack(), 0x25);
	EXPECT_EQ(ended, BIT(5));
	EXPECT_EQ(p.unit[0].isr, 0);
}

TEST(rotation)
{
	setup(1);
	line(3, 1);
	EXPECT_EQ(ack(), 0x23);
	out(0, 0, 0xa0);	/* rotate on non-specific EOI: 3 is lowest now */
	line(3, 0);
	line(3, 1);
	line(4, 1);
	EXPECT_EQ(ack(), 0x24);
	out(0, 0, 0x20);
	EXPECT_EQ(ack(), 0x23);
	out(0, 0, 0xc6);	/* set priority: 6 is lowest */
	EXPECT_EQ(p.unit[0].first, 7);
}

TEST(poll)
{
	setup(1);
	out(0, 0, 0x0c);
	EXPECT_EQ(in(0, 0), 0);
	line(6, 1);
	out(0, 0, 0x0c);
	EXPECT_EQ(in(0, 0), 0x86);
	EXPECT_EQ(p.unit[0].isr, BIT(6));
}

/* Nothing a guest writes breaks the state. */
TEST(random_use)
{
	unsigned int i;

	pic_pair_init(&p);
	for (i = 0; i < 200000; i++) {
		u64 r = test_random();

		switch (r & 7) {
		case 0:
			line(r >> 8 & 15, r >> 12 & 1);
			break;
		case 1:
			if (p.output)
				ack();
			break;
		case 2:
			in(r >> 8 & 1, r >> 9 & 1);
			break;
		case 3:
			pic_pair_write_elcr(&p, r >> 8 & 1, r >> 16);
			break;
		default:
			out(r >> 8 & 1, r >> 9 & 1, r >> 16);
			break;
		}
		ASSERT_TRUE(p.unit[0].first < 8 && p.unit[1].first < 8);
		ASSERT_TRUE(p.unit[0].init <= PIC_WAIT_ICW4);
		ASSERT_EQ(p.unit[0].base & 7, 0);
	}
}

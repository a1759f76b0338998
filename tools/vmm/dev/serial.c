// SPDX-License-Identifier: GPL-2.0
#include "serial.h"

#include "../machine.h"

#include <string.h>

/* Registers by offset; DLL/DLM stand at 0 and 1 while LCR.DLAB is set. */
enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

#define IER_RX		0x01
#define IER_THRE	0x02
#define IIR_NONE	0x01
#define IIR_THRE	0x02
#define IIR_RX		0x04
#define IIR_FIFO	0xc0
#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02
#define LCR_DLAB	0x80
#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define LSR_DATA	0x01
#define LSR_EMPTY	0x60	/* holding and shift register */
#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80

/* s->lock held */
static uint8_t pending(const struct serial *s)
{
	if (s->ier & IER_RX && s->rx_len)
		return IIR_RX;
	if (s->ier & IER_THRE && s->thre_pending)
		return IIR_THRE;
	return IIR_NONE;
}

/* s->lock held. On a PC, OUT2 connects the UART to its interrupt line. */
static void update_irq(struct serial *s)
{
	bool level = pending(s) != IIR_NONE && (s->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	if (level == s->irq_level)
		return;
	s->irq_level = level;
	machine_set_irq(s->m, COM1_GSI, level);
}

static uint8_t rx_pop(struct serial *s)
{
	uint8_t c;

	if (!s->rx_len)
		return 0;
	c = s->rx[s->rx_head];
	s->rx_head = (s->rx_head + 1) % sizeof(s->rx);
	s->rx_len--;
	/* The loop may have stopped reading for want of room. */
	if (!s->rx_len)
		machine_wake_loop(s->m);
	return c;
}

static void rx_push(struct serial *s, uint8_t c)
{
	if (s->rx_len == sizeof(s->rx))
		return;
	s->rx[(s->rx_head + s->rx_len++) % sizeof(s->rx)] = c;
}

/* In loopback, the four outputs come back as the four inputs. */
static uint8_t modem_status(const struct serial *s)
{
	uint8_t v = 0;

	if (!(s->mcr & MCR_LOOP))
		return MSR_DCD | MSR_DSR | MSR_CTS;
	if (s->mcr & MCR_RTS)
		v |= MSR_CTS;
	if (s->mcr & MCR_DTR)
		v |= MSR_DSR;
	if (s->mcr & MCR_OUT1)
		v |= MSR_RI;
	if (s->mcr & MCR_OUT2)
		v |= MSR_DCD;
	return v;
}

static uint8_t iir_read(struct serial *s)
{
	uint8_t iir = pending(s);

	if (iir == IIR_THRE)
		s->thre_pending = false;
	return iir | (s->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint64_t serial_read(void *dev, uint64_t off, unsigned int len)
{
	struct serial *s = dev;
	uint8_t v = 0;

	(void)len;
	pthread_mutex_lock(&s->lock);
	switch (off) {
	case REG_DATA:
		v = s->lcr & LCR_DLAB ? s->dll : rx_pop(s);
		break;
	case REG_IER:
		v = s->lcr & LCR_DLAB ? s->dlm : s->ier;
		break;
	case REG_IIR_FCR:
		v = iir_read(s);
		break;
	case REG_LCR:
		v = s->lcr;
		break;
	case REG_MCR:
		v = s->mcr;
		break;
	case REG_LSR:
		v = LSR_EMPTY | (s->rx_len ? LSR_DATA : 0);
		break;
	case REG_MSR:
		v = modem_status(s);
		break;
	case REG_SCR:
		v = s->scr;
		break;
	}
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
	return v;
}

static void data_write(struct serial *s, uint8_t v)
{
	if (s->mcr & MCR_LOOP)
		rx_push(s, v);
	else
		console_write(s->console, &v, 1);
	/* A fresh edge for each byte: the line drops while the byte is sent. */
	s->thre_pending = false;
	update_irq(s);
	s->thre_pending = true;
}

static void ier_write(struct serial *s, uint8_t v)
{
	/* Switching THRE interrupts on with an empty transmitter raises one. */
	if (v & IER_THRE && !(s->ier & IER_THRE))
		s->thre_pending = true;
	/* Input that waited until the guest listens. */
	if (v & IER_RX && !(s->ier & IER_RX))
		machine_wake_loop(s->m);
	s->ier = v & 0x0f;
}

static void serial_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct serial *s = dev;
	uint8_t v = value;

	(void)len;
	pthread_mutex_lock(&s->lock);
	switch (off) {
	case REG_DATA:
		if (s->lcr & LCR_DLAB)
			s->dll = v;
		else
			data_write(s, v);
		break;
	case REG_IER:
		if (s->lcr & LCR_DLAB)
			s->dlm = v;
		else
			ier_write(s, v);
		break;
	case REG_IIR_FCR:
		s->fcr = v;
		if (v & FCR_CLEAR_RX)
			s->rx_len = 0;
		break;
	case REG_LCR:
		s->lcr = v;
		break;
	case REG_MCR:
		s->mcr = v & 0x1f;
		break;
	case REG_SCR:
		s->scr = v;
		break;
	}
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
}

const struct bus_ops serial_bus_ops = { serial_read, serial_write };

void serial_init(struct serial *s, struct machine *m, struct console *console)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->m = m;
	s->console = console;
	s->dll = 1;		/* 115200 baud */
	s->lcr = 3;		/* 8 bits */
}

size_t serial_rx_room(void *dev)
{
	struct serial *s = dev;
	size_t room;

	pthread_mutex_lock(&s->lock);
	/* Nothing is taken before the guest listens, so that nothing gets lost. */
	room = s->ier & IER_RX && !s->rx_len ? sizeof(s->rx) : 0;
	pthread_mutex_unlock(&s->lock);
	return room;
}

void serial_rx_put(void *dev, const uint8_t *data, size_t len)
{
	struct serial *s = dev;
	size_t i;

	pthread_mutex_lock(&s->lock);
	for (i = 0; i < len; i++)
		rx_push(s, data[i]);
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
}

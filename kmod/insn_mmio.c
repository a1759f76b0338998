// SPDX-License-Identifier: GPL-2.0
#include "insn_mmio.h"

void insn_mmio_reset(struct insn_mmio *m)
{
	memset(m, 0, sizeof(*m));
}

void insn_mmio_rewind(struct insn_mmio *m)
{
	m->pos = 0;
	m->wanted = false;
	m->nr_writes = 0;
	m->writes_done = 0;
}

/*
 * The answers are good only for the same questions. If another vCPU moved the
 * operand meanwhile, what was read is dropped from there on.
 */
static bool replay(struct insn_mmio *m, u64 gpa, void *buf, unsigned int len)
{
	const struct insn_mmio_frag *f = &m->read[m->pos];

	if (m->pos >= m->nr_reads)
		return false;
	if (f->gpa != gpa || f->len != len) {
		m->nr_reads = m->pos;
		return false;
	}
	memcpy(buf, f->data, len);
	m->pos++;
	return true;
}

/* At most INSN_MMIO_FRAG_LEN bytes. All answers so far were used: it is a new question. */
static enum insn_result read_piece(struct insn_mmio *m, const struct insn_devices *dev, u64 gpa,
				   void *buf, unsigned int len)
{
	struct insn_mmio_frag *f;

	if (replay(m, gpa, buf, len))
		return INSN_DONE;
	if (m->nr_reads == INSN_MMIO_FRAGS)
		return INSN_CANNOT;
	f = &m->read[m->nr_reads];
	*f = (struct insn_mmio_frag){ .gpa = gpa, .len = len };
	if (!dev || !dev->read(dev->ctx, gpa, f->data, len)) {
		m->wanted = true;
		return INSN_NEED_IO;
	}
	memcpy(buf, f->data, len);
	m->nr_reads++;
	m->pos++;
	return INSN_DONE;
}

enum insn_result insn_mmio_read(struct insn_mmio *m, const struct insn_devices *dev, u64 gpa,
				void *buf, unsigned int len)
{
	unsigned int at, n;

	for (at = 0; at < len; at += n) {
		enum insn_result ret;

		n = min_t(unsigned int, len - at, INSN_MMIO_FRAG_LEN);
		ret = read_piece(m, dev, gpa + at, (u8 *)buf + at, n);
		if (ret != INSN_DONE)
			return ret;
	}
	return INSN_DONE;
}

enum insn_result insn_mmio_write(struct insn_mmio *m, const struct insn_devices *dev, u64 gpa,
				 const void *buf, unsigned int len)
{
	unsigned int at, n;

	/* Before a device has taken the first piece. */
	if (m->nr_writes + DIV_ROUND_UP(len, INSN_MMIO_FRAG_LEN) > INSN_MMIO_FRAGS)
		return INSN_CANNOT;
	for (at = 0; at < len; at += n) {
		const u8 *piece = (const u8 *)buf + at;
		struct insn_mmio_frag *f;

		n = min_t(unsigned int, len - at, INSN_MMIO_FRAG_LEN);
		if (dev && dev->write(dev->ctx, gpa + at, piece, n))
			continue;
		f = &m->write[m->nr_writes++];
		*f = (struct insn_mmio_frag){ .gpa = gpa + at, .len = n, .write = true };
		memcpy(f->data, piece, n);
	}
	return INSN_DONE;
}

struct insn_mmio_frag *insn_mmio_next(struct insn_mmio *m)
{
	if (m->wanted)
		return &m->read[m->nr_reads];
	if (m->writes_done < m->nr_writes)
		return &m->write[m->writes_done];
	return NULL;
}

void insn_mmio_done(struct insn_mmio *m, const void *data)
{
	if (m->wanted) {
		struct insn_mmio_frag *f = &m->read[m->nr_reads++];

		memcpy(f->data, data, f->len);
		m->wanted = false;
	} else if (m->writes_done < m->nr_writes) {
		m->writes_done++;
	}
}

/* SPDX-License-Identifier: GPL-2.0 */
/* The state of a virtio transport and its queues, and what devices have besides. */
#ifndef VMM_VIRTIO_MMIO_STATE_H
#define VMM_VIRTIO_MMIO_STATE_H

#include "../state/pack.h"

extern const struct state_ops virtio_mmio_state;
extern const struct state_ops virtio_balloon_state;

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ports and memory-mapped devices: in-kernel chips and ioeventfds first, then
 * user space through the run page (KVM_EXIT_IO, KVM_EXIT_MMIO).
 */
#ifndef NESTVM_INSN_IO_H
#define NESTVM_INSN_IO_H

#include "pure.h"

struct nv_vcpu;
enum nv_next;

int insn_io_create(struct nv_vcpu *vcpu);
void insn_io_destroy(struct nv_vcpu *vcpu);

/* IN, OUT, INS, OUTS that exited with I/O qualification @qual. */
enum nv_next insn_io_port(struct nv_vcpu *vcpu, u64 qual);

/* The instruction at RIP touches what is no memory: decode and execute it. */
enum nv_next insn_io_mmio(struct nv_vcpu *vcpu);

/* The instruction at RIP is one that nobody here can execute: user space is shown it. */
enum nv_next insn_io_refuse(struct nv_vcpu *vcpu);

#endif

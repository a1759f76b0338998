/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One row per ioctl of a file. The dispatcher copies, sizes and hands over the
 * argument; a handler validates, then acts.
 */
#ifndef NESTVM_IOCTL_H
#define NESTVM_IOCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

struct nv_ioctl_arg {
	void *buf;		/* copied argument, FIXED and SIZED */
	unsigned long value;	/* the raw argument, VALUE; a user pointer, POINTER */
};

struct nv_ioctl {
	unsigned int cmd;
	enum {
		ARG_VALUE,	/* the argument is a number, or none */
		ARG_POINTER,	/* variable length: the handler copies itself */
		ARG_FIXED,	/* a struct of the size and direction in the command */
		ARG_SIZED,	/* NESTVM_*: starts with its size; in and out */
	} kind;
	size_t size;		/* SIZED: sizeof the struct now, and in its first version */
	size_t min;
	long (*fn)(void *obj, struct nv_ioctl_arg *arg);
};

#define IOC_VALUE(cmd, fn)	{ cmd, ARG_VALUE, 0, 0, fn }
#define IOC_POINTER(cmd, fn)	{ cmd, ARG_POINTER, 0, 0, fn }
#define IOC_FIXED(cmd, fn)	{ cmd, ARG_FIXED, 0, 0, fn }
#define IOC_SIZED(cmd, type, last, fn)	\
	{ cmd, ARG_SIZED, sizeof(type), offsetofend(type, last), fn }

/* -ENOTTY if no row has @cmd. */
const struct nv_ioctl *nv_ioctl_find(const struct nv_ioctl *table, size_t n, unsigned int cmd);
long nv_ioctl_call(const struct nv_ioctl *row, void *obj, unsigned long arg);

#endif

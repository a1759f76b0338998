/* SPDX-License-Identifier: GPL-2.0 */
/* A unix socket to listen on, for its owner alone. */
#ifndef VMM_LISTEN_H
#define VMM_LISTEN_H

#include "../../lib/libnestvm.h"

/*
 * Makes the socket at @path, mode 0600, in the place of one that nobody listens
 * on any more. @what names its purpose in the sentence. Returns the file, or a
 * negative errno.
 */
int listen_unix(const char *path, const char *what, struct nvl_error *err);

#endif

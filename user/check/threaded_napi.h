/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernels whose WireGuard may stop receiving from a peer under load if the device has threaded NAPI.
 */
#ifndef WGVIA_THREADED_NAPI_H
#define WGVIA_THREADED_NAPI_H

#include <stdbool.h>

/* Whether the kernel of that release, as in uname(2), is one of them. False if the release cannot be parsed. */
bool threaded_napi_stalls(const char *release);

#endif

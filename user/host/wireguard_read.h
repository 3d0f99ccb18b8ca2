/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internal to wireguard*.c and their tests: the two sources, and what they fill in.
 */
#ifndef WGVIA_WIREGUARD_READ_H
#define WGVIA_WIREGUARD_READ_H

#include "host/wireguard.h"

/* The kernel's limit of peers; the same limit for ranges, which is more than a map of prefixes holds. */
#define WIREGUARD_MAX (1 << 20)

/* Appends a peer. -E2BIG: too many; -ENOMEM. */
int wireguard_add_peer(struct wireguard *wireguard, const uint8_t public_key[WIREGUARD_KEY]);
/*
 * Appends a range to the last peer: `ip` of its family with `len` bits; later bits are cleared. -EBADMSG if there is no
 * peer or the family has fewer bits; -E2BIG: too many; -ENOMEM.
 */
int wireguard_add_allowed(struct wireguard *wireguard, const struct ip *ip, unsigned int len);

/* Adds the source's data, in its order, until it fails: -errno. Only the socket sets `error`. */
int wireguard_read_kernel(const char *name, struct wireguard *wireguard);
/* -EOPNOTSUPP: nothing serves that socket. */
int wireguard_read_socket(const char *name, int timeout_ms, struct wireguard *wireguard, struct error *error);

/* The answer of a socket, line by line. */
struct wireguard_answer {
	struct wireguard *wireguard;
	bool is_ended; /* by "errno=" and an empty line */
	bool has_errno;
	int errnum;	    /* that WireGuard reports */
	unsigned int lines; /* that were processed */
};
/*
 * Processes the complete lines of `text`, which it overwrites; the caller passes the rest again with the next data.
 * Returns the number of bytes processed, or -EBADMSG if it is not a valid answer, or an error of wireguard_add_...().
 */
ssize_t wireguard_take_lines(struct wireguard_answer *answer, char *text, size_t len);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the wireguard*.c, and tests of them: the two sources, and what they put together.
 */
#ifndef WGVIA_WIREGUARD_READ_H
#define WGVIA_WIREGUARD_READ_H

#include "host/wireguard.h"

/* The kernel's own limit of peers; as many ranges, which is more than a map of prefixes holds. */
#define WIREGUARD_MAX (1 << 20)

/* Adds one at the end, a range to the last peer: -EBADMSG where there is none, -E2BIG: too many, -ENOMEM. */
int wireguard_add_peer(struct wireguard *wireguard, const uint8_t public_key[WIREGUARD_KEY]);
/* `ip` of that family, with `len` bits; bits after them are cleared. -EBADMSG where the family has fewer bits. */
int wireguard_add_allowed(struct wireguard *wireguard, const struct ip *ip, unsigned int len);

/* Adds what the source says, in its order, until it fails: -errno, with `error` set by the socket's alone. */
int wireguard_read_kernel(const char *name, struct wireguard *wireguard);
/* -EOPNOTSUPP: nothing has that socket. */
int wireguard_read_socket(const char *name, int timeout_ms, struct wireguard *wireguard, struct error *error);

/* The answer of a socket, line by line. */
struct wireguard_answer {
	struct wireguard *wireguard;
	bool is_ended; /* by "errno=" and an empty line */
	bool has_errno;
	int errnum;	    /* that WireGuard reports */
	unsigned int lines; /* that were taken */
};
/*
 * Takes the whole lines of `text`, which is written to; what is left of the last one is the caller's to bring again.
 * Returns the bytes that were taken, or -EBADMSG: it is no such answer, or as wireguard_add_...().
 */
ssize_t wireguard_take_lines(struct wireguard_answer *answer, char *text, size_t len);

#endif

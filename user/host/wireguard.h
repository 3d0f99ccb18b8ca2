/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * WireGuard's own data: the peers of an interface, and the addresses from which each may send (AllowedIPs). The
 * kernel's WireGuard is read over generic netlink (wireguard_netlink.c), one in user space by its socket
 * (wireguard_socket.c). Private and preshared keys are not kept.
 *
 * Neither reports changes: to follow them, read again and compare with wireguard_equal().
 */
#ifndef WGVIA_WIREGUARD_H
#define WGVIA_WIREGUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/netdev.h"

#define WIREGUARD_KEY 32
#define WIREGUARD_KEY_TEXT 45 /* 44 characters of base64 */

struct wireguard_peer {
	uint8_t public_key[WIREGUARD_KEY];
};

/* Begins with its prefix, for prefix_first() and prefix_inside(). */
struct allowed_ip {
	struct prefix prefix;
	uint32_t peer; /* index in `peers` */
};

struct wireguard {
	struct wireguard_peer *peers; /* in WireGuard's order, which differs each time with wireguard-go */
	size_t peer_count;
	struct allowed_ip *allowed; /* sorted by prefix_compare(), each prefix once: a range has one peer */
	size_t allowed_count;
};

/*
 * Reads the peers of an interface of this network namespace. `wireguard` is untouched on failure; the caller frees it.
 * `timeout_ms` limits the time for a WireGuard in user space to answer; the kernel always answers.
 *
 * 0, or negative with `error` set. -EOPNOTSUPP: as far as visible, not a WireGuard interface: it is of another kind, or
 * a tun device without a socket in /var/run/wireguard. -EXDEV: a server in another network namespace has that socket,
 * because the socket's name does not depend on the namespace. The kernel's WireGuard needs CAP_NET_ADMIN; the socket
 * needs its owner.
 */
int wireguard_read(const struct netdev *netdev, int timeout_ms, struct wireguard *wireguard, struct error *error);
void wireguard_free(struct wireguard *wireguard); /* also for cleanup() */

/* Whether both have the same prefixes at the same peers, in any order of the peers. */
bool wireguard_equal(const struct wireguard *a, const struct wireguard *b);
/* A public key as wg(8) prints it; returns `text` for use in printf(). */
const char *wireguard_key_text(const uint8_t key[WIREGUARD_KEY], char text[WIREGUARD_KEY_TEXT]);

#endif

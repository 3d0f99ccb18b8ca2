/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What WireGuard itself knows: the peers of an interface, and from which addresses each of them may send (AllowedIPs).
 * The kernel's is asked over generic netlink (wireguard_netlink.c), one in user space by its socket
 * (wireguard_socket.c). No private or preshared key is kept.
 *
 * Neither reports changes: who wants to follow them reads again and compares with wireguard_equal().
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

/* It begins with its prefix, for prefix_first() and prefix_inside(). */
struct allowed_ip {
	struct prefix prefix;
	uint32_t peer; /* index in `peers` */
};

struct wireguard {
	struct wireguard_peer *peers; /* in WireGuard's order, which is another each time with wireguard-go */
	size_t peer_count;
	struct allowed_ip *allowed; /* in order of prefix_compare(), each prefix once: a range has one peer */
	size_t allowed_count;
};

/*
 * Reads the peers of an interface of this network namespace. `wireguard`, untouched on failure, is the caller's to
 * free. `timeout_ms` limits the time for a WireGuard in user space to answer; the kernel always does.
 *
 * 0, or negative with `error` set. -EOPNOTSUPP: it is not a WireGuard interface, as far as can be seen: of another
 * kind, or a tun device without a socket in /var/run/wireguard. -EXDEV: a server in another network namespace has that
 * socket, whose name says nothing about namespaces. The kernel's needs CAP_NET_ADMIN, the socket needs its owner.
 */
int wireguard_read(const struct netdev *netdev, int timeout_ms, struct wireguard *wireguard, struct error *error);
void wireguard_free(struct wireguard *wireguard); /* for cleanup(), too */

/* Whether both have the same prefixes at the same peers, in whatever order the peers are. */
bool wireguard_equal(const struct wireguard *a, const struct wireguard *b);
/* A public key as wg(8) prints it; returned for use in printf(). */
const char *wireguard_key_text(const uint8_t key[WIREGUARD_KEY], char text[WIREGUARD_KEY_TEXT]);

#endif

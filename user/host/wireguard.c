// SPDX-License-Identifier: GPL-2.0-only
/*
 * Chooses the source for an interface, and processes the data of either.
 */
#include "host/wireguard.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/permissions.h"
#include "base/util.h"
#include "host/wireguard_read.h"

void wireguard_free(struct wireguard *wireguard)
{
	free(wireguard->peers);
	free(wireguard->allowed);
	*wireguard = (struct wireguard){};
}

int wireguard_add_peer(struct wireguard *wireguard, const uint8_t public_key[WIREGUARD_KEY])
{
	struct wireguard_peer *peer;

	if (wireguard->peer_count >= WIREGUARD_MAX)
		return -E2BIG;
	peer = array_grow(&wireguard->peers, &wireguard->peer_count, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	memcpy(peer->public_key, public_key, WIREGUARD_KEY);
	return 0;
}

int wireguard_add_allowed(struct wireguard *wireguard, const struct ip *ip, unsigned int len)
{
	struct allowed_ip *allowed;

	if (!wireguard->peer_count || len > ip_bits(ip->family))
		return -EBADMSG;
	if (wireguard->allowed_count >= WIREGUARD_MAX)
		return -E2BIG;
	allowed = array_grow(&wireguard->allowed, &wireguard->allowed_count, sizeof(*allowed));
	if (!allowed)
		return -ENOMEM;
	*allowed = (struct allowed_ip){{ip_mask(*ip, len), len}, wireguard->peer_count - 1};
	return 0;
}

static int compare_allowed(const void *a, const void *b)
{
	const struct allowed_ip *one = a, *other = b;
	int order = prefix_compare(&one->prefix, &other->prefix);

	return order ? order : (one->peer > other->peer) - (one->peer < other->peer);
}

/* A range that moved to another peer during the reading occurs twice: the later one wins. */
static void sort(struct wireguard *wireguard)
{
	size_t kept = 0;

	if (wireguard->allowed_count)
		qsort(wireguard->allowed, wireguard->allowed_count, sizeof(*wireguard->allowed), compare_allowed);
	for (size_t i = 0; i < wireguard->allowed_count; i++) {
		if (kept && !prefix_compare(&wireguard->allowed[kept - 1].prefix, &wireguard->allowed[i].prefix))
			kept--;
		wireguard->allowed[kept++] = wireguard->allowed[i];
	}
	wireguard->allowed_count = kept;
}

static int fail(const char *name, int ret, struct error *error)
{
	switch (ret) {
	case -EINTR:
		error_refuse(error, "cannot read the peers of '%s': they keep changing", name);
		return ret;
	case -EBADMSG:
		error_refuse(error, "cannot read the peers of '%s': unexpected answer from the kernel", name);
		return ret;
	default:
		error_system(error, -ret, "cannot read the peers of '%s'", name);
		error_permissions(error, CAPABILITY(CAP_NET_ADMIN), -ret);
		return ret;
	}
}

int wireguard_read(const struct netdev *netdev, int timeout_ms, struct wireguard *wireguard, struct error *error)
{
	cleanup(wireguard_free) struct wireguard found = {};
	int ret = -EOPNOTSUPP;

	if (!strcmp(netdev->kind, "wireguard")) {
		ret = wireguard_read_kernel(netdev->name, &found);
		if (ret)
			return fail(netdev->name, ret, error);
	} else if (!strcmp(netdev->kind, "tun") && netdev_is_l3(netdev)) {
		ret = wireguard_read_socket(netdev->name, timeout_ms, &found, error);
	}
	if (ret == -EOPNOTSUPP)
		error_refuse(error, "interface '%s' is not a WireGuard interface", netdev->name);
	if (ret)
		return ret;
	sort(&found);
	*wireguard = found;
	found = (struct wireguard){};
	return 0;
}

bool wireguard_equal(const struct wireguard *a, const struct wireguard *b)
{
	if (a->allowed_count != b->allowed_count)
		return false;
	for (size_t i = 0; i < a->allowed_count; i++)
		if (prefix_compare(&a->allowed[i].prefix, &b->allowed[i].prefix) ||
		    memcmp(a->peers[a->allowed[i].peer].public_key, b->peers[b->allowed[i].peer].public_key,
			   WIREGUARD_KEY) != 0)
			return false;
	return true;
}

/* RFC 4648, section 4: 32 bytes are ten groups of three, and two bytes with one '=' after them. */
const char *wireguard_key_text(const uint8_t key[WIREGUARD_KEY], char text[WIREGUARD_KEY_TEXT])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *next = text;

	for (size_t i = 0; i < WIREGUARD_KEY; i += 3) {
		uint32_t third = i + 2 < WIREGUARD_KEY ? key[i + 2] : 0;
		uint32_t group = (uint32_t)key[i] << 16 | (uint32_t)key[i + 1] << 8 | third;

		*next++ = digits[group >> 18];
		*next++ = digits[group >> 12 & 63];
		*next++ = digits[group >> 6 & 63];
		*next++ = digits[group & 63];
	}
	strcpy(next - 1, "="); /* instead of the third byte, which the last group lacks */
	return text;
}

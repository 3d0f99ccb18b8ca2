// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's WireGuard: WG_CMD_GET_DEVICE over generic netlink (linux/wireguard.h). A device's peers span several
 * messages. A peer whose ranges do not fit continues at the beginning of the next one, under the same public key
 * (get_peer() in the kernel's drivers/net/wireguard/netlink.c).
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "host/attributes.h"
#include "host/netlink.h"
#include "host/wireguard_read.h"

static struct nlmsghdr *request(struct netlink *netlink, uint16_t family, uint16_t flags, uint8_t command,
				uint8_t version)
{
	struct nlmsghdr *header = netlink_request(netlink, family, flags, sizeof(struct genlmsghdr));
	struct genlmsghdr *generic = mnl_nlmsg_get_payload(header);

	generic->cmd = command;
	generic->version = version;
	return header;
}

static int on_family(const struct nlmsghdr *header, void *data)
{
	struct attributes attributes = attributes_of(header, sizeof(struct genlmsghdr));
	const struct nlattr *id = attributes.of[CTRL_ATTR_FAMILY_ID];

	if (id && mnl_attr_get_payload_len(id) >= sizeof(uint16_t))
		*(uint16_t *)data = mnl_attr_get_u16(id);
	return MNL_CB_OK;
}

/* WireGuard's number in generic netlink; -ENOENT: it is not loaded. */
static int find_family(struct netlink *netlink, uint16_t *family)
{
	struct nlmsghdr *header = request(netlink, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, 1);
	int ret;

	mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	ret = netlink_ask(netlink, header, on_family, family);
	return ret || *family ? ret : -ENOENT;
}

static int take_allowed(const struct nlattr *item, struct wireguard *wireguard)
{
	struct attributes attributes = attributes_in(item);
	const struct nlattr *family = attributes.of[WGALLOWEDIP_A_FAMILY], *ip = attributes.of[WGALLOWEDIP_A_IPADDR];
	const struct nlattr *len = attributes.of[WGALLOWEDIP_A_CIDR_MASK];
	uint16_t number;
	struct ip value;

	if (!family || !ip || !len || mnl_attr_get_payload_len(family) < sizeof(number))
		return -EBADMSG;
	number = mnl_attr_get_u16(family);
	if ((number != AF_INET && number != AF_INET6) || mnl_attr_get_payload_len(ip) != ip_bits(number) / 8)
		return -EBADMSG;
	value = attribute_ip(ip, number);
	return wireguard_add_allowed(wireguard, &value, attribute_u8(len, UINT8_MAX));
}

/* Whether the latest peer has that key, and continues. */
static bool goes_on(const struct wireguard *wireguard, const void *public_key)
{
	return wireguard->peer_count &&
	       !memcmp(wireguard->peers[wireguard->peer_count - 1].public_key, public_key, WIREGUARD_KEY);
}

static int take_peer(const struct nlattr *item, struct wireguard *wireguard)
{
	struct attributes attributes = attributes_in(item);
	const struct nlattr *key = attributes.of[WGPEER_A_PUBLIC_KEY], *ranges = attributes.of[WGPEER_A_ALLOWEDIPS];
	const struct nlattr *range;
	int ret = 0;

	if (!key || mnl_attr_get_payload_len(key) != WIREGUARD_KEY)
		return -EBADMSG;
	if (!goes_on(wireguard, mnl_attr_get_payload(key)))
		ret = wireguard_add_peer(wireguard, mnl_attr_get_payload(key));
	if (!ranges)
		return ret;
	mnl_attr_for_each_nested(range, ranges)
	{
		if (!ret)
			ret = take_allowed(range, wireguard);
	}
	return ret;
}

static int on_device(const struct nlmsghdr *header, void *data)
{
	struct attributes attributes = attributes_of(header, sizeof(struct genlmsghdr));
	const struct nlattr *peers = attributes.of[WGDEVICE_A_PEERS], *peer;
	int ret = 0;

	if (!peers)
		return MNL_CB_OK;
	mnl_attr_for_each_nested(peer, peers)
	{
		if (!ret)
			ret = take_peer(peer, data);
	}
	return ret ? netlink_fail(-ret) : MNL_CB_OK;
}

struct dump {
	const char *name;
	uint16_t family;
	struct wireguard *wireguard;
};

static int dump_once(struct netlink *netlink, void *data)
{
	const struct dump *dump = data;
	struct nlmsghdr *header = request(netlink, dump->family, NLM_F_DUMP, WG_CMD_GET_DEVICE, WG_GENL_VERSION);

	mnl_attr_put_strz(header, WGDEVICE_A_IFNAME, dump->name);
	return netlink_ask(netlink, header, on_device, dump->wireguard);
}

static void dump_reset(void *data)
{
	wireguard_free(((const struct dump *)data)->wireguard);
}

int wireguard_read_kernel(const char *name, struct wireguard *wireguard)
{
	cleanup(netlink_close) struct netlink *netlink = NULL;
	struct dump dump = {name, 0, wireguard};
	int ret = netlink_open(&netlink, NETLINK_GENERIC);

	if (!ret)
		ret = find_family(netlink, &dump.family);
	if (!ret)
		ret = netlink_ask_again(netlink, dump_once, dump_reset, &dump);
	if (netlink)
		netlink_wipe(netlink); /* it contains the private key, and the peers' preshared keys */
	return ret;
}

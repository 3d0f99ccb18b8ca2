// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links, neighbours and routes as rtnetlink tells of them.
 */
#include "host/rtnl_message.h"

#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/lwtunnel.h>
#include <string.h>

#include "base/util.h"

struct ip message_via(uint8_t family, const struct attributes *attributes)
{
	const struct rtvia *rtvia;
	const struct nlattr *via = attributes->of[RTA_VIA];
	struct ip ip = {};
	size_t len;

	if (attributes->of[RTA_GATEWAY])
		return attribute_ip(attributes->of[RTA_GATEWAY], family);
	if (!via || mnl_attr_get_payload_len(via) < sizeof(*rtvia))
		return ip;
	rtvia = mnl_attr_get_payload(via);
	ip.family = rtvia->rtvia_family;
	len = mnl_attr_get_payload_len(via) - sizeof(*rtvia);
	memcpy(ip.addr, rtvia->rtvia_addr, len < ip_bits(ip.family) / 8 ? len : ip_bits(ip.family) / 8);
	return ip;
}

/*
 * ipgre_tunnel_init(), ip6gre_tunnel_init_common(): without an address of the other end and not told one by routes, or
 * with a multicast address.
 */
static bool is_multipoint(const struct netdev *netdev, const struct attributes *data)
{
	static const uint8_t none[16];
	const struct nlattr *remote = data->of[IFLA_GRE_REMOTE];
	struct ip address;

	if ((strcmp(netdev->kind, "gre") != 0 && strcmp(netdev->kind, "ip6gre") != 0) ||
	    data->of[IFLA_GRE_COLLECT_METADATA])
		return false;
	if (!remote || mnl_attr_get_payload_len(remote) > sizeof(none) ||
	    !memcmp(mnl_attr_get_payload(remote), none, mnl_attr_get_payload_len(remote)))
		return true;
	address = attribute_ip(remote, AF_INET);
	return !strcmp(netdev->kind, "gre") && ip_is_multicast(&address);
}

/* Of other kinds IFLA_LINK has other meanings: of a veth it is the other end. */
static uint32_t lower_of(const struct netdev *netdev, const struct attributes *attributes)
{
	bool is_here = !attributes->of[IFLA_LINK_NETNSID];

	if (!is_here || (strcmp(netdev->kind, "vlan") != 0 && strcmp(netdev->kind, "macvlan") != 0))
		return 0;
	return attribute_u32(attributes->of[IFLA_LINK], 0);
}

struct netdev message_link(const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*info)), about, data;
	struct netdev netdev = {.ifindex = info->ifi_index, .type = info->ifi_type, .flags = info->ifi_flags};

	attribute_text(attributes.of[IFLA_IFNAME], netdev.name, sizeof(netdev.name));
	netdev.mtu = attribute_u32(attributes.of[IFLA_MTU], 0);
	netdev.master = attribute_u32(attributes.of[IFLA_MASTER], 0);
	netdev.group = attribute_u32(attributes.of[IFLA_GROUP], 0);
	netdev.operstate = attribute_u8(attributes.of[IFLA_OPERSTATE], 0);
	about = attributes_in(attributes.of[IFLA_LINKINFO]);
	attribute_text(about.of[IFLA_INFO_KIND], netdev.kind, sizeof(netdev.kind));
	netdev.lower = lower_of(&netdev, &attributes);
	data = attributes_in(about.of[IFLA_INFO_DATA]);
	if (!strcmp(netdev.kind, "vrf"))
		netdev.table = attribute_u32(data.of[IFLA_VRF_TABLE], 0);
	netdev.multipoint = is_multipoint(&netdev, &data);
	netdev.xdp = attribute_u32(attributes_in(attributes.of[IFLA_XDP]).of[IFLA_XDP_PROG_ID], 0);
	return netdev;
}

struct neighbour message_neighbour(const struct nlmsghdr *header)
{
	const struct ndmsg *entry = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*entry));
	struct neighbour neighbour = {.known = true, .state = entry->ndm_state};

	neighbour.kept = entry->ndm_state & (NUD_PERMANENT | NUD_NOARP) || entry->ndm_flags & NTF_EXT_LEARNED;
	neighbour.kept |= !!(attribute_u32(attributes.of[NDA_FLAGS_EXT], 0) & NTF_EXT_MANAGED);
	if (attributes.of[NDA_LLADDR] && mnl_attr_get_payload_len(attributes.of[NDA_LLADDR]) == 6) {
		neighbour.has_lladdr = true;
		memcpy(neighbour.lladdr, mnl_attr_get_payload(attributes.of[NDA_LLADDR]), 6);
	}
	return neighbour;
}

uint32_t message_table(const struct rtmsg *route, const struct attributes *attributes)
{
	return attribute_u32(attributes->of[RTA_TABLE], route->rtm_table);
}

const struct rtnexthop *message_next_hop(const struct nlattr *multipath, const struct rtnexthop *last)
{
	const char *begin = mnl_attr_get_payload(multipath), *end = begin + mnl_attr_get_payload_len(multipath),
		   *next = last ? (const char *)last + RTNH_ALIGN(last->rtnh_len) : begin;
	const struct rtnexthop *hop = (const void *)next;

	if (next > end || (size_t)(end - next) < sizeof(*hop) || hop->rtnh_len < sizeof(*hop) ||
	    hop->rtnh_len > end - next)
		return NULL;
	return hop;
}

bool message_is_through(const struct attributes *attributes, uint32_t ifindex)
{
	const struct nlattr *multipath = attributes->of[RTA_MULTIPATH];
	const struct rtnexthop *hop = NULL;

	if (attributes->of[RTA_OIF])
		return attribute_u32(attributes->of[RTA_OIF], 0) == ifindex;
	while (multipath && (hop = message_next_hop(multipath, hop)))
		if ((uint32_t)hop->rtnh_ifindex == ifindex)
			return true;
	return false;
}

bool message_encapsulates(const struct nlattr *type)
{
	switch (type && mnl_attr_get_payload_len(type) >= sizeof(uint16_t) ? mnl_attr_get_u16(type) : 0) {
	case LWTUNNEL_ENCAP_MPLS:
	case LWTUNNEL_ENCAP_ILA:
	case LWTUNNEL_ENCAP_SEG6:
	case LWTUNNEL_ENCAP_BPF:
	case LWTUNNEL_ENCAP_RPL:
	case LWTUNNEL_ENCAP_IOAM6:
		return true;
	default:
		return false;
	}
}

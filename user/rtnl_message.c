// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links, neighbours and routes as rtnetlink tells of them.
 */
#include "rtnl_message.h"

#include <string.h>

#include "util.h"

int message_gather(const struct nlattr *attribute, void *data)
{
	struct attributes *attributes = data;

	if (mnl_attr_get_type(attribute) < ARRAY_SIZE(attributes->of))
		attributes->of[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

struct attributes message_attributes(const struct nlmsghdr *header, size_t fixed)
{
	struct attributes attributes = {};

	mnl_attr_parse(header, fixed, message_gather, &attributes);
	return attributes;
}

struct ip message_ip_from(uint8_t family, const void *payload, size_t len)
{
	struct ip ip = {.family = family};

	memcpy(ip.addr, payload, len < ip_bits(family) / 8 ? len : ip_bits(family) / 8);
	return ip;
}

struct ip message_ip(uint8_t family, const struct nlattr *attribute)
{
	return message_ip_from(family, mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));
}

struct link message_link(const struct nlmsghdr *header)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*info));
	struct link link = {.ifindex = info->ifi_index, .type = info->ifi_type, .flags = info->ifi_flags};

	if (attributes.of[IFLA_IFNAME])
		strncpy(link.name, mnl_attr_get_str(attributes.of[IFLA_IFNAME]), sizeof(link.name) - 1);
	if (attributes.of[IFLA_MTU])
		link.mtu = mnl_attr_get_u32(attributes.of[IFLA_MTU]);
	if (attributes.of[IFLA_MASTER])
		link.master = mnl_attr_get_u32(attributes.of[IFLA_MASTER]);
	if (attributes.of[IFLA_OPERSTATE])
		link.operstate = mnl_attr_get_u8(attributes.of[IFLA_OPERSTATE]);
	if (attributes.of[IFLA_LINKINFO]) {
		struct attributes nested = {};

		mnl_attr_parse_nested(attributes.of[IFLA_LINKINFO], message_gather, &nested);
		if (nested.of[IFLA_INFO_KIND])
			strncpy(link.kind, mnl_attr_get_str(nested.of[IFLA_INFO_KIND]), sizeof(link.kind) - 1);
		if (nested.of[IFLA_INFO_DATA] && !strcmp(link.kind, "vrf")) {
			struct attributes vrf = {};

			mnl_attr_parse_nested(nested.of[IFLA_INFO_DATA], message_gather, &vrf);
			if (vrf.of[IFLA_VRF_TABLE])
				link.table = mnl_attr_get_u32(vrf.of[IFLA_VRF_TABLE]);
		}
	}
	return link;
}

struct neighbour message_neighbour(const struct nlmsghdr *header)
{
	const struct ndmsg *entry = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*entry));
	struct neighbour neighbour = {.known = true, .state = entry->ndm_state};

	neighbour.kept = entry->ndm_state & (NUD_PERMANENT | NUD_NOARP) || entry->ndm_flags & NTF_EXT_LEARNED;
	if (attributes.of[NDA_FLAGS_EXT])
		neighbour.kept |= !!(mnl_attr_get_u32(attributes.of[NDA_FLAGS_EXT]) & NTF_EXT_MANAGED);
	if (attributes.of[NDA_LLADDR] && mnl_attr_get_payload_len(attributes.of[NDA_LLADDR]) == 6) {
		neighbour.has_lladdr = true;
		memcpy(neighbour.lladdr, mnl_attr_get_payload(attributes.of[NDA_LLADDR]), 6);
	}
	return neighbour;
}

uint32_t message_table(const struct rtmsg *route, const struct attributes *attributes)
{
	return attributes->of[RTA_TABLE] ? mnl_attr_get_u32(attributes->of[RTA_TABLE]) : route->rtm_table;
}

bool message_is_through(const struct attributes *attributes, uint32_t ifindex)
{
	const struct rtnexthop *hop;
	int len;

	if (attributes->of[RTA_OIF])
		return mnl_attr_get_u32(attributes->of[RTA_OIF]) == ifindex;
	if (!attributes->of[RTA_MULTIPATH])
		return false;
	hop = mnl_attr_get_payload(attributes->of[RTA_MULTIPATH]);
	len = mnl_attr_get_payload_len(attributes->of[RTA_MULTIPATH]);
	for (; RTNH_OK(hop, len); len -= RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
		if ((uint32_t)hop->rtnh_ifindex == ifindex)
			return true;
	return false;
}

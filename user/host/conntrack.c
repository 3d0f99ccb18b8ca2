// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to ctnetlink with libmnl: a dump, then a deletion or a change for each entry that is affected.
 */
#include "host/conntrack.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "host/attributes.h"
#include "host/netlink.h"

/* An entry to delete or to change, identified by attributes copied from the kernel's message. */
struct victim {
	uint8_t family;
	bool is_tcp;
	uint8_t attributes[256]; /* CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID */
	size_t len;
};

struct search {
	const struct state *state;
	uint8_t family;
	struct victim *victims;
	size_t count;
};

/* Source, destination and protocol of a CTA_TUPLE_*; false if it has no addresses. */
static bool read_tuple(const struct nlattr *tuple, uint8_t family, struct ip *source, struct ip *destination,
		       uint8_t *protocol)
{
	struct attributes in_tuple = attributes_in(tuple), addresses = attributes_in(in_tuple.of[CTA_TUPLE_IP]),
			  proto = attributes_in(in_tuple.of[CTA_TUPLE_PROTO]);
	const struct nlattr *from = addresses.of[family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC],
			    *to = addresses.of[family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST];

	if (!from || !to)
		return false;
	*source = attribute_ip(from, family);
	*destination = attribute_ip(to, family);
	*protocol = attribute_u8(proto.of[CTA_PROTO_NUM], 0);
	return true;
}

/* Whether the shortcuts carry packets from the one to the other, or in the reverse direction. */
static bool is_carried(const struct state *state, const struct ip *source, const struct ip *destination)
{
	return (state_match_gateway(state, source) && !state_match_bypass(state, destination)) ||
	       (state_match_gateway(state, destination) && !state_match_bypass(state, source));
}

static void keep_attribute(struct victim *victim, const struct nlattr *attribute)
{
	size_t len = attribute ? MNL_ALIGN(attribute->nla_len) : 0;

	if (!len || victim->len + len > sizeof(victim->attributes))
		return;
	memcpy(victim->attributes + victim->len, attribute, attribute->nla_len);
	victim->len += len;
}

static int on_entry(const struct nlmsghdr *header, void *data)
{
	const struct nfgenmsg *info = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*info));
	struct search *search = data;
	struct ip source, destination;
	struct victim *victim;
	uint8_t protocol;

	if (info->nfgen_family != search->family ||
	    !read_tuple(attributes.of[CTA_TUPLE_ORIG], info->nfgen_family, &source, &destination, &protocol) ||
	    !is_carried(search->state, &source, &destination))
		return MNL_CB_OK;
	victim = array_grow(&search->victims, &search->count, sizeof(*victim));
	if (!victim)
		return netlink_fail(ENOMEM);
	victim->family = info->nfgen_family;
	victim->is_tcp = protocol == IPPROTO_TCP;
	keep_attribute(victim, attributes.of[CTA_TUPLE_ORIG]);
	keep_attribute(victim, attributes.of[CTA_ZONE]);
	keep_attribute(victim, attributes.of[CTA_ID]);
	return MNL_CB_OK;
}

static struct nlmsghdr *request(struct netlink *netlink, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *header =
		netlink_request(netlink, NFNL_SUBSYS_CTNETLINK << 8 | type, flags, sizeof(struct nfgenmsg));
	struct nfgenmsg *info = mnl_nlmsg_get_payload(header);

	info->nfgen_family = family;
	info->version = NFNETLINK_V0;
	return header;
}

/* A request would load the module, so it is only sent if this namespace tracks anything. */
static bool is_tracking(void)
{
	FILE *file = fopen("/proc/sys/net/netfilter/nf_conntrack_count", "re");
	int count = 0;

	if (!file)
		return false;
	if (fscanf(file, "%d", &count) != 1)
		count = 0;
	fclose(file);
	return count > 0;
}

static int forget(struct netlink *netlink, const struct victim *victim)
{
	struct nlmsghdr *header = request(netlink, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, victim->family);

	memcpy(mnl_nlmsg_get_payload_tail(header), victim->attributes, victim->len);
	header->nlmsg_len += victim->len;
	return netlink_ask(netlink, header, NULL, NULL);
}

static int relax(struct netlink *netlink, const struct victim *victim)
{
	static const struct nf_ct_tcp_flags liberal = {IP_CT_TCP_FLAG_BE_LIBERAL, IP_CT_TCP_FLAG_BE_LIBERAL};
	struct nlmsghdr *header = request(netlink, IPCTNL_MSG_CT_NEW, NLM_F_ACK, victim->family);
	struct nlattr *protoinfo, *tcp;

	if (!victim->is_tcp)
		return 0;
	memcpy(mnl_nlmsg_get_payload_tail(header), victim->attributes, victim->len);
	header->nlmsg_len += victim->len;
	protoinfo = mnl_attr_nest_start(header, CTA_PROTOINFO);
	tcp = mnl_attr_nest_start(header, CTA_PROTOINFO_TCP);
	mnl_attr_put(header, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(liberal), &liberal);
	mnl_attr_put(header, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(liberal), &liberal);
	mnl_attr_nest_end(header, tcp);
	mnl_attr_nest_end(header, protoinfo);
	return netlink_ask(netlink, header, NULL, NULL);
}

typedef int (*treatment)(struct netlink *netlink, const struct victim *victim);

static int find_victims(struct netlink *netlink, void *data)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct search *search = data;
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && !ret; i++) {
		search->family = families[i];
		ret = netlink_ask(netlink, request(netlink, IPCTNL_MSG_CT_GET, NLM_F_DUMP, families[i]), on_entry,
				  search);
		if (netlink_lacks_family(ret))
			ret = 0;
	}
	return ret;
}

static void forget_victims(void *data)
{
	struct search *search = data;

	free(search->victims);
	search->victims = NULL;
	search->count = 0;
}

static int treat_carried(const struct state *state, treatment treat)
{
	cleanup(netlink_close) struct netlink *netlink = NULL;
	struct search search = {.state = state};
	int ret;

	if (!is_tracking())
		return 0;
	ret = netlink_open(&netlink, NETLINK_NETFILTER);
	if (!ret)
		ret = netlink_ask_again(netlink, find_victims, forget_victims, &search);
	for (size_t i = 0; i < search.count && !ret; i++) {
		ret = treat(netlink, &search.victims[i]);
		if (ret == -ENOENT) /* it has expired meanwhile */
			ret = 0;
	}
	forget_victims(&search);
	return ret;
}

int conntrack_forget(const struct state *state)
{
	return treat_carried(state, forget);
}

int conntrack_relax(const struct state *state)
{
	return treat_carried(state, relax);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to ctnetlink by libmnl: a dump, and a deletion or a change for each entry that is concerned.
 */
#include "conntrack.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util.h"

#define BUFFER_SIZE 32768

/* An entry to delete or to change: what names it, as it came from the kernel. */
struct victim {
	uint8_t family;
	bool is_tcp;
	uint8_t attributes[256]; /* CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID */
	size_t len;
};

struct search {
	const struct state *state;
	struct victim *victims;
	size_t count;
};

static int gather(const struct nlattr *attribute, void *data)
{
	const struct nlattr **of = data;

	if (mnl_attr_get_type(attribute) <= CTA_MAX)
		of[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

/* Source, destination and protocol of a CTA_TUPLE_*; false where it has no addresses. */
static bool read_tuple(const struct nlattr *tuple, uint8_t family, struct ip *source, struct ip *destination,
		       uint8_t *protocol)
{
	const struct nlattr *in_tuple[CTA_MAX + 1] = {}, *addresses[CTA_MAX + 1] = {}, *proto[CTA_MAX + 1] = {};
	const struct nlattr *from, *to;

	mnl_attr_parse_nested(tuple, gather, in_tuple);
	if (!in_tuple[CTA_TUPLE_IP])
		return false;
	mnl_attr_parse_nested(in_tuple[CTA_TUPLE_IP], gather, addresses);
	from = addresses[family == AF_INET ? CTA_IP_V4_SRC : CTA_IP_V6_SRC];
	to = addresses[family == AF_INET ? CTA_IP_V4_DST : CTA_IP_V6_DST];
	if (!from || !to)
		return false;
	*source = (struct ip){.family = family};
	*destination = (struct ip){.family = family};
	memcpy(source->addr, mnl_attr_get_payload(from), ip_bits(family) / 8);
	memcpy(destination->addr, mnl_attr_get_payload(to), ip_bits(family) / 8);
	if (in_tuple[CTA_TUPLE_PROTO])
		mnl_attr_parse_nested(in_tuple[CTA_TUPLE_PROTO], gather, proto);
	*protocol = proto[CTA_PROTO_NUM] ? mnl_attr_get_u8(proto[CTA_PROTO_NUM]) : 0;
	return true;
}

/* Whether the shortcuts carry packets from the one to the other, or back. */
static bool is_carried(const struct state *state, const struct ip *source, const struct ip *destination)
{
	return (state_match_gateway(state, source) && !state_match_bypass(state, destination)) ||
	       (state_match_gateway(state, destination) && !state_match_bypass(state, source));
}

static void keep(struct victim *victim, const struct nlattr *attribute)
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
	const struct nlattr *attributes[CTA_MAX + 1] = {};
	struct search *search = data;
	struct ip source, destination;
	struct victim *victim;
	uint8_t protocol;

	mnl_attr_parse(header, sizeof(*info), gather, attributes);
	if (!attributes[CTA_TUPLE_ORIG] ||
	    !read_tuple(attributes[CTA_TUPLE_ORIG], info->nfgen_family, &source, &destination, &protocol) ||
	    !is_carried(search->state, &source, &destination))
		return MNL_CB_OK;
	victim = array_grow(&search->victims, &search->count, sizeof(*victim));
	if (!victim) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	victim->family = info->nfgen_family;
	victim->is_tcp = protocol == IPPROTO_TCP;
	keep(victim, attributes[CTA_TUPLE_ORIG]);
	keep(victim, attributes[CTA_ZONE]);
	keep(victim, attributes[CTA_ID]);
	return MNL_CB_OK;
}

static struct nlmsghdr *request(char *buffer, uint16_t type, uint16_t flags, uint8_t family)
{
	static uint32_t seq;
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *info;

	header->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++seq + (uint32_t)time(NULL);
	info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	info->nfgen_family = family;
	info->version = NFNETLINK_V0;
	return header;
}

static int ask(struct mnl_socket *socket, const struct nlmsghdr *header, mnl_cb_t callback, void *data, char *buffer)
{
	bool dump = header->nlmsg_flags & NLM_F_DUMP;
	uint32_t seq = header->nlmsg_seq;
	int ret = MNL_CB_OK;

	if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (ret > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(socket, buffer, BUFFER_SIZE);

		if (len < 0)
			return -errno;
		ret = mnl_cb_run(buffer, len, seq, mnl_socket_get_portid(socket), callback, data);
		if (!dump)
			break;
	}
	return ret < 0 ? -errno : 0;
}

/* Asking loads the module, so only where this namespace tracks anything. */
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

static int forget(struct mnl_socket *socket, const struct victim *victim, char *buffer)
{
	struct nlmsghdr *header = request(buffer, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, victim->family);

	memcpy(mnl_nlmsg_get_payload_tail(header), victim->attributes, victim->len);
	header->nlmsg_len += victim->len;
	return ask(socket, header, NULL, NULL, buffer);
}

static int relax(struct mnl_socket *socket, const struct victim *victim, char *buffer)
{
	static const struct nf_ct_tcp_flags liberal = {IP_CT_TCP_FLAG_BE_LIBERAL, IP_CT_TCP_FLAG_BE_LIBERAL};
	struct nlmsghdr *header = request(buffer, IPCTNL_MSG_CT_NEW, NLM_F_ACK, victim->family);
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
	return ask(socket, header, NULL, NULL, buffer);
}

typedef int (*treatment)(struct mnl_socket *socket, const struct victim *victim, char *buffer);

static int treat_each(struct mnl_socket *socket, const struct state *state, treatment treat, char *buffer)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct search search = {.state = state};
	int ret = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) ? -errno : 0;

	for (size_t i = 0; i < ARRAY_SIZE(families) && !ret; i++)
		ret = ask(socket, request(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, families[i]), on_entry, &search,
			  buffer);
	for (size_t i = 0; i < search.count && !ret; i++) {
		ret = treat(socket, &search.victims[i], buffer);
		if (ret == -ENOENT) /* gone by itself */
			ret = 0;
	}
	free(search.victims);
	return ret;
}

static int treat_carried(const struct state *state, treatment treat)
{
	struct mnl_socket *socket;
	char *buffer;
	int ret;

	if (!is_tracking())
		return 0;
	buffer = malloc(BUFFER_SIZE);
	if (!buffer)
		return -ENOMEM;
	socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	ret = socket ? treat_each(socket, state, treat, buffer) : -errno;
	if (socket)
		mnl_socket_close(socket);
	free(buffer);
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

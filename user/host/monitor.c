// SPDX-License-Identifier: GPL-2.0-only
/*
 * A socket in rtnetlink's multicast groups.
 */
#include "host/monitor.h"

#include <libmnl/libmnl.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/util.h"
#include "host/rtnl_message.h"

#define RECEIVE_BUFFER (4 << 20)
#define AT_ONCE 256 /* datagrams per call, so that other tasks get their turn */

struct monitor {
	struct mnl_socket *socket;
	uint32_t tunnel;
	const struct prefixes *ranges; /* that are reached through the tunnel */
	monitor_handler handler;
	void *data;
	char buffer[32768];
};

int monitor_open(struct monitor **monitor, unsigned int receive_buffer)
{
	static const int groups[] = {RTNLGRP_LINK,	  RTNLGRP_NEIGH,      RTNLGRP_IPV4_IFADDR,
				     RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
				     RTNLGRP_IPV4_RULE,	  RTNLGRP_IPV6_RULE,  RTNLGRP_NEXTHOP};
	cleanup(monitor_close) struct monitor *opened = calloc(1, sizeof(*opened));
	int size = receive_buffer ? (int)receive_buffer : RECEIVE_BUFFER;

	if (!opened)
		return -ENOMEM;
	opened->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!opened->socket || mnl_socket_bind(opened->socket, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	/* a smaller buffer is not an error: losses are noticed */
	setsockopt(mnl_socket_get_fd(opened->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(opened->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)))
			return -errno;
	}
	*monitor = opened;
	opened = NULL;
	return 0;
}

void monitor_close(struct monitor **monitor)
{
	if (!*monitor)
		return;
	if ((*monitor)->socket)
		mnl_socket_close((*monitor)->socket);
	free(*monitor);
	*monitor = NULL;
}

int monitor_fd(const struct monitor *monitor)
{
	return mnl_socket_get_fd(monitor->socket);
}

void monitor_set_tunnel(struct monitor *monitor, uint32_t ifindex, const struct prefixes *ranges)
{
	monitor->tunnel = ifindex;
	monitor->ranges = ranges;
}

/* Whether the route names a nexthop object, so that the message does not contain its device. */
static bool names_object(const struct attributes *attributes)
{
	return attributes->of[RTA_NH_ID] && !attributes->of[RTA_OIF] && !attributes->of[RTA_MULTIPATH];
}

/* Filters, because a routing daemon's full tables pass here as well. */
static bool route_matters(const struct monitor *monitor, const struct nlmsghdr *header)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct attributes attributes;
	struct prefix to = {{.family = route->rtm_family}, route->rtm_dst_len};
	uint32_t table;

	if ((route->rtm_family != AF_INET && route->rtm_family != AF_INET6) || (route->rtm_flags & RTM_F_CLONED))
		return false;
	attributes = attributes_of(header, sizeof(*route));
	table = message_table(route, &attributes);
	if (attributes.of[RTA_DST])
		to.ip = attribute_ip(attributes.of[RTA_DST], route->rtm_family);
	return table == RT_TABLE_LOCAL || route->rtm_type == RTN_LOCAL || !to.len || names_object(&attributes) ||
	       (monitor->tunnel && message_is_through(&attributes, monitor->tunnel)) ||
	       (monitor->ranges && prefixes_overlap(monitor->ranges, &to));
}

static bool read_neighbour(const struct nlmsghdr *header, struct monitor_event *event)
{
	const struct ndmsg *entry = mnl_nlmsg_get_payload(header);
	struct attributes attributes = attributes_of(header, sizeof(*entry));

	if ((entry->ndm_family != AF_INET && entry->ndm_family != AF_INET6) || !attributes.of[NDA_DST])
		return false;
	event->netdev.ifindex = (uint32_t)entry->ndm_ifindex;
	event->ip = attribute_ip(attributes.of[NDA_DST], entry->ndm_family);
	event->neighbour = message_neighbour(header);
	return true;
}

/* The size of the header before the attributes of such a message. */
static size_t fixed_of(uint16_t type)
{
	switch (type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return sizeof(struct ifinfomsg);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return sizeof(struct ifaddrmsg);
	case RTM_NEWNEIGH:
		return sizeof(struct ndmsg);
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		return sizeof(struct nhmsg);
	default:
		return sizeof(struct rtmsg);
	}
}

static int on_message(const struct nlmsghdr *header, void *data)
{
	struct monitor *monitor = data;
	struct monitor_event event = {};

	if (mnl_nlmsg_get_payload_len(header) < fixed_of(header->nlmsg_type))
		return MNL_CB_OK;
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		event.kind = header->nlmsg_type == RTM_NEWLINK ? MONITOR_LINK : MONITOR_LINK_GONE;
		/* bridge messages about ports: a device that leaves a bridge still exists */
		if (((const struct ifinfomsg *)mnl_nlmsg_get_payload(header))->ifi_family != AF_UNSPEC)
			return MNL_CB_OK;
		event.netdev = message_link(header);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		event.kind = header->nlmsg_type == RTM_NEWADDR ? MONITOR_ADDRESS : MONITOR_ADDRESS_GONE;
		event.netdev.ifindex = ((const struct ifaddrmsg *)mnl_nlmsg_get_payload(header))->ifa_index;
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (!route_matters(monitor, header))
			return MNL_CB_OK;
		event.kind = MONITOR_ROUTE;
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		event.kind = MONITOR_ROUTE;
		break;
	case RTM_NEWNEIGH:
		event.kind = MONITOR_NEIGHBOUR;
		if (!read_neighbour(header, &event))
			return MNL_CB_OK;
		break;
	default:
		return MNL_CB_OK;
	}
	monitor->handler(monitor->data, &event);
	return MNL_CB_OK;
}

int monitor_read(struct monitor *monitor, monitor_handler handler, void *data)
{
	monitor->handler = handler;
	monitor->data = data;
	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t len = mnl_socket_recvfrom(monitor->socket, monitor->buffer, sizeof(monitor->buffer));

		if (len < 0 && errno == EAGAIN)
			break;
		if (len < 0 && (errno == ENOBUFS || errno == ENOSPC))
			handler(data, &(struct monitor_event){.kind = MONITOR_OVERRUN});
		else if (len < 0 && errno != EINTR)
			return -errno;
		else if (len > 0)
			mnl_cb_run(monitor->buffer, len, 0, 0, on_message, monitor);
	}
	return 0;
}

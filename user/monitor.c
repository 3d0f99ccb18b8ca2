// SPDX-License-Identifier: GPL-2.0-only
/*
 * A socket in rtnetlink's multicast groups.
 */
#include "monitor.h"

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "rtnl_message.h"
#include "util.h"

#define RECEIVE_BUFFER (4 << 20)
#define AT_ONCE 256 /* datagrams, then others get their turn */

struct monitor {
	struct mnl_socket *socket;
	uint32_t tunnel;
	const struct prefixes *ranges; /* that lead into it */
	monitor_handler handler;
	void *data;
	char buffer[32768];
};

int monitor_open(struct monitor **monitor, unsigned int receive_buffer)
{
	static const int groups[] = {RTNLGRP_LINK,	 RTNLGRP_NEIGH,	     RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				     RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,	  RTNLGRP_IPV6_RULE};
	cleanup(monitor_close) struct monitor *opened = calloc(1, sizeof(*opened));
	int size = receive_buffer ? (int)receive_buffer : RECEIVE_BUFFER;

	if (!opened)
		return -ENOMEM;
	opened->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!opened->socket || mnl_socket_bind(opened->socket, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	/* a smaller one is no fault: what is lost is noticed */
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

/* Full tables of a routing daemon come by here as well. */
static bool route_matters(const struct monitor *monitor, const struct nlmsghdr *header)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct attributes attributes;
	struct prefix to = {{.family = route->rtm_family}, route->rtm_dst_len};
	uint32_t table;

	if ((route->rtm_family != AF_INET && route->rtm_family != AF_INET6) || (route->rtm_flags & RTM_F_CLONED))
		return false;
	attributes = message_attributes(header, sizeof(*route));
	table = message_table(route, &attributes);
	if (attributes.of[RTA_DST])
		to.ip = message_ip(route->rtm_family, attributes.of[RTA_DST]);
	return table == RT_TABLE_LOCAL || route->rtm_type == RTN_LOCAL || (table == RT_TABLE_MAIN && !to.len) ||
	       (monitor->tunnel && message_is_through(&attributes, monitor->tunnel)) ||
	       (monitor->ranges && prefixes_overlap(monitor->ranges, &to));
}

static bool read_neighbour(const struct nlmsghdr *header, struct monitor_event *event)
{
	const struct ndmsg *entry = mnl_nlmsg_get_payload(header);
	struct attributes attributes = message_attributes(header, sizeof(*entry));

	if ((entry->ndm_family != AF_INET && entry->ndm_family != AF_INET6) || !attributes.of[NDA_DST])
		return false;
	event->link.ifindex = (uint32_t)entry->ndm_ifindex;
	event->ip = message_ip(entry->ndm_family, attributes.of[NDA_DST]);
	event->neighbour = message_neighbour(header);
	return true;
}

static int on_message(const struct nlmsghdr *header, void *data)
{
	struct monitor *monitor = data;
	struct monitor_event event = {};

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		event.kind = header->nlmsg_type == RTM_NEWLINK ? MONITOR_LINK : MONITOR_LINK_GONE;
		/* a bridge's messages about its ports: one that leaves a bridge has not gone */
		if (((const struct ifinfomsg *)mnl_nlmsg_get_payload(header))->ifi_family != AF_UNSPEC)
			return MNL_CB_OK;
		event.link = message_link(header);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		event.kind = header->nlmsg_type == RTM_NEWADDR ? MONITOR_ADDRESS : MONITOR_ADDRESS_GONE;
		event.link.ifindex = ((const struct ifaddrmsg *)mnl_nlmsg_get_payload(header))->ifa_index;
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (!route_matters(monitor, header))
			return MNL_CB_OK;
		event.kind = MONITOR_ROUTE;
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
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

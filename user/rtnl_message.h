/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink's messages to values, for who asks (rtnl_*.c) and for who listens (monitor.c). The kernel made the
 * messages: lengths are right.
 */
#ifndef WGVIA_RTNL_MESSAGE_H
#define WGVIA_RTNL_MESSAGE_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "rtnl.h"

/* The attributes of a message by type, those behind the end left out. */
struct attributes {
	const struct nlattr *of[64];
};

/* `fixed`: size of what stands before the attributes. */
struct attributes message_attributes(const struct nlmsghdr *header, size_t fixed);
/* For mnl_attr_parse_nested() and its sisters, into a struct attributes. */
int message_gather(const struct nlattr *attribute, void *data);
struct ip message_ip_from(uint8_t family, const void *payload, size_t len);
struct ip message_ip(uint8_t family, const struct nlattr *attribute);

struct link message_link(const struct nlmsghdr *header);
struct neighbour message_neighbour(const struct nlmsghdr *header);
uint32_t message_table(const struct rtmsg *route, const struct attributes *attributes);
/* Whether one of the route's next hops is the interface. */
bool message_is_through(const struct attributes *attributes, uint32_t ifindex);

#endif

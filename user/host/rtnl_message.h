/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rtnetlink messages to values, for requests (rtnl_*.c) and for notifications (monitor.c). The messages must be at
 * least as long as the header before their attributes.
 */
#ifndef WGVIA_RTNL_MESSAGE_H
#define WGVIA_RTNL_MESSAGE_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "host/attributes.h"
#include "host/rtnl.h"

/*
 * The next hop of a route, or of one of its hops; family 0: on-link. RTA_VIA has its own family: an IPv4 route with an
 * IPv6 next hop.
 */
struct ip message_via(uint8_t family, const struct attributes *attributes);
struct netdev message_link(const struct nlmsghdr *header);
struct neighbour message_neighbour(const struct nlmsghdr *header);
uint32_t message_table(const struct rtmsg *route, const struct attributes *attributes);
/* The next hop after `last` in RTA_MULTIPATH, the first one if `last` is NULL; NULL: no more. */
const struct rtnexthop *message_next_hop(const struct nlattr *multipath, const struct rtnexthop *last);
/*
 * Whether an lwtunnel of this type (RTA_ENCAP_TYPE, may be NULL) changes a packet before a device sees it. Other types
 * are only metadata for the device, or for this host.
 */
bool message_encapsulates(const struct nlattr *type);
/* Whether one of the route's next hops is the interface. */
bool message_is_through(const struct attributes *attributes, uint32_t ifindex);

#endif

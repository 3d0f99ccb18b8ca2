// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as the kernel's answers over netlink. The first byte selects the request; then datagrams follow, each after
 * its length in two bytes. Their sequence numbers are set to the expected ones.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "host/host_view.h"
#include "host/monitor.h"
#include "host/wireguard_read.h"
#include "tests/lib/mnl_socket.h"

/* From <sanitizer/asan_interface.h>, which only one version of clang provides. */
void __asan_poison_memory_region(const volatile void *addr, size_t size);   /* NOLINT(bugprone-reserved-identifier) */
void __asan_unpoison_memory_region(const volatile void *addr, size_t size); /* NOLINT(bugprone-reserved-identifier) */

/* --- the socket, instead of libmnl's --- */

static const uint8_t *rest, *end;
static uint32_t asked;
ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t size)
{
	(void)nl;
	asked = ((const struct nlmsghdr *)req)->nlmsg_seq;
	return (ssize_t)size;
}

/* The bytes after the datagram are poisoned. */
ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	size_t len, received;
	int left;

	(void)nl;
	__asan_unpoison_memory_region(buf, size);
	if (end - rest < 2) {
		errno = EAGAIN;
		return -1;
	}
	len = rest[0] | rest[1] << 8;
	rest += 2;
	if (len > (size_t)(end - rest))
		len = end - rest;
	if (len > size)
		len = size;
	memcpy(buf, rest, len);
	rest += len;
	received = len;
	left = (int)len;
	for (struct nlmsghdr *header = buf; left >= (int)sizeof(*header); header = mnl_nlmsg_next(header, &left)) {
		header->nlmsg_seq = asked;
		header->nlmsg_pid = 0;
		/* the kernel sets the headers' lengths, and libmnl trusts it */
		if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > (uint32_t)left)
			header->nlmsg_len = (uint32_t)left;
	}
	len = MNL_ALIGN(len); /* libmnl assumes that a message has this length */
	__asan_poison_memory_region((char *)buf + len, size - len);
	return (ssize_t)received;
}

/* A request overwrites the last answer. */
struct nlmsghdr *mnl_nlmsg_put_header(void *buf)
{
	struct nlmsghdr *header = buf;

	__asan_unpoison_memory_region(buf, 4096);
	*header = (struct nlmsghdr){.nlmsg_len = MNL_NLMSG_HDRLEN};
	return header;
}

/* --- the requests --- */

static void check_netdevs(const struct netdevs *netdevs)
{
	for (size_t i = 0; i < netdevs->count; i++)
		if (!memchr(netdevs->all[i].name, 0, sizeof(netdevs->all[i].name)) ||
		    !memchr(netdevs->all[i].kind, 0, sizeof(netdevs->all[i].kind)))
			abort();
}

static void read_host(void)
{
	cleanup(host_view_free) struct host_view host = {.tunnel = "wg0"};

	host_view_read(&host, HOST_NETDEVS);
	check_netdevs(&host.netdevs);
	host_view_read(&host, HOST_ADDRESSES);
	host_view_read(&host, HOST_RULES);
	host_view_read(&host, HOST_ROUTES);
	for (size_t i = 0; i < host.routes.count; i++)
		if (host.routes.all[i].to.len > ip_bits(host.routes.all[i].to.ip.family))
			abort();
}

static void read_wireguard(void)
{
	cleanup(wireguard_free) struct wireguard wireguard = {};

	wireguard_read_kernel("wg0", &wireguard);
	for (size_t i = 0; i < wireguard.allowed_count; i++)
		if (wireguard.allowed[i].peer >= wireguard.peer_count ||
		    wireguard.allowed[i].prefix.len > ip_bits(wireguard.allowed[i].prefix.ip.family))
			abort();
}

static void on_event(void *data, const struct monitor_event *event)
{
	(void)data;
	check_netdevs(&(struct netdevs){(struct netdev *)&event->netdev, 1});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ip to = {.family = AF_INET, .addr = {192, 0, 2, 1}};
	cleanup(netlink_close) struct netlink *netlink = NULL;
	struct monitor *monitor = NULL;
	struct prefixes ranges = {};
	struct filter *filters = NULL;
	struct neighbour neighbour;
	struct nexthop nexthop;
	struct forward forward;
	size_t count;
	bool has;

	if (!size || rtnl_open(&netlink))
		return 0;
	rest = data + 1;
	end = data + size;
	switch (data[0] % 8) {
	case 0:
		read_host();
		break;
	case 1:
		rtnl_get_route_to(netlink, &to, 0, &nexthop);
		break;
	case 2:
		rtnl_get_forward(netlink, &to, &to, 0, &forward);
		break;
	case 3:
		if (!rtnl_get_neighbour(netlink, 1, &to, &neighbour))
			neighbour_word(&neighbour);
		break;
	case 4:
		rtnl_has_clsact(netlink, 1, &has);
		break;
	case 5:
		if (!rtnl_get_filters(netlink, 1, &filters, &count))
			free(filters);
		break;
	case 7:
		read_wireguard();
		break;
	default:
		if (monitor_open(&monitor, 0))
			break;
		monitor_set_tunnel(monitor, 7, &ranges);
		monitor_read(monitor, on_event, NULL);
		monitor_close(&monitor);
	}
	return 0;
}

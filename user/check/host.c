// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about this host as such: what the kernel lacks, devices, the firewall's neighbour, sysctls.
 */
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "check/finding.h"
#include "check/gateways.h"
#include "config/failover.h"
#include "datapath/programs.h"
#include "host/rtnl.h"
#include "plan/points.h"

/* A number from /proc/sys/net/FORMAT; `missing` where there is no such file. */
static int __attribute__((format(printf, 2, 3))) sysctl(int missing, const char *format, ...)
{
	char path[256] = "/proc/sys/net/";
	size_t len = strlen(path);
	int value = missing;
	va_list args;
	FILE *file;

	va_start(args, format);
	vsnprintf(path + len, sizeof(path) - len, format, args);
	va_end(args);
	file = fopen(path, "re");
	if (!file)
		return missing;
	if (fscanf(file, "%d", &value) != 1)
		value = missing;
	fclose(file);
	return value;
}

static void check_kernel(struct examined *examined)
{
	if (programs_probe_check_mtu() == 0)
		finding_add(
			examined, SEVERITY_WARNING, "kernel", "",
			"this kernel has no bpf_check_mtu() (Linux 5.12): in mode fast a packet that is too long for "
			"the LAN or the tunnel is lost without Packet Too Big; mode stack is not affected");
}

static void check_up(struct examined *examined, const struct netdev *netdev)
{
	char remedy[64];

	snprintf(remedy, sizeof(remedy), "ip link set dev %s up", netdev->name);
	if (!(netdev->flags & IFF_UP))
		finding_add(examined, SEVERITY_ERROR, "device", remedy, "dev %s is down", netdev->name);
	else if (!(netdev->flags & IFF_RUNNING))
		finding_add(examined, SEVERITY_ERROR, "device", "", "dev %s has no carrier", netdev->name);
}

/* Below these an IP version does not work (RFC 8200, section 5), or is not looked at closely (bpf/mtu.h). */
static void check_smallest_mtu(struct examined *examined, const struct netdev *dev)
{
	char remedy[64];

	if (examined_has_family(examined, AF_INET6) && dev->mtu < IPV6_MIN_MTU) {
		snprintf(remedy, sizeof(remedy), "ip link set dev %s mtu 1280", dev->name);
		finding_add(examined, SEVERITY_ERROR, "mtu", remedy,
			    "dev %s has mtu %u, and IPv6 needs 1280: the kernel has taken its IPv6 addresses away",
			    dev->name, dev->mtu);
	} else if (dev->mtu < 576) {
		snprintf(remedy, sizeof(remedy), "ip link set dev %s mtu 576", dev->name);
		finding_add(examined, SEVERITY_ERROR, "mtu", remedy,
			    "dev %s has mtu %u: packets up to 576 bytes are sent without a look at it, and are lost",
			    dev->name, dev->mtu);
	}
}

static void check_mtu(struct examined *examined, const struct netdev *tunnel, const struct netdev *dev)
{
	char remedy[64];

	if (tunnel->mtu <= dev->mtu)
		return;
	snprintf(remedy, sizeof(remedy), "ip link set dev %s mtu %u", tunnel->name, dev->mtu);
	finding_add(examined, SEVERITY_WARNING, "mtu", remedy,
		    "dev %s has mtu %u, dev %s only %u: longer packets cost a Packet Too Big or fragments each",
		    tunnel->name, tunnel->mtu, dev->name, dev->mtu);
}

static void add_forwarding(struct examined *examined, const char *key)
{
	bool stack = examined->plan.state.mode == WGVIA_STACK;
	char remedy[FINDING_REMEDY];

	snprintf(remedy, sizeof(remedy), "sysctl -w %s=1", key);
	finding_add(examined, stack ? SEVERITY_ERROR : SEVERITY_WARNING, "forwarding", remedy, "%s is 0: %s", key,
		    stack ? "in mode stack nothing is forwarded"
			  : "what mode fast leaves to the kernel, such as traffic from peer to peer, is not forwarded");
}

bool examined_forwards(const struct examined *examined, uint8_t family)
{
	if (family == AF_INET)
		return sysctl(1, "ipv4/conf/%s/forwarding", examined->tunnel);
	return sysctl(1, "ipv6/conf/all/forwarding") || sysctl(0, "ipv6/conf/%s/force_forwarding", examined->tunnel);
}

/*
 * IPv4 asks the device that a packet comes in by, and setting `all` sets every device's where it changes something.
 * IPv6 asks `all` alone (ip6_forward()), and since Linux 6.17 the device's force_forwarding.
 */
static void check_forwarding(struct examined *examined, const struct netdev *tunnel)
{
	const struct netdevs *netdevs = examined->plan.netdevs;
	bool all = sysctl(1, "ipv4/conf/all/forwarding"), all6 = sysctl(1, "ipv6/conf/all/forwarding"), off6 = false;
	bool said = false;

	for (size_t i = 0; i < netdevs->count; i++) {
		const struct netdev *dev = &netdevs->all[i];
		char key[128];

		if (dev != tunnel && !points_is_gateway(&examined->plan, dev->ifindex))
			continue;
		off6 |= !all6 && !sysctl(0, "ipv6/conf/%s/force_forwarding", dev->name);
		if (!examined_has_family(examined, AF_INET) || sysctl(1, "ipv4/conf/%s/forwarding", dev->name) ||
		    (said && !all))
			continue;
		/* sysctl(8) takes a '/' for the '.' in a name */
		snprintf(key, sizeof(key), "net/ipv4/conf/%s/forwarding", dev->name);
		add_forwarding(examined, all ? key : "net.ipv4.ip_forward");
		said = true;
	}
	if (off6 && examined_has_family(examined, AF_INET6))
		add_forwarding(examined, "net.ipv6.conf.all.forwarding");
}

/* Whether IPv4 has another way than this device: a source that the kernel does not expect there. */
static bool has_other_way(const struct examined *examined, const struct netdev *dev)
{
	const struct routes *routes = &examined->host->routes;
	uint32_t table = netdev_table(examined->plan.netdevs, dev);
	struct nexthop nexthop;

	for (size_t i = 0; i < routes->count; i++) {
		const struct route *route = &routes->all[i];

		if (route_is_specific(route, table) && route->to.ip.family == AF_INET &&
		    route->ifindex != dev->ifindex && route->ifindex != examined->plan.state.tunnel_ifindex)
			return true;
	}
	return routes_default(routes, AF_INET, table, 0, dev->ifindex, &nexthop) != -ENOENT ||
	       routes_default(routes, AF_INET, table, dev->ifindex, 0, &nexthop) == -ENOENT;
}

static void check_rp_filter(struct examined *examined, const struct netdev *dev)
{
	int all = sysctl(0, "ipv4/conf/all/rp_filter"), own = sysctl(0, "ipv4/conf/%s/rp_filter", dev->name);
	char remedy[128];

	/* the larger of the two counts (Documentation/networking/ip-sysctl); 1 is strict */
	if ((all > own ? all : own) != 1 || !examined_has_family(examined, AF_INET) || !has_other_way(examined, dev))
		return;
	snprintf(remedy, sizeof(remedy), "sysctl -w net/ipv4/conf/%s/rp_filter=2", dev->name);
	finding_add(examined, SEVERITY_WARNING, "rp_filter", remedy,
		    "rp_filter of dev %s is strict: what the firewall sends there from sources that this host reaches "
		    "by another device is dropped where the kernel sees it, which in mode stack is all of it",
		    dev->name);
}

/* An entry that is being asked for; one that answers has done so in a moment. */
static int get_settled(struct examined *examined, uint32_t ifindex, const struct ip *ip, struct neighbour *neighbour)
{
	int ret = 0;

	for (int tries = 0; tries < 20 && !ret; tries++) {
		if (tries)
			usleep(50000);
		ret = rtnl_get_neighbour(examined->host->rtnl, ifindex, ip, neighbour);
		if (!ret && !(neighbour->known && neighbour->state & NUD_INCOMPLETE))
			break;
	}
	return ret;
}

/* What the agent says is check_gateways()'. */
static void check_neighbours(struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	char via[IP_TEXT_LEN], remedy[128];
	cleanup(hops_free) struct hops hops = {};

	if (failover_hops(state, &hops))
		return;
	for (size_t i = 0; i < hops.count; i++) {
		const struct netdev *dev = netdev_by_index(examined->plan.netdevs, hops.all[i].ifindex);
		struct wgvia_gateway value = hop_value(&hops.all[i], 0);
		bool in_force = failover_users(state, &hops.all[i]) > 0;
		struct ip ip = gateway_ip(&value);
		struct neighbour neighbour;

		if (!dev || check_is_dead(examined, &hops.all[i]) ||
		    get_settled(examined, value.ifindex, &ip, &neighbour))
			continue;
		ip_text(&ip, via);
		snprintf(remedy, sizeof(remedy), "ping -c 1 -I %s %s", dev->name, via);
		if (neighbour.known && neighbour.state & (NUD_FAILED | NUD_INCOMPLETE))
			finding_add(examined, in_force ? SEVERITY_ERROR : SEVERITY_WARNING, "neighbour", remedy,
				    "gateway %s on dev %s does not answer neighbour requests (%s): %s", via, dev->name,
				    neighbour_word(&neighbour),
				    in_force ? "what is sent there is lost" : "it stands by, and would not help");
	}
}

/*
 * One that the instance had was removed: with an agent, or for wg-quick without a hook. Until it exists again, the
 * egress programs send to the firewall what this host sends from the prefixes.
 */
static void check_absent(struct examined *examined)
{
	bool was_there = examined->instance->meta.tunnel_ifindex;
	char remedy[FINDING_REMEDY] = "";

	if (was_there && !examined->report.agent)
		snprintf(remedy, sizeof(remedy), "wgvia down %s", examined->tunnel);
	finding_add(examined, SEVERITY_WARNING, "device", remedy, "interface '%s' %s: %s", examined->tunnel,
		    was_there ? "was removed" : "does not exist (removed, or not created yet)",
		    examined->report.agent ? "the egress programs are attached, and the agent attaches the others when "
					     "it exists"
		    : was_there ? "the egress programs are still attached; run 'wgvia up' when it exists again"
				: "only the egress programs are attached; run 'wgvia up' when it exists");
}

#define HEADERS4 40 /* of IP and TCP, without options (RFC 6691) */
#define HEADERS6 60

/* `mss N` is to lower the MSS to what the device with the smallest MTU carries; a larger N does not. */
static void check_mss(struct examined *examined, const struct netdev *smallest)
{
	struct examined mended = *examined;
	uint32_t mss = examined->plan.state.mss;
	bool four = examined_has_family(examined, AF_INET) && mss + HEADERS4 > smallest->mtu;
	bool six = examined_has_family(examined, AF_INET6) && mss + HEADERS6 > smallest->mtu;
	uint32_t headers = four ? HEADERS4 : HEADERS6;
	struct error ignored = {};
	char remedy[FINDING_REMEDY];

	if (mss < WGVIA_MSS_MIN || (!four && !six) || smallest->mtu < WGVIA_MSS_MIN + HEADERS6)
		return;
	mended.plan.state.mss = WGVIA_MSS_AUTO;
	if (programs_check(&mended.plan.state, &ignored))
		mended.plan.state.mss = smallest->mtu - (six ? HEADERS6 : HEADERS4);
	finding_up_words(&mended, mended.plan.state.mode, remedy);
	finding_add(
		examined, SEVERITY_WARNING, "mss", remedy,
		"'mss %u' is more than dev %s with mtu %u has room for, which is %u in %s: segments of TCP still need "
		"Packet Too Big",
		mss, smallest->name, smallest->mtu, smallest->mtu - headers, four ? "IPv4" : "IPv6");
}

static const struct netdev *smaller(const struct netdev *a, const struct netdev *b)
{
	return a && b && a->mtu <= b->mtu ? a : b;
}

void check_host(struct examined *examined)
{
	const struct netdevs *netdevs = examined->plan.netdevs;
	const struct netdev *tunnel = netdev_by_name(netdevs, examined->tunnel), *smallest = tunnel;

	check_kernel(examined);
	if (tunnel) {
		check_up(examined, tunnel);
		check_smallest_mtu(examined, tunnel);
	} else if (examined->is_running) {
		check_absent(examined);
	}
	check_forwarding(examined, tunnel);
	for (size_t i = 0; i < netdevs->count; i++) {
		const struct netdev *dev = &netdevs->all[i];

		if (!points_is_gateway(&examined->plan, dev->ifindex))
			continue;
		check_up(examined, dev);
		check_smallest_mtu(examined, dev);
		if (tunnel)
			check_mtu(examined, tunnel, dev);
		check_rp_filter(examined, dev);
		smallest = smaller(smallest, dev);
	}
	if (smallest)
		check_mss(examined, smallest);
	check_neighbours(examined);
	for (size_t i = 0; i < examined->plan.left_out_count; i++)
		finding_add(examined, SEVERITY_WARNING, "left_out", "",
			    "dev %s is left out: wgvia does not watch what this host sends there",
			    examined->plan.left_out[i]->name);
}

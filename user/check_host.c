// SPDX-License-Identifier: GPL-2.0-only
/*
 * Findings about this host as such: what the kernel lacks, devices, the firewall's neighbour, sysctls.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "finding.h"
#include "print.h"
#include "util.h"

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
	if (libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_check_mtu, NULL) == 0)
		finding_add(
			examined, SEVERITY_WARNING, "kernel", "",
			"this kernel has no bpf_check_mtu() (Linux 5.12): in mode fast a packet that is too long for "
			"the LAN or the tunnel is lost without Packet Too Big; mode stack is not affected");
}

static bool has_family(const struct examined *examined, uint8_t family)
{
	for (size_t i = 0; i < examined->plan.state.gateway_count; i++)
		if (examined->plan.state.gateways[i].from.ip.family == family)
			return true;
	return false;
}

static bool is_gateway_device(const struct examined *examined, uint32_t ifindex)
{
	for (size_t i = 0; i < examined->plan.state.gateway_count; i++)
		if (examined->plan.state.gateways[i].value.ifindex == ifindex)
			return true;
	return false;
}

static void check_up(struct examined *examined, const struct link *link)
{
	char remedy[64];

	snprintf(remedy, sizeof(remedy), "ip link set dev %s up", link->name);
	if (!(link->flags & IFF_UP))
		finding_add(examined, SEVERITY_ERROR, "device", remedy, "dev %s is down", link->name);
	else if (!(link->flags & IFF_RUNNING))
		finding_add(examined, SEVERITY_ERROR, "device", "", "dev %s has no carrier", link->name);
}

static void check_mtu(struct examined *examined, const struct link *tunnel, const struct link *dev)
{
	char remedy[64];

	snprintf(remedy, sizeof(remedy), "ip link set dev %s mtu %u", tunnel->name, dev->mtu);
	if (tunnel->mtu > dev->mtu)
		finding_add(examined, SEVERITY_WARNING, "mtu", remedy,
			    "dev %s has mtu %u, dev %s only %u: longer packets cost a Packet Too Big or fragments each",
			    tunnel->name, tunnel->mtu, dev->name, dev->mtu);
	if (has_family(examined, AF_INET6) && dev->mtu < 1280)
		finding_add(examined, SEVERITY_ERROR, "mtu", "", "dev %s has mtu %u, and IPv6 needs 1280", dev->name,
			    dev->mtu);
	else if (dev->mtu < 576)
		finding_add(examined, SEVERITY_ERROR, "mtu", "",
			    "dev %s has mtu %u: packets up to 576 bytes are sent without a look at it", dev->name,
			    dev->mtu);
}

static void check_forwarding(struct examined *examined, const char *dev)
{
	static const struct {
		uint8_t family;
		const char *name;
	} families[] = {{AF_INET, "ipv4"}, {AF_INET6, "ipv6"}};
	char remedy[128];

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		if (!has_family(examined, families[i].family) ||
		    sysctl(1, "%s/conf/%s/forwarding", families[i].name, dev) == 1)
			continue;
		snprintf(remedy, sizeof(remedy), "sysctl -w net.%s.conf.all.forwarding=1", families[i].name);
		finding_add(examined, examined->plan.state.mode == WGVIA_STACK ? SEVERITY_ERROR : SEVERITY_WARNING,
			    "forwarding", remedy,
			    "net.%s.conf.%s.forwarding is 0: what is left to the kernel, which is all in mode stack, "
			    "is not "
			    "forwarded",
			    families[i].name, dev);
	}
}

static void check_rp_filter(struct examined *examined, const char *dev)
{
	int all = sysctl(0, "ipv4/conf/all/rp_filter"), own = sysctl(0, "ipv4/conf/%s/rp_filter", dev);
	char remedy[128];

	/* the larger of the two counts (Documentation/networking/ip-sysctl); 1 is strict */
	if ((all > own ? all : own) != 1 || !has_family(examined, AF_INET))
		return;
	snprintf(remedy, sizeof(remedy), "sysctl -w net.ipv4.conf.%s.rp_filter=2", dev);
	finding_add(examined, SEVERITY_WARNING, "rp_filter", remedy,
		    "net.ipv4.conf.%s.rp_filter is strict: replies that the firewall sends back by dev %s from sources "
		    "that "
		    "this host reaches by another device are dropped where the kernel sees them",
		    dev, dev);
}

static void check_neighbours(struct examined *examined)
{
	const struct state *state = &examined->plan.state;
	char via[IP_TEXT_LEN], remedy[128];

	for (size_t i = 0; i < state->gateway_count; i++) {
		const struct wgvia_gateway *value = &state->gateways[i].value;
		const struct link *dev = link_by_index(&examined->plan.links, value->ifindex);
		struct ip ip = gateway_ip(value);
		struct neighbour neighbour;
		bool seen = false;

		for (size_t j = 0; j < i; j++)
			seen |= !memcmp(&state->gateways[j].value, value, sizeof(*value));
		if (seen || !dev || rtnl_get_neighbour(examined->rtnl, value->ifindex, &ip, &neighbour))
			continue;
		ip_text(&ip, via);
		snprintf(remedy, sizeof(remedy), "ping -c 1 -I %s %s", dev->name, via);
		if (neighbour.known && neighbour.state & (NUD_FAILED | NUD_INCOMPLETE))
			finding_add(examined, SEVERITY_ERROR, "neighbour", remedy,
				    "gateway %s on dev %s does not answer neighbour requests (%s): what is sent there "
				    "is lost",
				    via, dev->name, neighbour_word(&neighbour));
	}
}

void check_host(struct examined *examined)
{
	const struct links *links = &examined->plan.links;
	const struct link *tunnel = link_by_name(links, examined->tunnel);

	check_kernel(examined);
	if (!tunnel)
		return;
	check_up(examined, tunnel);
	check_forwarding(examined, tunnel->name);
	for (size_t i = 0; i < links->count; i++) {
		const struct link *dev = &links->all[i];

		if (!is_gateway_device(examined, dev->ifindex))
			continue;
		check_up(examined, dev);
		check_mtu(examined, tunnel, dev);
		check_forwarding(examined, dev->name);
		check_rp_filter(examined, dev->name);
	}
	check_neighbours(examined);
	for (size_t i = 0; i < examined->plan.left_out_count; i++)
		finding_add(examined, SEVERITY_WARNING, "left_out", "",
			    "dev %s is left out: wgvia does not watch what this host sends there",
			    examined->plan.left_out[i]->name);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices and programs of a lane; see lane.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "floors.h"
#include "lane.h"

/* Missing in libbpf 1.1's linux/bpf.h. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

const uint8_t lane_firewall_mac[6] = {2, 0, 0, 0, 2, 1}, lane_mac[6] = {2, 0, 0, 0, 2, 2},
	      lane_service_mac[6] = {2, 0, 0, 0, 2, 3};

static _Noreturn void die(const struct lane *lane, const char *what)
{
	fprintf(stderr, "wire: lane '%s': %s: %s\n", lane->name, what, strerror(errno));
	exit(1);
}

static void open_device(struct lane *lane, const char *name, int kind, int fds[LANE_QUEUES])
{
	struct ifreq ifr = {.ifr_flags = kind | IFF_NO_PI | (lane->queues > 1 ? IFF_MULTI_QUEUE : 0)};

	strcpy(ifr.ifr_name, name);
	for (int i = 0; i < lane->queues; i++) {
		fds[i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fds[i] < 0 || ioctl(fds[i], TUNSETIFF, &ifr))
			die(lane, "/dev/net/tun");
	}
}

/* After all queues exist, because a filter that was set before does not apply to later queues. */
static void set_filter(const struct lane *lane, int fd, const struct bpf_program *prog)
{
	int prog_fd = prog ? bpf_program__fd(prog) : -1;

	if (ioctl(fd, TUNSETFILTEREBPF, &prog_fd))
		die(lane, "cannot set the sink");
}

static void set_mac(const struct lane *lane)
{
	int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_name = "ens3", .ifr_hwaddr.sa_family = 1 /* ARPHRD_ETHER */};

	memcpy(ifr.ifr_hwaddr.sa_data, lane_mac, ETH_ALEN);
	if (control < 0 || ioctl(control, SIOCSIFHWADDR, &ifr))
		die(lane, "cannot set the MAC");
	close(control);
}

static void load(struct lane *lane)
{
	struct floors_config *config;

	lane->skel = floors_bpf__open();
	if (!lane->skel)
		die(lane, "cannot open the programs");
	config = (void *)&lane->skel->rodata->config;
	config->lan_ifindex = if_nametoindex("ens3");
	config->tunnel_ifindex = if_nametoindex("wg6");
	inet_pton(AF_INET, "192.0.2.1", &config->next_hop4);
	inet_pton(AF_INET6, "2001:db8:2::1", config->next_hop6);
	memcpy(config->to, lane_firewall_mac, ETH_ALEN);
	memcpy(config->from, lane_mac, ETH_ALEN);
	if (floors_bpf__load(lane->skel))
		die(lane, "cannot load the programs");
}

/* The link lasts as long as this process. */
static void attach(const struct lane *lane, const char *device, int where, const struct bpf_program *prog)
{
	if (bpf_link_create(bpf_program__fd(prog), if_nametoindex(device), where, NULL) < 0)
		die(lane, "cannot attach the floor");
}

static void attach_floor(const struct lane *lane)
{
	const struct {
		const char *floor, *device;
		int where;
		const struct bpf_program *prog;
	} points[] = {
		{"drop", "wg6", TCX_INGRESS, lane->skel->progs.drop_tun},
		{"drop", "ens3", TCX_INGRESS, lane->skel->progs.drop_tap},
		{"neigh", "wg6", TCX_INGRESS, lane->skel->progs.neigh},
		{"neigh+", "wg6", TCX_INGRESS, lane->skel->progs.neigh},
		{"neigh+", "ens3", TCX_EGRESS, lane->skel->progs.empty},
		{"macs", "wg6", TCX_INGRESS, lane->skel->progs.macs},
		{"macs", "ens3", TCX_INGRESS, lane->skel->progs.into},
		{"empty", "wg6", TCX_INGRESS, lane->skel->progs.empty},
		{"empty", "ens3", TCX_INGRESS, lane->skel->progs.empty},
		{"empty", "ens3", TCX_EGRESS, lane->skel->progs.empty},
	};
	bool known = !strcmp(lane->floor, "-");

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		if (!strcmp(lane->floor, points[i].floor)) {
			attach(lane, points[i].device, points[i].where, points[i].prog);
			known = true;
		}
	if (!known) {
		errno = EINVAL;
		die(lane, lane->floor);
	}
}

void lane_open(struct lane *lane, const char *netns)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(lane, path);
	close(fd);
	open_device(lane, "wg6", IFF_TUN, lane->tun);
	open_device(lane, "ens3", IFF_TAP, lane->tap);
	set_mac(lane);
	load(lane);
	attach_floor(lane);
}

void lane_set_sinks(struct lane *lane, bool on)
{
	set_filter(lane, lane->tun[0], on ? lane->skel->progs.sink_tun : NULL);
	set_filter(lane, lane->tap[0], on ? lane->skel->progs.sink_tap : NULL);
}

uint64_t lane_count(const struct lane *lane)
{
	static uint64_t *counts;
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0;
	uint32_t key = 0;

	if (!counts)
		counts = calloc(cpus, sizeof(*counts));
	if (!counts || bpf_map_lookup_elem(bpf_map__fd(lane->skel->maps.counts), &key, counts))
		die(lane, "cannot read the sinks");
	for (int i = 0; i < cpus; i++)
		sum += counts[i];
	return sum;
}

int lane_read(struct lane *lane, bool tap, uint8_t frame[LANE_FRAME_MAX])
{
	int skip = tap ? 0 : ETH_HLEN;

	memset(frame, 0, ETH_HLEN);
	for (int i = 0; i < lane->queues; i++) {
		ssize_t len;

		while ((len = read(tap ? lane->tap[i] : lane->tun[i], frame + skip, LANE_FRAME_MAX - skip)) > 0)
			if (len + skip == ETH_HLEN + FLOORS_PACKET_LEN)
				return len + skip;
	}
	return 0;
}

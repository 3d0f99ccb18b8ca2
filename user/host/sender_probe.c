// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choosing targets, sending and repeating requests, receiving answers.
 */
#include "host/sender_probe.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/util.h"
#include "config/failover.h"
#include "host/echo_socket.h"
#include "host/probe.h"
#include "host/probe_source.h"

#define AGAIN_MS 50	/* before a request is repeated */
#define NEIGHBOUR_MS 5	/* interval of checks whether the neighbour has answered */
#define RECEIVE_MAX 256 /* messages per turn */
#define HOPS 2		/* the firewall, and this host behind it */

struct sender_probe {
	struct netlink *rtnl;
	int fd;
	struct sender_target **targets;
	size_t count;
	uint64_t stepped, end;
};

/* --- choosing targets --- */

static struct sender_target *find_target(const struct sender_targets *targets, const struct wgvia_hop *hop)
{
	for (size_t i = 0; i < targets->count; i++)
		if (hop_equal(&targets->all[i].hop, hop))
			return &targets->all[i];
	return NULL;
}

static int add_target(struct sender_targets *targets, const struct wgvia_hop *hop, const struct netdevs *netdevs)
{
	const struct netdev *netdev = netdev_by_index(netdevs, hop->ifindex);
	struct wgvia_gateway value = hop_value(hop, 0);
	struct ip ip = gateway_ip(&value);
	struct sender_target *target;
	char via[IP_TEXT_LEN];

	if (!netdev || !netdev_is_ethernet(netdev) || (hop->family != AF_INET && hop->family != AF_INET6) ||
	    targets->count == SENDER_TARGETS_MAX || find_target(targets, hop))
		return 0;
	target = array_grow(&targets->all, &targets->count, sizeof(*target));
	if (!target)
		return -ENOMEM;
	target->hop = *hop;
	snprintf(target->name, sizeof(target->name), "%s dev %s", ip_text(&ip, via), netdev->name);
	return 0;
}

struct choosing {
	struct sender_targets *targets;
	const struct addresses *own;
	const struct state *state;
	size_t missing; /* targets that cannot be probed */
};

/* Has the gateway probed by a packet from that address, if this host has a LAN address to which it can return. */
static void offer(void *data, const struct wgvia_hop *hop, const struct ip *from)
{
	struct choosing *choosing = data;
	struct sender_target *target = find_target(choosing->targets, hop);
	struct wgvia_gateway value = hop_value(hop, 0);
	struct ip via = gateway_ip(&value);
	const struct address *lan;

	if (!target || target->from.family)
		return;
	lan = probe_find_lan(choosing->own, hop->ifindex, &via, from);
	if (!lan)
		return;
	target->from = *from;
	target->to = lan->ip;
	choosing->missing--;
}

static bool offer_all(void *data, const struct gateway_entry *entry, const struct ip *from)
{
	struct choosing *choosing = data;

	probe_source_hops(choosing->state, entry, offer, from, choosing);
	return choosing->missing;
}

int sender_targets_choose(const struct host_view *host, const struct state *state, struct sender_targets *targets)
{
	struct sender_targets found = {};
	struct choosing choosing = {.targets = &found, .own = &host->addresses, .state = state};
	cleanup(hops_free) struct hops hops = {};
	int ret = failover_hops(state, &hops);

	for (size_t i = 0; i < hops.count && !ret; i++)
		ret = add_target(&found, &hops.all[i], &host->netdevs);
	for (uint32_t i = 0; i < state->also.hops.count && !ret; i++)
		ret = add_target(&found, &state->also.hops.hops[i], &host->netdevs);
	if (ret) {
		free(found.all);
		return ret;
	}
	choosing.missing = found.count;
	probe_sources(&host->addresses, state, offer_all, &choosing);
	*targets = found;
	return 0;
}

/* --- results --- */

bool sender_is_settled(const struct sender_target *target)
{
	return target->came[SENDER_REQUEST] && target->came[SENDER_ANSWER];
}

bool sender_sends_from(const struct sender_target *target, const uint8_t mac[6])
{
	for (int i = 0; i < SENDER_FRAMES; i++)
		if (target->came[i] && !memcmp(target->senders[i], mac, sizeof(target->senders[i])))
			return memcmp(target->mac, mac, sizeof(target->mac)) != 0;
	return false;
}

bool sender_is_another(const struct sender_target *target)
{
	for (int i = 0; i < SENDER_FRAMES; i++)
		if (sender_sends_from(target, target->senders[i]))
			return true;
	return false;
}

const char *sender_text(const struct sender_target *target, char text[SENDER_TEXT_MAX])
{
	char mac[MAC_TEXT_LEN], senders[2 * MAC_TEXT_LEN + 8] = "";
	size_t len = 0;

	for (int i = SENDER_FRAMES - 1; i >= 0; i--) {
		if (!sender_sends_from(target, target->senders[i]) ||
		    (len && !memcmp(target->senders[i], target->senders[i + 1], sizeof(target->senders[i]))))
			continue;
		len += snprintf(senders + len, sizeof(senders) - len, "%s%s", len ? " and " : "",
				mac_text(target->senders[i], mac));
	}
	snprintf(text, SENDER_TEXT_MAX,
		 "gateway %s answers %s with %s and sends from %s: all of these count as its own", target->name,
		 target->hop.family == AF_INET ? "ARP" : "ND", mac_text(target->mac, mac), senders);
	return text;
}

/* --- a probe --- */

/* Hosts other than the target may only see the half of a token that all tokens share. */
static int make_tokens(struct sender_probe *probe, uint64_t now)
{
	uint32_t common, own;

	if (getrandom(&common, sizeof(common), 0) != sizeof(common))
		return -errno;
	for (size_t i = 0; i < probe->count; i++) {
		struct sender_target *target = probe->targets[i];

		if (getrandom(&own, sizeof(own), 0) != sizeof(own))
			return -errno;
		target->token = (uint64_t)common << 32 | own;
		target->has_mac = target->asked = false;
		memset(target->came, 0, sizeof(target->came));
		target->due = now;
	}
	probe->fd = echo_socket_open(common, false);
	return probe->fd < 0 ? probe->fd : 0;
}

int sender_probe_open(struct sender_probe **probe, struct sender_target *const *targets, size_t count, uint64_t now)
{
	struct sender_probe *opened = calloc(1, sizeof(*opened));
	int ret;

	if (!opened)
		return -ENOMEM;
	opened->fd = -1;
	opened->count = count;
	opened->end = now + SENDER_PROBE_MS;
	opened->targets = calloc(count, sizeof(*targets));
	ret = opened->targets ? rtnl_open(&opened->rtnl) : -ENOMEM;
	if (!ret) {
		memcpy(opened->targets, targets, count * sizeof(*targets));
		ret = make_tokens(opened, now);
	}
	if (ret)
		sender_probe_close(&opened);
	else
		*probe = opened;
	return ret;
}

void sender_probe_close(struct sender_probe **probe)
{
	if (!*probe)
		return;
	netlink_close(&(*probe)->rtnl);
	cleanup_close_fd(&(*probe)->fd);
	free((*probe)->targets);
	free(*probe);
	*probe = NULL;
}

int sender_probe_fd(const struct sender_probe *probe)
{
	return probe->fd;
}

/* The neighbour's MAC address that the kernel would use now; triggers one request for it. */
static bool resolve(struct sender_probe *probe, struct sender_target *target)
{
	struct wgvia_gateway value = hop_value(&target->hop, 0);
	struct ip via = gateway_ip(&value);
	struct neighbour neighbour;

	if (rtnl_get_neighbour(probe->rtnl, target->hop.ifindex, &via, &neighbour))
		return false;
	target->has_mac = neighbour.has_lladdr;
	memcpy(target->mac, neighbour.lladdr, sizeof(target->mac));
	if (!target->has_mac && !target->asked && !neighbour.kept) {
		rtnl_ask_neighbour(probe->rtnl, target->hop.ifindex, &via, &neighbour);
		target->asked = true;
	}
	return target->has_mac;
}

static void send_request(const struct sender_probe *probe, size_t i)
{
	const struct sender_target *target = probe->targets[i];
	struct icmp_echo echo = {.from = target->from,
				 .to = target->to,
				 .hop_limit = HOPS,
				 .id = target->token & 0xffff,
				 .seq = i,
				 .token = target->token};

	/* an error counts as an unanswered request */
	echo_socket_send(probe->fd, target->hop.ifindex, target->mac, &echo);
}

/* An answer that is late does not come: the firewall has no return path, which other messages report. */
static bool is_over(const struct sender_target *target, uint64_t now)
{
	return sender_is_settled(target) || (target->has_mac && !target->from.family) ||
	       (target->came[SENDER_REQUEST] && now >= target->due);
}

static void step_target(struct sender_probe *probe, size_t i, uint64_t now)
{
	struct sender_target *target = probe->targets[i];

	if (is_over(target, now) || now < target->due)
		return;
	if (!target->has_mac && !resolve(probe, target)) {
		target->due = now + NEIGHBOUR_MS;
		return;
	}
	if (target->from.family)
		send_request(probe, i);
	target->due = now + AGAIN_MS;
}

static void take_reply(struct sender_probe *probe, const struct icmp_message *message, const uint8_t mac[6],
		       uint64_t now)
{
	struct sender_target *target;

	enum sender_frame frame = message->echo.reply ? SENDER_ANSWER : SENDER_REQUEST;

	if (message->echo.seq >= probe->count)
		return;
	target = probe->targets[message->echo.seq];
	if (!target->has_mac || message->echo.token != target->token || target->came[frame])
		return;
	target->came[frame] = true;
	memcpy(target->senders[frame], mac, sizeof(target->senders[frame]));
	if (frame == SENDER_REQUEST) {
		echo_socket_answer(probe->fd, target->hop.ifindex, target->mac, &target->to, HOPS, &message->echo);
		target->due = now + AGAIN_MS;
	}
}

bool sender_probe_step(struct sender_probe *probe, uint64_t now)
{
	struct icmp_message message;
	bool over = true;
	uint8_t mac[6];
	int ret = 0;

	probe->stepped = now;
	for (int i = 0; i < RECEIVE_MAX && ret >= 0; i++) {
		ret = echo_socket_receive(probe->fd, &message, mac);
		if (ret > 0)
			take_reply(probe, &message, mac, now);
	}
	for (size_t i = 0; i < probe->count; i++) {
		step_target(probe, i, now);
		over &= is_over(probe->targets[i], now);
	}
	return over || now >= probe->end;
}

uint64_t sender_probe_next(const struct sender_probe *probe)
{
	uint64_t next = probe->end;

	for (size_t i = 0; i < probe->count; i++)
		if (!is_over(probe->targets[i], probe->stepped) && probe->targets[i]->due < next)
			next = probe->targets[i]->due;
	return next;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void sender_probe_run(struct sender_targets *targets)
{
	cleanup(sender_probe_close) struct sender_probe *probe = NULL;
	cleanup_free struct sender_target **all = calloc(targets->count + 1, sizeof(*all));

	for (size_t i = 0; all && i < targets->count; i++)
		all[i] = &targets->all[i];
	if (!targets->count || !all || sender_probe_open(&probe, all, targets->count, now_ms()))
		return;
	while (!sender_probe_step(probe, now_ms())) {
		struct pollfd polled = {probe->fd, POLLIN, 0};
		uint64_t now = now_ms(), next = sender_probe_next(probe);

		poll(&polled, 1, next <= now ? 0 : (int)(next - now));
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choosing targets, sending packets, recognising answers.
 */
#include "host/path_probe.h"

#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/util.h"
#include "config/watch.h"
#include "host/echo_socket.h"
#include "host/probe.h"
#include "host/probe_source.h"
#include "host/tcp_segment.h"

#define FORWARD_HOPS 2 /* the firewall, and this host behind it */
#define ANSWER_HOPS 4  /* as in `check --probe`: the return path may have one more router */
#define PING_HOPS 64
#define RECEIVE_MAX 256 /* per socket and turn: a flood does not keep the caller from looking at the clock */

struct path_probe {
	int echo, tcp;
	uint32_t common; /* half of each token, which the filter checks; hosts other than the target may have seen it */
	uint16_t ports;	 /* the first of the source ports of SYNs */
};

/* --- choosing targets --- */

struct choosing {
	const struct hops *hops;
	struct path_target *targets;
	const struct addresses *own;
	const struct state *state;
	size_t missing;
};

static struct path_target *find_target(const struct choosing *choosing, const struct wgvia_hop *hop)
{
	for (size_t i = 0; i < choosing->hops->count; i++)
		if (hop_equal(&choosing->hops->all[i], hop))
			return &choosing->targets[i];
	return NULL;
}

static void offer(void *data, const struct wgvia_hop *hop, const struct ip *from)
{
	struct choosing *choosing = data;
	struct path_target *target = find_target(choosing, hop);
	struct wgvia_gateway value = hop_value(hop, 0);
	struct ip via = gateway_ip(&value);
	const struct address *lan;

	if (!target || !target->watch.kind || target->from.family ||
	    (target->watch.family && target->watch.family != from->family))
		return;
	if (target->watch.kind == WGVIA_WATCH_FORWARD) {
		lan = probe_find_lan(choosing->own, hop->ifindex, &via, from);
		if (!lan)
			return;
		target->to = lan->ip;
	} else {
		target->to = watch_ip(&target->watch);
	}
	target->from = *from;
	choosing->missing--;
}

static bool offer_all(void *data, const struct gateway_entry *entry, const struct ip *from)
{
	struct choosing *choosing = data;

	if (choosing->missing)
		probe_source_hops(choosing->state, entry, offer, from, choosing);
	return choosing->missing;
}

int path_targets_choose(const struct host_view *host, const struct state *state, const struct hops *hops,
			struct path_target **targets)
{
	struct choosing choosing = {.hops = hops, .own = &host->addresses, .state = state};

	choosing.targets = calloc(hops->count + 1, sizeof(*choosing.targets));
	if (!choosing.targets)
		return -ENOMEM;
	for (size_t i = 0; i < hops->count; i++) {
		choosing.targets[i].watch = watch_of(state, &hops->all[i]);
		choosing.targets[i].ifindex = hops->all[i].ifindex;
		choosing.missing += choosing.targets[i].watch.kind != WGVIA_WATCH_NEIGHBOUR;
	}
	probe_sources(&host->addresses, state, offer_all, &choosing);
	*targets = choosing.targets;
	return 0;
}

/* --- sockets --- */

int path_probe_open(struct path_probe **probe)
{
	struct path_probe *opened = calloc(1, sizeof(*opened));
	uint32_t random[2];

	if (!opened)
		return -ENOMEM;
	if (getrandom(random, sizeof(random), 0) != sizeof(random)) {
		free(opened);
		return -errno;
	}
	opened->echo = opened->tcp = -1;
	opened->common = random[0];
	/* 32768 to 60415, in the range of the kernel's ephemeral ports */
	opened->ports = 32768 + random[1] % 27 * TCP_SOCKET_PORTS;
	*probe = opened;
	return 0;
}

void path_probe_close(struct path_probe **probe)
{
	if (!*probe)
		return;
	path_probe_listen(*probe, false, false);
	free(*probe);
	*probe = NULL;
}

int path_probe_listen(struct path_probe *probe, bool echo, bool tcp)
{
	if (!echo)
		cleanup_close_fd(&probe->echo);
	if (!tcp)
		cleanup_close_fd(&probe->tcp);
	probe->echo = !echo ? -1 : probe->echo < 0 ? echo_socket_open(probe->common, false) : probe->echo;
	probe->tcp = !tcp ? -1 : probe->tcp < 0 ? tcp_socket_open(probe->ports) : probe->tcp;
	return echo && probe->echo < 0 ? probe->echo : tcp && probe->tcp < 0 ? probe->tcp : 0;
}

void path_probe_fds(const struct path_probe *probe, int fds[PATH_PROBE_FDS])
{
	fds[0] = probe->echo;
	fds[1] = probe->tcp;
}

/* --- sending --- */

void path_probe_renew(const struct path_probe *probe, struct path_target *target)
{
	struct {
		uint32_t token;
		uint16_t port;
	} random = {};

	/* without randomness the old token stays; hosts that did not know it still do not */
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return;
	target->token = (uint64_t)probe->common << 32 | random.token;
	target->port = probe->ports + random.port % TCP_SOCKET_PORTS;
}

static void send_echo(const struct path_probe *probe, const struct path_target *target)
{
	bool forward = target->watch.kind == WGVIA_WATCH_FORWARD;
	struct icmp_echo echo = {.from = target->from,
				 .to = target->to,
				 .hop_limit = forward ? FORWARD_HOPS : PING_HOPS,
				 .id = target->token & 0xffff,
				 .token = target->token};

	echo_socket_send(probe->echo, target->ifindex, target->mac, &echo);
}

static struct tcp_segment syn_of(const struct path_target *target)
{
	return (struct tcp_segment){.from = target->from,
				    .to = target->to,
				    .from_port = target->port,
				    .to_port = target->watch.port,
				    .seq = (uint32_t)target->token,
				    .is_syn = true};
}

void path_probe_send(const struct path_probe *probe, struct path_target *target, const uint8_t mac[6])
{
	struct tcp_segment syn = syn_of(target);

	memcpy(target->mac, mac, sizeof(target->mac));
	if (target->watch.kind == WGVIA_WATCH_TCP)
		tcp_socket_send(probe->tcp, target->ifindex, mac, &syn);
	else
		send_echo(probe, target);
}

/* --- answers --- */

static enum path_event take_echo(const struct path_probe *probe, const struct path_target *target,
				 const struct icmp_echo *echo)
{
	bool forward = target->watch.kind == WGVIA_WATCH_FORWARD;

	if (echo->token != target->token || (!forward && target->watch.kind != WGVIA_WATCH_PING))
		return PATH_NOTHING;
	if (echo->reply) /* the target sends the request back unchanged: the token does not show which host did so */
		return ip_equal(&echo->from, &target->to) ? PATH_ANSWERED : PATH_NOTHING;
	if (!forward || !ip_equal(&echo->to, &target->to))
		return PATH_NOTHING;
	echo_socket_answer(probe->echo, target->ifindex, target->mac, &target->to, ANSWER_HOPS, echo);
	return PATH_FORWARDED;
}

static enum path_event take_segment(const struct path_probe *probe, const struct path_target *target,
				    const struct tcp_segment *segment)
{
	struct tcp_segment reset = syn_of(target);

	if (target->watch.kind != WGVIA_WATCH_TCP || !segment->is_ack || segment->ack != reset.seq + 1 ||
	    segment->from_port != reset.to_port || segment->to_port != reset.from_port ||
	    !ip_equal(&segment->from, &reset.to) || !ip_equal(&segment->to, &reset.from))
		return PATH_NOTHING;
	if (segment->is_rst)
		return PATH_REFUSED;
	if (!segment->is_syn)
		return PATH_NOTHING;
	reset.seq = segment->ack;
	reset.is_syn = false;
	reset.is_rst = true;
	tcp_socket_send(probe->tcp, target->ifindex, target->mac, &reset);
	return PATH_ANSWERED;
}

/* The received packet: an echo packet or, with `echo` NULL, a segment. */
static void take(const struct path_probe *probe, const struct icmp_echo *echo, const struct tcp_segment *segment,
		 path_probe_next next, path_probe_tell tell, void *data)
{
	struct path_target *target;

	for (size_t i = 0; (target = next(data, i)); i++) {
		enum path_event event = !target->from.family ? PATH_NOTHING
					: echo		     ? take_echo(probe, target, echo)
							     : take_segment(probe, target, segment);

		if (event)
			tell(data, i, event);
	}
}

void path_probe_receive(const struct path_probe *probe, path_probe_next next, path_probe_tell tell, void *data)
{
	struct icmp_message message;
	struct tcp_segment segment;
	uint8_t mac[6];

	for (int n = 0, ret = probe->echo < 0 ? -1 : 0; n < RECEIVE_MAX && ret >= 0; n++) {
		ret = echo_socket_receive(probe->echo, &message, mac);
		if (ret > 0 && !message.refused && !message.redirected)
			take(probe, &message.echo, NULL, next, tell, data);
	}
	for (int n = 0, ret = probe->tcp < 0 ? -1 : 0; n < RECEIVE_MAX && ret >= 0; n++) {
		ret = tcp_socket_receive(probe->tcp, &segment);
		if (ret > 0)
			take(probe, NULL, &segment, next, tell, data);
	}
}

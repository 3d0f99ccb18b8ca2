// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks for neighbours, sends echo packets with packet sockets, and sorts what arrives.
 */
#include "host/probe.h"

#include <linux/neighbour.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "base/util.h"
#include "host/echo_socket.h"

#define TRIES 3
#define TRY_MS 400 /* before the next try; the last try has the same time */
/*
 * The kernel sends three requests, a second apart, to one address; if those fail, a moment remains for requests to all.
 */
#define NEIGHBOUR_MS 4500
#define NEIGHBOUR_POLL_US 10000

#define RECEIVE_MAX 64 /* packets per turn */

#define REQUEST_HOPS 2 /* the firewall, and this host behind it */
/*
 * The return path may have one more router than the forward path; if it leads elsewhere, the packet must not travel
 * far.
 */
#define ANSWER_HOPS 4

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- neighbours --- */

/*
 * True: nothing to wait for, and probe->resolved has the result. Like the kernel, it asks a known MAC address first; a
 * firewall with a new MAC only hears a request to all. Only REACHABLE counts as an answer: a firewall's own request
 * also provides its MAC (STALE), which is then asked.
 */
static bool neighbour_is_settled(struct netlink *rtnl, struct probe *probe)
{
	struct neighbour *neighbour = &probe->neighbour;

	if (rtnl_get_neighbour(rtnl, probe->ifindex, &probe->via, neighbour))
		return true;
	if (neighbour->state & (NUD_INCOMPLETE | NUD_PROBE)) {
		/* possibly by another process, such as a second probe of the same gateway */
		probe->asked = neighbour->has_lladdr ? ASKED_ONE : ASKED_ALL;
		return false;
	}
	probe->resolved = neighbour->kept ? neighbour->has_lladdr
					  : neighbour->state & NUD_REACHABLE && probe->asked != ASKED_NOBODY;
	if (probe->resolved || (!neighbour->has_lladdr && probe->asked == ASKED_ALL))
		return true;
	probe->asked = neighbour->has_lladdr ? ASKED_ONE : ASKED_ALL;
	return rtnl_ask_neighbour(rtnl, probe->ifindex, &probe->via, neighbour);
}

static void resolve_neighbours(struct netlink *rtnl, struct probe *probes, size_t count)
{
	int64_t end = now_ms() + NEIGHBOUR_MS;
	bool settled;

	do {
		settled = true;
		for (size_t i = 0; i < count; i++)
			settled &= neighbour_is_settled(rtnl, &probes[i]);
	} while (!settled && now_ms() < end && !usleep(NEIGHBOUR_POLL_US));
}

/* --- addresses and sockets --- */

const struct address *probe_find_lan(const struct addresses *own, uint32_t ifindex, const struct ip *via,
				     const struct ip *except)
{
	const struct address *best = NULL;
	int best_rank = -1;

	for (size_t i = 0; i < own->count; i++) {
		const struct address *address = &own->all[i];
		struct prefix subnet = address_prefix(address);
		int rank = prefix_contains(&subnet, via) ? 2 : address->len < ip_bits(address->ip.family);

		if (!address->is_usable || address->ifindex != ifindex || address->ip.family != except->family ||
		    ip_is_link_local(&address->ip) || ip_equal(&address->ip, except) || rank <= best_rank)
			continue;
		best = address;
		best_rank = rank;
	}
	return best;
}

static int open_socket(struct probe *probe)
{
	if (getrandom(&probe->token, sizeof(probe->token), 0) != sizeof(probe->token))
		return -errno;
	probe->fd = echo_socket_open(probe->token >> 32, true);
	return probe->fd < 0 ? probe->fd : 0;
}

/* --- packets --- */

/* One id per probe: to a connection tracker the answer belongs to the request. */
static struct icmp_echo echo_of(const struct probe *probe, enum probe_packet packet)
{
	struct icmp_echo echo = {.from = probe->lan,
				 .to = probe->vpn,
				 .hop_limit = REQUEST_HOPS,
				 .id = probe->token & 0xffff,
				 .seq = packet,
				 .token = probe->token};

	switch (packet) {
	case PROBE_REQUEST:
		echo.from = probe->vpn;
		echo.to = probe->lan;
		break;
	case PROBE_ANSWER:
		echo.reply = true;
		echo.hop_limit = ANSWER_HOPS;
		echo.seq = PROBE_REQUEST;
		break;
	case PROBE_WITHIN:
		echo.to = probe->lan;
		break;
	case PROBE_DYING:
		echo.hop_limit = 1;
		break;
	default:
		break;
	}
	return echo;
}

static void note_sent(struct probe *probe, int ret)
{
	if (ret)
		probe->error = -ret;
}

static bool is_about(const struct icmp_echo *quoted, const struct icmp_echo *sent)
{
	return ip_equal(&quoted->from, &sent->from) && ip_equal(&quoted->to, &sent->to) && quoted->id == sent->id &&
	       quoted->seq == sent->seq && quoted->reply == sent->reply;
}

static void take_refusal(struct probe *probe, const struct icmp_message *message)
{
	for (enum probe_packet i = 0; i < PROBE_PACKETS; i++) {
		struct icmp_echo sent = echo_of(probe, i);
		struct probe_fate *fate = &probe->fates[i];

		if (is_about(&message->echo, &sent) && !fate->arrived)
			*fate = (struct probe_fate){.refused = true, .refusal = message->refusal, .by = message->by};
	}
}

/* A redirect may arrive although the packet was forwarded. */
static void take_redirect(struct probe *probe, const struct icmp_message *message)
{
	for (enum probe_packet i = 0; i < PROBE_PACKETS; i++) {
		struct icmp_echo sent = echo_of(probe, i);

		if (!is_about(&message->echo, &sent))
			continue;
		probe->redirects = true;
		if (ip_equal(&sent.to, &probe->vpn))
			probe->better = message->better;
	}
}

static void take_reply(struct probe *probe, const struct icmp_message *message, const uint8_t mac[6])
{
	const struct icmp_echo *echo = &message->echo;

	if (message->refused) {
		take_refusal(probe, message);
	} else if (message->redirected) {
		take_redirect(probe, message);
	} else if (echo->token == probe->token && echo->seq < PROBE_PACKETS) {
		enum probe_packet packet = echo->reply ? PROBE_ANSWER : echo->seq;

		probe->fates[packet] = (struct probe_fate){.arrived = true};
		memcpy(probe->senders[packet], mac, sizeof(probe->senders[packet]));
		if (packet == PROBE_REQUEST)
			note_sent(probe, echo_socket_answer(probe->fd, probe->ifindex, probe->neighbour.lladdr,
							    &probe->lan, ANSWER_HOPS, echo));
	}
}

/* Reads what has arrived, up to a limit: a flood of ICMP does not keep this process from looking at the clock. */
static void receive(struct probe *probe)
{
	struct icmp_message message;
	uint8_t mac[6];
	int ret;

	for (int i = 0; i < RECEIVE_MAX; i++) {
		ret = echo_socket_receive(probe->fd, &message, mac);
		if (ret < 0)
			return;
		if (ret)
			take_reply(probe, &message, mac);
	}
}

/* --- rounds --- */

static bool is_decided(const struct probe *probe, enum probe_packet packet)
{
	return probe->fates[packet].arrived || probe->fates[packet].refused;
}

/* What a round sends, and when it is complete for a probe. */
struct round {
	enum probe_packet first, last;
	bool (*is_over)(const struct probe *probe);
};

static bool request_is_over(const struct probe *probe)
{
	return !probe->resolved || probe->fates[PROBE_REQUEST].refused || is_decided(probe, PROBE_ANSWER);
}

static bool rest_is_over(const struct probe *probe)
{
	return !probe->resolved || is_decided(probe, PROBE_REQUEST) ||
	       (is_decided(probe, PROBE_INWARD) && is_decided(probe, PROBE_WITHIN) && is_decided(probe, PROBE_DYING));
}

static bool all_over(const struct round *round, const struct probe *probes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!round->is_over(&probes[i]))
			return false;
	return true;
}

static void listen_until(int64_t end, const struct round *round, struct probe *probes, size_t count,
			 struct pollfd *polled)
{
	while (!all_over(round, probes, count)) {
		int64_t left = end - now_ms();

		if (left <= 0 || poll(polled, count, (int)left) < 0)
			return;
		for (size_t i = 0; i < count; i++)
			if (polled[i].revents)
				receive(&probes[i]);
	}
}

/* Repeats a request whose answer got lost, so that it is answered again. */
static bool is_to_send(const struct probe *probe, enum probe_packet packet)
{
	return packet == PROBE_REQUEST || !is_decided(probe, packet);
}

static void send_round(const struct round *round, struct probe *probe)
{
	for (enum probe_packet i = round->first; i <= round->last; i++) {
		struct icmp_echo echo = echo_of(probe, i);

		if (is_to_send(probe, i))
			note_sent(probe, echo_socket_send(probe->fd, probe->ifindex, probe->neighbour.lladdr, &echo));
	}
}

static void run_round(const struct round *round, struct probe *probes, size_t count, struct pollfd *polled)
{
	for (int try = 1; try <= TRIES && !all_over(round, probes, count); try++) {
		for (size_t i = 0; i < count; i++)
			if (!round->is_over(&probes[i]))
				send_round(round, &probes[i]);
		listen_until(now_ms() + (try < TRIES ? TRY_MS : 2 * TRY_MS), round, probes, count, polled);
	}
}

int probe_run(struct netlink *rtnl, struct probe *probes, size_t count)
{
	static const struct round rounds[] = {
		{PROBE_REQUEST, PROBE_REQUEST, request_is_over},
		{PROBE_INWARD, PROBE_DYING, rest_is_over},
	};
	cleanup_free struct pollfd *polled = calloc(count, sizeof(*polled));
	int ret = polled ? 0 : -ENOMEM;

	for (size_t i = 0; i < count; i++)
		probes[i].fd = -1;
	for (size_t i = 0; i < count && !ret; i++) {
		ret = open_socket(&probes[i]);
		if (!ret)
			polled[i] = (struct pollfd){probes[i].fd, POLLIN, 0};
	}
	if (!ret) {
		resolve_neighbours(rtnl, probes, count);
		for (size_t i = 0; i < ARRAY_SIZE(rounds); i++)
			run_round(&rounds[i], probes, count, polled);
	}
	for (size_t i = 0; i < count; i++)
		cleanup_close_fd(&probes[i].fd);
	return ret;
}

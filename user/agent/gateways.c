// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list of gateways, and the events of each.
 */
#include "agent/gateways.h"

#include <linux/neighbour.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/health_path.h"
#include "agent/log.h"
#include "base/abi_words.h"
#include "base/util.h"
#include "config/watch.h"
#include "session/gateway_report.h"

struct watched {
	struct wgvia_hop hop;
	struct ip ip;
	char name[IP_TEXT_LEN + IFNAMSIZ + 8]; /* "ADDRESS dev DEV" */
	char dev[IFNAMSIZ];
	struct health health;
	struct path_target target;
	struct health_path path;
	uint8_t lladdr[6];
	bool has_lladdr;
	enum wgvia_fault fault; /* the latest problem that was seen */
	uint64_t since;		/* of the present state, alive or dead: gateway_report_now() */
	uint32_t deaths, recoveries;
};

#define RECEIVE_MAX 256 /* per family and turn: a flood does not keep this process from looking at the clock */

struct gateways {
	struct neighbour_probe *solicit;
	struct path_probe *path;
	struct netlink *rtnl;
	struct health_settings settings;
	struct watched *all;
	size_t count;
	bool changed;
	bool is_deaf;	 /* a socket for probes could not be opened */
	bool unreported; /* part of the result of gateways_report() changed */
};

/* The states for those who read an agent's report. */
static const enum wgvia_health reported[] = {
	[HEALTH_UNKNOWN] = WGVIA_HEALTH_UNKNOWN,
	[HEALTH_DEAD] = WGVIA_HEALTH_DEAD,
	[HEALTH_HELD] = WGVIA_HEALTH_HELD,
	[HEALTH_GOOD] = WGVIA_HEALTH_ALIVE,
};

int gateways_open(struct gateways **gateways, const struct health_settings *settings)
{
	struct gateways *opened = calloc(1, sizeof(*opened));
	int ret;

	if (!opened)
		return -ENOMEM;
	opened->settings = *settings;
	ret = neighbour_probe_open(&opened->solicit);
	ret = ret ? ret : path_probe_open(&opened->path);
	ret = ret ? ret : rtnl_open(&opened->rtnl);
	if (ret)
		gateways_close(&opened);
	else
		*gateways = opened;
	return ret;
}

void gateways_close(struct gateways **gateways)
{
	if (!*gateways)
		return;
	neighbour_probe_close(&(*gateways)->solicit);
	path_probe_close(&(*gateways)->path);
	netlink_close(&(*gateways)->rtnl);
	free((*gateways)->all);
	free(*gateways);
	*gateways = NULL;
}

void gateways_fds(const struct gateways *gateways, int fds[GATEWAYS_FDS])
{
	neighbour_probe_fds(gateways->solicit, fds);
	path_probe_fds(gateways->path, fds + NEIGHBOUR_PROBE_FDS);
}

/* An event about the gateway, with its text. The caller frees it. */
static struct event make_event(const struct watched *watched, const char *priority, const char *state, char *text)
{
	struct event event = {.kind = EVENT_GATEWAY, .priority = priority, .tunnel = log_tunnel(), .text = text};
	char via[IP_TEXT_LEN];

	event_add_text(&event, "state", state);
	event_add_text(&event, "via", ip_text(&watched->ip, via));
	event_add_text(&event, "dev", watched->dev);
	event_add_number(&event, "ifindex", watched->hop.ifindex);
	return event;
}

static void __attribute__((format(printf, 4, 5))) log_gateway(const struct watched *watched, const char *priority,
							      const char *state, const char *format, ...)
{
	cleanup(event_free) struct event event = {};
	char *text = NULL, fault[WATCH_FAULT_LEN];
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		error_keep_on_one_line(text);
	event = make_event(watched, priority, state, text);
	if (!strcmp(state, health_words[WGVIA_HEALTH_DEAD]))
		event_add_text(&event, "reason", watch_fault(&watched->target.watch, watched->fault, fault));
	log_event(&event);
}

/* The first state of a gateway is not a transition. */
static void count_transition(struct watched *watched, enum health_state before)
{
	bool dead = watched->health.state == HEALTH_DEAD;

	if (before == HEALTH_UNKNOWN || dead == (before == HEALTH_DEAD))
		return;
	watched->deaths += dead;
	watched->recoveries += !dead;
}

/* Logs a change of the gateway's health, and records that there was one. */
static void log_health(struct gateways *gateways, struct watched *watched, enum health_state before)
{
	enum health_state now = watched->health.state;
	char fault[WATCH_FAULT_LEN];
	const char *state = health_words[reported[now]];

	if (now == before)
		return;
	count_transition(watched, before);
	gateways->changed = gateways->unreported = true;
	if (now != HEALTH_GOOD || before != HEALTH_HELD)
		watched->since = gateway_report_now();
	switch (now) {
	case HEALTH_DEAD:
		log_gateway(watched, JOURNAL_WARNING, state, "gateway %s is dead: %s", watched->name,
			    watch_fault(&watched->target.watch, watched->fault, fault));
		break;
	case HEALTH_HELD:
		if (before == HEALTH_DEAD)
			log_gateway(watched, JOURNAL_NOTICE, state,
				    "gateway %s is reachable again; it is preferred again in %g s", watched->name,
				    gateways->settings.hold / 1000.0);
		else
			log_gateway(watched, JOURNAL_INFO, state, "gateway %s answers", watched->name);
		break;
	case HEALTH_GOOD:
		log_gateway(watched, JOURNAL_INFO, state, "gateway %s is healthy", watched->name);
		break;
	case HEALTH_UNKNOWN:
		break;
	}
}

/* Why a gateway of this family cannot be reached by the device; none: it can. */
static enum wgvia_fault find_fault(const struct netdev *netdev, uint32_t family)
{
	if (!netdev)
		return WGVIA_FAULT_NO_DEVICE;
	if (!(netdev->flags & IFF_UP))
		return WGVIA_FAULT_DEVICE_DOWN;
	if (!(netdev->flags & IFF_RUNNING))
		return WGVIA_FAULT_NO_CARRIER;
	if (family == AF_INET6 && netdev->mtu < IPV6_MIN_MTU)
		return WGVIA_FAULT_MTU;
	return WGVIA_FAULT_NONE;
}

/* The likely fault of a dead gateway. */
static enum wgvia_fault likely_fault(const struct netdev *netdev, uint32_t family)
{
	enum wgvia_fault fault = find_fault(netdev, family);

	return fault ? fault : WGVIA_FAULT_NO_ANSWER;
}

/* False for a value that bpftool may write, but for which no request can be sent. */
static bool can_be_watched(const struct wgvia_hop *hop)
{
	return hop->ifindex && (hop->family == AF_INET || hop->family == AF_INET6);
}

static struct watched *find_watched(const struct gateways *gateways, const struct wgvia_hop *hop)
{
	for (size_t i = 0; i < gateways->count; i++)
		if (hop_equal(&gateways->all[i].hop, hop))
			return &gateways->all[i];
	return NULL;
}

/* Whether more than a neighbour answer is needed to be alive. */
static bool has_path(const struct watched *watched)
{
	return watched->target.from.family;
}

/* The addresses may have changed. */
static void set_target(struct gateways *gateways, struct watched *watched, const struct path_target *target)
{
	bool could = has_path(watched) || !watched->target.watch.kind;
	char text[WATCH_TEXT_LEN];

	watched->target = *target;
	watched->path = (struct health_path){};
	if (watched->fault > WGVIA_FAULT_NEIGHBOUR) /* it belongs to another kind of watch */
		watched->fault = WGVIA_FAULT_NO_ANSWER;
	path_probe_renew(gateways->path, &watched->target);
	if (could && target->watch.kind && !has_path(watched))
		log_line(
			EVENT_PROBLEM, JOURNAL_WARNING,
			"gateway %s: 'health %s' needs an address of its family in a prefix and, for 'forward', on the "
			"gateway's device: only the neighbour is watched",
			watched->name, watch_text(&target->watch, text));
}

static void note_lladdr(struct watched *watched, const struct neighbour *neighbour)
{
	const uint8_t *mac = neighbour->lladdr;
	char text[MAC_TEXT_LEN];

	if (!neighbour->has_lladdr)
		return;
	if (watched->has_lladdr && memcmp(watched->lladdr, mac, sizeof(watched->lladdr)) != 0)
		log_gateway(watched, JOURNAL_NOTICE, "moved", "gateway %s has moved to %s", watched->name,
			    mac_text(mac, text));
	memcpy(watched->lladdr, mac, sizeof(watched->lladdr));
	watched->has_lladdr = true;
}

/* The kernel does not report again a MAC address that it already knows. */
static void begin_watching(struct gateways *gateways, struct watched *watched, const struct wgvia_hop *hop,
			   const struct netdevs *netdevs, uint64_t now)
{
	struct neighbour neighbour = {};
	const struct netdev *netdev = netdev_by_index(netdevs, hop->ifindex);
	struct wgvia_gateway value = hop_value(hop, 0);
	char via[IP_TEXT_LEN], dev[IFNAMSIZ];

	*watched = (struct watched){.hop = *hop, .ip = gateway_ip(&value), .fault = likely_fault(netdev, hop->family)};
	snprintf(watched->dev, sizeof(watched->dev), "%s", netdev_name(netdevs, hop->ifindex, dev));
	snprintf(watched->name, sizeof(watched->name), "%s dev %s", ip_text(&watched->ip, via), watched->dev);
	health_begin(&watched->health, !find_fault(netdev, hop->family), now);
	if (!rtnl_get_neighbour(gateways->rtnl, hop->ifindex, &watched->ip, &neighbour))
		note_lladdr(watched, &neighbour);
}

static bool is_same_target(const struct path_target *a, const struct path_target *b)
{
	return watch_equal(&a->watch, &b->watch) && ip_equal(&a->from, &b->from) && ip_equal(&a->to, &b->to);
}

/* A gateway with a new kind of watch keeps its state until the first result. */
static void watch(struct gateways *gateways, struct watched *watched, const struct wgvia_hop *hop,
		  const struct path_target *target, const struct netdevs *netdevs, uint64_t now)
{
	const struct watched *known = find_watched(gateways, hop);
	char text[WATCH_TEXT_LEN];

	if (known && is_same_target(&known->target, target)) {
		*watched = *known;
		return;
	}
	if (known) {
		*watched = *known;
		health_ask(&watched->health, now);
	} else {
		begin_watching(gateways, watched, hop, netdevs, now);
	}
	if (!known || !watch_equal(&known->target.watch, &target->watch))
		log_gateway(watched, JOURNAL_INFO, "watched", "gateway %s is watched%s%s", watched->name,
			    target->watch.kind ? ": health " : "",
			    target->watch.kind ? watch_text(&target->watch, text) : "");
	set_target(gateways, watched, target);
	if (!known)
		log_health(gateways, watched, HEALTH_UNKNOWN);
}

/*
 * Opens the sockets that the gateways need. A failure is this host's fault and not a gateway's: until a further try
 * succeeds, a neighbour's answer is enough, except for a gateway that is known not to forward.
 */
static void listen_for_paths(struct gateways *gateways)
{
	bool echo = false, tcp = false;
	int ret;

	for (size_t i = 0; i < gateways->count; i++) {
		const struct watched *watched = &gateways->all[i];

		tcp |= has_path(watched) && watched->target.watch.kind == WGVIA_WATCH_TCP;
		echo |= has_path(watched) && watched->target.watch.kind != WGVIA_WATCH_TCP;
	}
	ret = path_probe_listen(gateways->path, echo, tcp);
	if (ret && !gateways->is_deaf)
		log_line(EVENT_PROBLEM, JOURNAL_ERR, "cannot open the sockets for probes: %s", strerror(-ret));
	gateways->is_deaf = ret;
}

int gateways_set(struct gateways *gateways, const struct hops *hops, const struct path_target *targets,
		 const struct netdevs *netdevs, uint64_t now)
{
	struct watched *all = calloc(hops->count + 1, sizeof(*all));
	size_t count = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < hops->count; i++)
		if (can_be_watched(&hops->all[i]))
			watch(gateways, &all[count++], &hops->all[i], &targets[i], netdevs, now);
	free(gateways->all);
	gateways->all = all;
	gateways->count = count;
	gateways->unreported = true;
	listen_for_paths(gateways);
	return 0;
}

void gateways_link(struct gateways *gateways, const struct netdev *netdev, bool gone, uint64_t now)
{
	const struct netdev *left = gone ? NULL : netdev;

	for (size_t i = 0; i < gateways->count; i++) {
		struct watched *watched = &gateways->all[i];
		enum health_state before = watched->health.state;

		if (watched->hop.ifindex != netdev->ifindex)
			continue;
		/* a healthy device does not rule out another fault */
		if (find_fault(left, watched->hop.family) || watched->fault < WGVIA_FAULT_NO_ANSWER)
			watched->fault = likely_fault(left, watched->hop.family);
		health_link(&watched->health, !find_fault(left, watched->hop.family), now);
		log_health(gateways, watched, before);
	}
}

void gateways_links(struct gateways *gateways, const struct netdevs *netdevs, uint64_t now)
{
	for (size_t i = 0; i < gateways->count; i++) {
		struct netdev known = {.ifindex = gateways->all[i].hop.ifindex};
		const struct netdev *netdev = netdev_by_index(netdevs, known.ifindex);

		gateways_link(gateways, netdev ? netdev : &known, !netdev, now);
	}
}

void gateways_address(struct gateways *gateways, uint32_t ifindex, uint64_t now)
{
	for (size_t i = 0; i < gateways->count; i++)
		if (gateways->all[i].hop.ifindex == ifindex)
			health_ask_again(&gateways->all[i].health, now);
}

void gateways_neighbour(struct gateways *gateways, uint32_t ifindex, const struct ip *ip,
			const struct neighbour *neighbour, uint64_t now)
{
	for (size_t i = 0; i < gateways->count; i++) {
		struct watched *watched = &gateways->all[i];

		if (watched->hop.ifindex != ifindex || !ip_equal(&watched->ip, ip))
			continue;
		note_lladdr(watched, neighbour);
		if (neighbour->state & NUD_FAILED) {
			watched->fault = WGVIA_FAULT_NEIGHBOUR;
			health_failed(&watched->health, &gateways->settings, now);
		} else if (watched->health.state == HEALTH_DEAD && neighbour->state & (NUD_REACHABLE | NUD_STALE) &&
			   watched->path.stage == HEALTH_STAGE_NOTHING) {
			health_ask(&watched->health, now);
		}
	}
}

/* The gateway did everything that its health requires. */
static void take_health(struct gateways *gateways, struct watched *watched, uint64_t now)
{
	static const struct neighbour unknown;
	enum health_state before = watched->health.state;

	health_answered(&watched->health, &gateways->settings, now);
	watched->fault = WGVIA_FAULT_NO_ANSWER;
	watched->path.stage = HEALTH_STAGE_NOTHING;
	/* so that its MAC address is known when prefixes move there; our answers keep it fresh */
	if (before != watched->health.state)
		rtnl_ask_neighbour(gateways->rtnl, watched->hop.ifindex, &watched->ip, &unknown);
	log_health(gateways, watched, before);
}

/*
 * The MAC address to which packets for the gateway go. A permanent entry is valid, whoever answers. An advertisement
 * need not contain the MAC address from which it is sent.
 */
static bool find_mac(struct gateways *gateways, const struct watched *watched, const struct neighbour_answer *answer,
		     uint8_t mac[6])
{
	struct neighbour neighbour = {};

	rtnl_get_neighbour(gateways->rtnl, watched->hop.ifindex, &watched->ip, &neighbour);
	if (answer->has_mac && !(neighbour.has_lladdr && neighbour.kept)) {
		memcpy(mac, answer->mac, sizeof(answer->mac));
		return true;
	}
	memcpy(mac, neighbour.lladdr, sizeof(neighbour.lladdr));
	return neighbour.has_lladdr;
}

static void take_answer(struct gateways *gateways, const struct neighbour_answer *answer, uint64_t now)
{
	static const struct neighbour unknown;
	uint8_t mac[6];

	for (size_t i = 0; i < gateways->count; i++) {
		struct watched *watched = &gateways->all[i];

		if (watched->hop.ifindex != answer->ifindex || !ip_equal(&watched->ip, &answer->ip))
			continue;
		if (!has_path(watched) || (gateways->is_deaf && watched->fault <= WGVIA_FAULT_NEIGHBOUR))
			take_health(gateways, watched, now);
		else if (!watched->path.wanted) /* during a flood, each answer would cause a request to the kernel */
			continue;
		else if (!find_mac(gateways, watched, answer, mac))
			rtnl_ask_neighbour(gateways->rtnl, watched->hop.ifindex, &watched->ip, &unknown);
		else if (health_path_neighbour(&watched->path))
			path_probe_send(gateways->path, &watched->target, mac);
	}
}

struct receiving {
	struct gateways *gateways;
	uint64_t now;
};

static struct path_target *next_target(void *data, size_t i)
{
	struct gateways *gateways = ((struct receiving *)data)->gateways;

	return i < gateways->count ? &gateways->all[i].target : NULL;
}

static void take_event(void *data, size_t i, enum path_event event)
{
	const struct receiving *receiving = data;
	struct gateways *gateways = receiving->gateways;
	struct watched *watched = &gateways->all[i];

	if (!health_path_event(&watched->path, event))
		return;
	path_probe_renew(gateways->path, &watched->target);
	take_health(gateways, watched, receiving->now);
}

void gateways_receive(struct gateways *gateways, uint64_t now, gateways_announced announced, void *data)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct neighbour_answer answer;

	for (size_t f = 0; f < ARRAY_SIZE(families); f++)
		for (int n = 0, ret = 0; n < RECEIVE_MAX && ret >= 0; n++) {
			ret = neighbour_probe_receive(gateways->solicit, families[f], &answer);
			if (ret > 0 && answer.announced)
				announced(data, answer.ifindex, &answer.ip);
			if (ret > 0)
				take_answer(gateways, &answer, now);
		}
	path_probe_receive(gateways->path, next_target, take_event, &(struct receiving){gateways, now});
}

/* Called before the next try is counted: records what the previous tries lacked. */
static void note_fault(struct gateways *gateways, struct watched *watched)
{
	enum wgvia_fault fault = health_path_fault(&watched->path, watched->target.watch.kind);

	if (!fault && watched->fault >= WGVIA_FAULT_FORWARD) /* it was better before */
		fault = WGVIA_FAULT_NO_ANSWER;
	if (!watched->health.sent || !fault || fault == watched->fault)
		return;
	watched->fault = fault;
	gateways->unreported |= watched->health.state == HEALTH_DEAD;
}

void gateways_tick(struct gateways *gateways, uint64_t now)
{
	for (size_t i = 0; i < gateways->count; i++) {
		struct watched *watched = &gateways->all[i];
		enum health_state before = watched->health.state;

		if (has_path(watched) && health_is_due(&watched->health, now)) {
			if (gateways->is_deaf)
				listen_for_paths(gateways);
			note_fault(gateways, watched);
			health_path_try(&watched->path, &watched->health);
		}
		/* an error counts as an unanswered request */
		if (health_tick(&watched->health, &gateways->settings, now))
			neighbour_probe_send(gateways->solicit, watched->hop.ifindex, &watched->ip);
		log_health(gateways, watched, before);
	}
}

uint64_t gateways_next(const struct gateways *gateways)
{
	uint64_t next = HEALTH_NEVER;

	for (size_t i = 0; i < gateways->count; i++) {
		uint64_t own = health_next(&gateways->all[i].health, &gateways->settings);

		next = own < next ? own : next;
	}
	return next;
}

bool gateways_changed(struct gateways *gateways)
{
	bool changed = gateways->changed;

	gateways->changed = false;
	return changed;
}

/* A gateway that has answered since then has no fault. */
static struct wgvia_gateway_health health_of(const struct watched *watched)
{
	bool dead = watched->health.state == HEALTH_DEAD;

	return (struct wgvia_gateway_health){.since = watched->since,
					     .state = reported[watched->health.state],
					     .fault = dead ? watched->fault : WGVIA_FAULT_NONE,
					     .deaths = watched->deaths,
					     .recoveries = watched->recoveries};
}

bool gateways_report(struct gateways *gateways, struct gateway_healths *healths)
{
	bool unreported = gateways->unreported;
	struct gateway_health *health;

	*healths = (struct gateway_healths){};
	for (size_t i = 0; i < gateways->count && unreported; i++) {
		health = array_grow(&healths->all, &healths->count, sizeof(*health));
		if (health)
			*health = (struct gateway_health){gateways->all[i].hop, health_of(&gateways->all[i])};
	}
	gateways->unreported = false;
	return unreported;
}

enum health_state gateways_health(const void *gateways, const struct wgvia_hop *hop)
{
	const struct watched *watched = find_watched(gateways, hop);

	return watched ? watched->health.state : HEALTH_UNKNOWN;
}

size_t gateways_count(const struct gateways *gateways, size_t *dead)
{
	*dead = 0;
	for (size_t i = 0; i < gateways->count; i++)
		*dead += gateways->all[i].health.state == HEALTH_DEAD;
	return gateways->count;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * A list of gateways, and who hears of what.
 */
#include "guard.h"

#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "journal.h"
#include "util.h"

struct watched {
	struct wgvia_hop hop;
	struct ip ip;
	char name[IP_TEXT_LEN + IFNAMSIZ + 8]; /* "ADDRESS dev DEV" */
	struct health health;
	uint8_t lladdr[6];
	bool has_lladdr;
	const char *reason; /* the last bad thing that was seen */
};

struct guard {
	struct solicit *solicit;
	struct rtnl *rtnl;
	struct health_settings settings;
	struct watched *all;
	size_t count;
	bool changed;
};

int guard_open(struct guard **guard, const struct health_settings *settings)
{
	struct guard *opened = calloc(1, sizeof(*opened));
	int ret;

	if (!opened)
		return -ENOMEM;
	opened->settings = *settings;
	ret = solicit_open(&opened->solicit);
	ret = ret ? ret : rtnl_open(&opened->rtnl);
	if (ret)
		guard_close(&opened);
	else
		*guard = opened;
	return ret;
}

void guard_close(struct guard **guard)
{
	if (!*guard)
		return;
	solicit_close(&(*guard)->solicit);
	rtnl_close(&(*guard)->rtnl);
	free((*guard)->all);
	free(*guard);
	*guard = NULL;
}

void guard_fds(const struct guard *guard, int fds[SOLICIT_FDS])
{
	solicit_fds(guard->solicit, fds);
}

/* Logs what became of the gateway's health, and remembers that something did. */
static void tell(struct guard *guard, const struct watched *watched, enum health_state before)
{
	enum health_state now = watched->health.state;

	if (now == before)
		return;
	guard->changed = true;
	switch (now) {
	case HEALTH_DEAD:
		journal(SD_WARNING, "gateway %s is dead: %s", watched->name, watched->reason);
		break;
	case HEALTH_HELD:
		if (before == HEALTH_DEAD)
			journal(SD_NOTICE, "gateway %s answers again; it is preferred again in %g s", watched->name,
				guard->settings.hold / 1000.0);
		else
			journal(SD_INFO, "gateway %s answers", watched->name);
		break;
	case HEALTH_GOOD:
		journal(SD_INFO, "gateway %s is well", watched->name);
		break;
	case HEALTH_UNKNOWN:
		break;
	}
}

static bool link_is_well(const struct link *link)
{
	return link && (link->flags & IFF_UP) && (link->flags & IFF_RUNNING);
}

/* Why a gateway at this device would be dead. */
static const char *link_reason(const struct link *link)
{
	if (!link)
		return "its device has gone";
	if (!(link->flags & IFF_UP))
		return "its device is down";
	return link_is_well(link) ? "it does not answer neighbour requests" : "its device has no carrier";
}

/* A value that bpftool may write and nobody can be asked for. */
static bool can_be_watched(const struct wgvia_hop *hop)
{
	return hop->ifindex && (hop->family == AF_INET || hop->family == AF_INET6);
}

static struct watched *find(const struct guard *guard, const struct wgvia_hop *hop)
{
	for (size_t i = 0; i < guard->count; i++)
		if (hop_equal(&guard->all[i].hop, hop))
			return &guard->all[i];
	return NULL;
}

static void begin_watching(struct watched *watched, const struct wgvia_hop *hop, const struct link *link, uint64_t now)
{
	struct wgvia_gateway value = hop_value(hop, 0);
	char via[IP_TEXT_LEN];

	*watched = (struct watched){.hop = *hop, .ip = gateway_ip(&value), .reason = link_reason(link)};
	snprintf(watched->name, sizeof(watched->name), "%s dev %s", ip_text(&watched->ip, via),
		 link ? link->name : "?");
	health_begin(&watched->health, link_is_well(link), now);
}

int guard_set(struct guard *guard, const struct hops *hops, const struct links *links, uint64_t now)
{
	struct watched *all = calloc(hops->count + 1, sizeof(*all));
	size_t count = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < hops->count; i++) {
		const struct wgvia_hop *hop = &hops->all[i];
		const struct link *link = link_by_index(links, hop->ifindex);
		const struct watched *known = find(guard, hop);

		if (!can_be_watched(hop))
			continue;
		if (known) {
			all[count++] = *known;
			continue;
		}
		begin_watching(&all[count], hop, link, now);
		journal(SD_INFO, "gateway %s is watched", all[count].name);
		tell(guard, &all[count++], HEALTH_UNKNOWN);
	}
	free(guard->all);
	guard->all = all;
	guard->count = count;
	return 0;
}

void guard_link(struct guard *guard, const struct link *link, bool gone, uint64_t now)
{
	const struct link *left = gone ? NULL : link;

	for (size_t i = 0; i < guard->count; i++) {
		struct watched *watched = &guard->all[i];
		enum health_state before = watched->health.state;

		if (watched->hop.ifindex != link->ifindex)
			continue;
		watched->reason = link_reason(left);
		health_link(&watched->health, link_is_well(left), now);
		tell(guard, watched, before);
	}
}

void guard_links(struct guard *guard, const struct links *links, uint64_t now)
{
	for (size_t i = 0; i < guard->count; i++) {
		struct link known = {.ifindex = guard->all[i].hop.ifindex};
		const struct link *link = link_by_index(links, known.ifindex);

		guard_link(guard, link ? link : &known, !link, now);
	}
}

void guard_address(struct guard *guard, uint32_t ifindex, uint64_t now)
{
	for (size_t i = 0; i < guard->count; i++)
		if (guard->all[i].hop.ifindex == ifindex)
			health_ask_anew(&guard->all[i].health, now);
}

static void note_lladdr(struct watched *watched, const struct neighbour *neighbour)
{
	const uint8_t *mac = neighbour->lladdr;

	if (!neighbour->has_lladdr)
		return;
	if (watched->has_lladdr && memcmp(watched->lladdr, mac, sizeof(watched->lladdr)) != 0)
		journal(SD_NOTICE, "gateway %s has moved to %02x:%02x:%02x:%02x:%02x:%02x", watched->name, mac[0],
			mac[1], mac[2], mac[3], mac[4], mac[5]);
	memcpy(watched->lladdr, mac, sizeof(watched->lladdr));
	watched->has_lladdr = true;
}

void guard_neighbour(struct guard *guard, uint32_t ifindex, const struct ip *ip, const struct neighbour *neighbour,
		     uint64_t now)
{
	for (size_t i = 0; i < guard->count; i++) {
		struct watched *watched = &guard->all[i];

		if (watched->hop.ifindex != ifindex || !ip_equal(&watched->ip, ip))
			continue;
		note_lladdr(watched, neighbour);
		if (neighbour->state & NUD_FAILED) {
			watched->reason = "the kernel's neighbour entry has failed";
			health_failed(&watched->health, &guard->settings, now);
		} else if (watched->health.state == HEALTH_DEAD && neighbour->state & (NUD_REACHABLE | NUD_STALE)) {
			health_ask(&watched->health, now);
		}
	}
}

void guard_receive(struct guard *guard, uint64_t now, guard_announced announced, void *data)
{
	struct solicit_answer answer;

	while (solicit_receive(guard->solicit, &answer)) {
		if (answer.announced)
			announced(data, answer.ifindex, &answer.ip);
		for (size_t i = 0; i < guard->count; i++) {
			static const struct neighbour unknown;
			struct watched *watched = &guard->all[i];
			enum health_state before = watched->health.state;

			if (watched->hop.ifindex != answer.ifindex || !ip_equal(&watched->ip, &answer.ip))
				continue;
			health_answered(&watched->health, &guard->settings, now);
			watched->reason = "it does not answer neighbour requests";
			/* so that its MAC address is known when prefixes move there; our answers keep it fresh */
			if (before != watched->health.state)
				rtnl_ask_neighbour(guard->rtnl, answer.ifindex, &answer.ip, &unknown);
			tell(guard, watched, before);
		}
	}
}

void guard_tick(struct guard *guard, uint64_t now)
{
	for (size_t i = 0; i < guard->count; i++) {
		struct watched *watched = &guard->all[i];
		enum health_state before = watched->health.state;

		/* an error is a request without an answer */
		if (health_tick(&watched->health, &guard->settings, now))
			solicit_send(guard->solicit, watched->hop.ifindex, &watched->ip);
		tell(guard, watched, before);
	}
}

uint64_t guard_next(const struct guard *guard)
{
	uint64_t next = HEALTH_NEVER;

	for (size_t i = 0; i < guard->count; i++) {
		uint64_t own = health_next(&guard->all[i].health, &guard->settings);

		next = own < next ? own : next;
	}
	return next;
}

bool guard_changed(struct guard *guard)
{
	bool changed = guard->changed;

	guard->changed = false;
	return changed;
}

enum health_state guard_health(const void *guard, const struct wgvia_hop *hop)
{
	const struct watched *watched = find(guard, hop);

	return watched ? watched->health.state : HEALTH_UNKNOWN;
}

size_t guard_count(const struct guard *guard, size_t *dead)
{
	*dead = 0;
	for (size_t i = 0; i < guard->count; i++)
		*dead += guard->all[i].health.state == HEALTH_DEAD;
	return guard->count;
}

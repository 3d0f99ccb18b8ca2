// SPDX-License-Identifier: GPL-2.0-only
/*
 * The steps of an agent. Each reads what is there and computes the wanted state. It keeps nothing that a missed event
 * could make wrong.
 */
#include "agent/converge.h"

#include <stdio.h>
#include <string.h>

#include "agent/failover_log.h"
#include "agent/log.h"
#include "base/util.h"
#include "config/conffile.h"
#include "config/failover.h"
#include "config/source.h"
#include "datapath/index/index_map.h"
#include "datapath/pins.h"
#include "plan/bypass.h"
#include "plan/gateways.h"
#include "plan/sources.h"
#include "session/change_list.h"
#include "session/gateway_report.h"
#include "session/session.h"

#define PEERS_WAIT 500 /* milliseconds, for a WireGuard in user space */
#define NAMES_MAX 1024 /* of devices that were removed while steps fail */

/* --- reporting --- */

/* One line per failure, not one per try. */
static void log_failure(struct keeper *keeper, enum keeper_step step)
{
	struct error *error = &keeper->context->error;

	if (strcmp(keeper->errors[step], error->text) != 0)
		log_line(EVENT_PROBLEM, JOURNAL_ERR, "%s%s%s", error->text, error->hint[0] ? "; " : "", error->hint);
	strcpy(keeper->errors[step], error->text);
	*error = (struct error){};
}

static void tell_error(struct keeper *keeper, enum keeper_step step)
{
	keeper->again = true;
	log_failure(keeper, step);
}

/* Reports why prefixes do not follow the host, if so. */
static void tell_problem(struct keeper *keeper, const struct error *problem)
{
	if (problem->text[0]) {
		keeper->context->error = *problem;
		log_failure(keeper, KEEPER_SOURCES);
	} else {
		keeper->errors[KEEPER_SOURCES][0] = '\0';
	}
}

void keeper_status(const struct keeper *keeper, char *text, size_t size)
{
	size_t dead, count = gateways_count(keeper->gateways, &dead);

	for (int step = 0; step < KEEPER_STEPS; step++)
		if (keeper->errors[step][0]) {
			snprintf(text, size, "%s", keeper->errors[step]);
			return;
		}
	if (!keeper->present)
		snprintf(text, size, "no instance: waiting for 'wgvia up %s'%s", keeper->words->tunnel,
			 keeper->words->path ? " or SIGHUP" : "");
	else
		snprintf(text, size, "%s, %zu prefixes, %zu gateways, %zu of them dead",
			 keeper->tunnel_ifindex ? "the tunnel exists" : "waiting for the tunnel", keeper->prefixes,
			 count, dead);
}

/* --- the gateways --- */

struct choice {
	const struct gateways *gateways;
	struct failover_log moves;
};

static enum health_state health_of(const void *data, const struct wgvia_hop *hop)
{
	return gateways_health(((const struct choice *)data)->gateways, hop);
}

static void moved(void *data, const struct gateway_entry *from, const struct wgvia_gateway *to)
{
	failover_log_add(&((struct choice *)data)->moves, &from->from, to);
}

/* The devices must be known, and programs attached to all of them. */
void keeper_move(struct keeper *keeper)
{
	cleanup(session_end) struct session session = SESSION(keeper->context);
	struct choice choice = {.gateways = keeper->gateways};
	int ret;

	session.maps_only = true;
	ret = session_begin(&session, keeper->words->tunnel);
	if (!ret && reconcile_health(&session.state, health_of, moved, &choice))
		ret = session_write(&session);
	session_end(&session); /* the log may block, so release the lock first */
	if (ret == -ENOENT) {  /* removed meanwhile: the next step reports it */
		keeper->context->error = (struct error){};
		keeper->again = true;
	} else if (ret) {
		tell_error(keeper, KEEPER_MOVE);
	} else {
		keeper->errors[KEEPER_MOVE][0] = '\0';
		failover_log_write(&choice.moves, &keeper->names);
	}
	failover_log_free(&choice.moves);
}

/* A failure here does not affect packets; the next change is reported again. */
void keeper_report(struct keeper *keeper)
{
	struct context *context = keeper->context;
	struct gateway_healths healths;
	int ret;

	if (!gateways_report(keeper->gateways, &healths))
		return;
	ret = gateway_report_write(context->pin_dir, keeper->words->tunnel, &healths);
	free(healths.all);
	if (ret) {
		error_system(&context->error, -ret, "cannot write the map 'gateways'");
		log_failure(keeper, KEEPER_REPORT);
	} else {
		keeper->errors[KEEPER_REPORT][0] = '\0';
	}
}

/* A gateway that is no longer watched must not stay marked as dead. */
bool keeper_release(struct keeper *keeper)
{
	cleanup(session_end) struct session session = SESSION(keeper->context);
	cleanup(failover_log_free) struct failover_log moves = {};
	bool is_changed;

	session.maps_only = true;
	if (!session_begin(&session, keeper->words->tunnel))
		for (size_t i = 0; i < session.state.gateway_count; i++) {
			struct gateway_entry *entry = &session.state.gateways[i];

			if (!(entry->value.flags & WGVIA_GATEWAY_DOWN))
				continue;
			entry->value.flags &= ~WGVIA_GATEWAY_DOWN;
			failover_log_add(&moves, &entry->from, &entry->value);
		}
	is_changed = moves.count && !session_write(&session);
	session_end(&session); /* the log may block, so release the lock first */
	if (is_changed)
		failover_log_write(&moves, &keeper->names);
	keeper->context->error = (struct error){};
	return is_changed;
}

/* --- following the host --- */

/*
 * Finds the name of a device that was removed before this agent started: by the device on whose link the gateway is
 * now.
 */
static void learn_by_route(struct keeper *keeper, struct host_view *host, const struct state *state)
{
	const struct netdev *tunnel = netdev_by_index(&host->netdevs, state->tunnel_ifindex);
	const struct netdev *vrf = netdev_vrf(&host->netdevs, tunnel);
	cleanup(hops_free) struct hops hops = {};

	if (failover_hops(state, &hops))
		return;
	for (size_t i = 0; i < hops.count; i++) {
		struct wgvia_gateway value = hop_value(&hops.all[i], 0);
		struct ip ip = gateway_ip(&value);
		const struct netdev *netdev;
		struct nexthop nexthop;

		if (netdev_by_index(&host->netdevs, value.ifindex) || reconcile_name(&keeper->names, value.ifindex) ||
		    ip_is_link_local(&ip) || host_view_route_to(host, &ip, vrf ? vrf->ifindex : 0, &nexthop) ||
		    nexthop.via.family)
			continue;
		netdev = netdev_by_index(&host->netdevs, nexthop.ifindex);
		if (netdev)
			reconcile_learn_name(&keeper->names, value.ifindex, netdev->name);
	}
}

/* The changes of a step, logged after it succeeded, and the gateways to watch from then on. */
struct following {
	struct choice choice;
	struct change_list changes;
	struct hops hops;
	struct path_target *paths; /* the same number */
	struct sender_targets targets;
	struct state base; /* the file's present meaning; empty: none, or unchanged */
	struct prefixes ranges;
	struct error problem; /* why prefixes do not follow the host */
};

static void following_free(struct following *following)
{
	failover_log_free(&following->choice.moves);
	change_list_free(&following->changes);
	hops_free(&following->hops);
	free(following->paths);
	free(following->ranges.all);
	free(following->targets.all);
	state_free(&following->base);
}

/*
 * The file's present meaning on this host, if it changed. If the file is impossible on the host now, nothing changes.
 */
static int follow_request(const struct keeper *keeper, struct session *session, struct following *following)
{
	cleanup(plan_free) struct plan fresh = {};
	struct error ignored = {};

	if (!keeper->words->path || keeper->pending || plan_up(session->host, &keeper->request, &fresh, &ignored))
		return 0;
	following->base = fresh.state;
	fresh.state = (struct state){};
	return reconcile_file(&session->state, keeper->base.tunnel[0] ? &keeper->base : &following->base,
			      &following->base);
}

/* Before gateways are chosen: a new prefix needs a choice as well. */
static int follow_sources(struct session *session, struct error *problem)
{
	struct host_view *host = session->host;
	struct netdev absent;
	int ret;

	if (!session->state.source_count)
		return 0;
	ret = host_view_read(host, GATEWAYS_READ | HOST_ADDRESSES);
	if (ret)
		return ret;
	return sources_follow(host, &session->state, plan_tunnel(&host->netdevs, session->tunnel, &absent), problem);
}

/* Adapts the running state to the host. */
static int follow(struct keeper *keeper, struct session *session, struct following *following)
{
	struct netdevs *netdevs = &session->host->netdevs;
	int ret;

	learn_by_route(keeper, session->host, &session->state);
	reconcile_devices(&keeper->base, &keeper->names, netdevs);
	reconcile_devices(&session->state, &keeper->names, netdevs);
	ret = follow_request(keeper, session, following);
	if (!ret)
		ret = reconcile_learn(&keeper->names, netdevs, &session->state);
	if (!ret)
		ret = follow_sources(session, &following->problem);
	if (ret)
		return error_system(&keeper->context->error, -ret, "cannot follow the host");
	reconcile_health(&session->state, health_of, moved, &following->choice);
	return 0;
}

/* Collects the events of a plan, and the gateways to watch once it is in force. */
static int review(const struct session *session, const struct state *running, struct following *following)
{
	const struct plan *plan = &session->plan;

	change_list_plan(&following->changes, &session->instance, running, plan);
	if (failover_hops(&plan->state, &following->hops) || bypass_tunnel_ranges(&plan->state, &following->ranges) ||
	    path_targets_choose(session->host, &plan->state, &following->hops, &following->paths) ||
	    sender_targets_choose(session->host, &plan->state, &following->targets))
		return error_system(&session->context->error, ENOMEM, "cannot watch the gateways");
	return 0;
}

static void swap_states(struct state *a, struct state *b)
{
	struct state old = *a;

	*a = *b;
	*b = old;
}

/* Puts the file into force, as `apply` does. Returns whether the instance may have new maps. */
static bool put_file(struct keeper *keeper, struct host_view *host)
{
	cleanup(following_free) struct following following = {.choice.gateways = keeper->gateways,
							      .changes.known = &keeper->netdevs,
							      .changes.also_known = &keeper->removable};
	cleanup(session_end) struct session session = SESSION(keeper->context);
	int ret;

	session.host = host;
	session.programs = &keeper->programs;
	ret = session_begin_request(&session, &keeper->request);
	if (!ret)
		ret = review(&session, session.is_running ? &session.state : NULL, &following);
	if (!ret)
		ret = session_commit(&session);
	if (ret && !session.committed) {
		if (session.plan.refused)
			conffile_name_route(&keeper->context->error, &keeper->request, session.plan.refused);
		session_end(&session);
		tell_error(keeper, KEEPER_FILE);
		return false;
	}
	if (ret) /* follow_host() detaches what is left, or reports why it cannot */
		change_list_keep_attached(&following.changes, &session.instance, &session.plan);
	keeper->context->error = (struct error){};
	keeper->errors[KEEPER_FILE][0] = '\0';
	change_list_visit(&following.changes, log_event);
	log_state(EVENT_RELOAD, JOURNAL_NOTICE, "done", "'%s' is in force", keeper->words->path);
	keeper->pending = false;
	swap_states(&keeper->base, &session.plan.state);
	return session.changed;
}

static void on_taken_down(struct keeper *keeper, const struct netdevs *netdevs, uint64_t now)
{
	struct sender_targets none = {};

	keeper->context->error = (struct error){};
	if (keeper->present)
		log_state(EVENT_AGENT, JOURNAL_NOTICE, "waiting",
			  "the instance was removed: waiting for 'wgvia up %s'%s", keeper->words->tunnel,
			  keeper->words->path ? " or SIGHUP" : "");
	keeper->present = false;
	programs_close(&keeper->programs);
	keeper->errors[KEEPER_HOST][0] = keeper->errors[KEEPER_MOVE][0] = '\0';
	gateways_set(keeper->gateways, &(struct hops){}, NULL, netdevs, now);
	prober_set(keeper->prober, &none, true, now);
}

static int converge(struct keeper *keeper, struct session *session, struct following *following)
{
	cleanup(state_free) struct state before = {};
	int ret = follow(keeper, session, following);

	if (!ret)
		ret = session_plan(session);
	if (!ret)
		ret = session_read_running(session, &before);
	if (!ret)
		ret = review(session, &before, following);
	return ret ? ret : session_commit(session);
}

static void set_peers_lost(struct keeper *keeper, bool lost)
{
	if (keeper->peers_lost && !lost)
		log_line(EVENT_PROBLEM, JOURNAL_NOTICE, "the peers can be read again");
	keeper->peers_lost = lost;
}

/* Remembers the peers of the prefixes in force; none if they could not be read. */
static void remember_peers(struct keeper *keeper, struct host_view *host)
{
	wireguard_free(&keeper->wireguard);
	if (!host->wireguard_asked)
		return;
	set_peers_lost(keeper, host->wireguard_ret);
	keeper->again |= keeper->peers_lost && host->wireguard_ret != -EOPNOTSUPP;
	keeper->wireguard = host->wireguard;
	host->wireguard = (struct wireguard){};
	host->wireguard_asked = false;
}

void keeper_remember_name(struct keeper *keeper, const struct netdev *netdev)
{
	struct netdev *added = NULL;

	if (keeper->removable.count < NAMES_MAX)
		added = array_grow(&keeper->removable.all, &keeper->removable.count, sizeof(*added));
	if (added)
		*added = *netdev;
}

/*
 * Makes the instance match the host, then watches the instance's gateways. `new_maps`: the maps may have been
 * re-created. Returns false if a step failed; the others may be in force.
 */
static bool follow_host(struct keeper *keeper, struct host_view *host, bool new_maps, uint64_t now)
{
	const char *pin_dir = keeper->context->pin_dir, *tunnel = keeper->words->tunnel;
	cleanup(following_free) struct following following = {.choice.gateways = keeper->gateways,
							      .changes.known = &keeper->netdevs,
							      .changes.also_known = &keeper->removable};
	cleanup(session_end) struct session session = SESSION(keeper->context);
	int ret;

	session.host = host;
	session.programs = &keeper->programs;
	session.is_choosing = true;
	ret = session_begin(&session, tunnel);
	if (session_read_host(&session, HOST_NETDEVS)) {
		session_end(&session);
		tell_error(keeper, KEEPER_HOST);
		return false;
	}
	gateways_links(keeper->gateways, &host->netdevs, now);
	if (ret == -ENOENT && !pins_exist(pin_dir, tunnel, PINS_CURRENT)) {
		session_end(&session); /* the prober takes the lock */
		on_taken_down(keeper, &host->netdevs, now);
		return true;
	}
	if (!ret)
		ret = converge(keeper, &session, &following);
	if (ret && !session.committed) {
		session_end(&session);
		tell_error(keeper, KEEPER_HOST);
		return false;
	}
	if (ret) { /* all but a last step is in force */
		change_list_keep_attached(&following.changes, &session.instance, &session.plan);
		tell_error(keeper, KEEPER_HOST);
	} else {
		keeper->errors[KEEPER_HOST][0] = '\0';
	}
	tell_problem(keeper, &following.problem);
	remember_peers(keeper, host);
	change_list_visit(&following.changes, log_event);
	failover_log_write(&following.choice.moves, &keeper->names);
	if (following.base.tunnel[0])
		swap_states(&keeper->base, &following.base);
	keeper->present = true;
	keeper->prefixes = session.plan.state.gateway_count;
	keeper->tunnel_ifindex = session.plan.state.tunnel_ifindex;
	keeper->follows_peers = source_is_used(&session.plan.state, WGVIA_SOURCE_ALLOWED_IPS);
	free(keeper->ranges.all);
	keeper->ranges = following.ranges;
	following.ranges = (struct prefixes){};
	gateways_set(keeper->gateways, &following.hops, following.paths, &host->netdevs, now);
	prober_set(keeper->prober, &following.targets, session.changed || new_maps, now);
	return !ret;
}

/* After a step that failed, the next one may be the first to report that programs left a device that was removed. */
static void keep_names(struct keeper *keeper, const struct netdevs *now)
{
	for (size_t i = 0; i < keeper->netdevs.count; i++)
		if (!netdev_by_index(now, keeper->netdevs.all[i].ifindex))
			keeper_remember_name(keeper, &keeper->netdevs.all[i]);
}

/* A command may have applied a new content of the file. */
static void look_at_file(struct keeper *keeper)
{
	keeper->poked = false;
	if (keeper_read_again(keeper))
		log_failure(keeper, KEEPER_FILE);
	else if (!keeper->pending)
		keeper->errors[KEEPER_FILE][0] = '\0';
}

void keeper_converge(struct keeper *keeper, uint64_t now)
{
	cleanup(host_view_free) struct host_view host = {};
	bool new_maps, succeeded;

	keeper->again = false;
	if (keeper->poked)
		look_at_file(keeper);
	new_maps = keeper->pending && put_file(keeper, &host);
	succeeded = follow_host(keeper, &host, new_maps, now);
	if (!(host.parts & HOST_NETDEVS))
		return;
	if (succeeded) {
		free(keeper->removable.all);
		keeper->removable = (struct netdevs){};
	} else {
		keep_names(keeper, &host.netdevs);
	}
	free(keeper->netdevs.all);
	keeper->netdevs = host.netdevs;
	host.netdevs = (struct netdevs){};
}

bool keeper_is_behind(struct keeper *keeper)
{
	return keeper->present && index_map_is_behind(keeper->context->pin_dir, keeper->words->tunnel, &keeper->seen);
}

bool keeper_peers_changed(struct keeper *keeper)
{
	const struct netdev *tunnel = netdev_by_index(&keeper->netdevs, keeper->tunnel_ifindex);
	cleanup(wireguard_free) struct wireguard now = {};
	struct error error = {};
	bool was_lost;

	if (!keeper->present || !keeper->follows_peers || !tunnel)
		return false;
	was_lost = keeper->peers_lost;
	set_peers_lost(keeper, wireguard_read(tunnel, PEERS_WAIT, &now, &error));
	if (keeper->peers_lost) {
		tell_problem(keeper, &error);
		return false;
	}
	/* earlier messages about the peers may no longer be true */
	return was_lost || !wireguard_equal(&now, &keeper->wireguard);
}

void keeper_free(struct keeper *keeper)
{
	programs_close(&keeper->programs);
	request_free(&keeper->request);
	state_free(&keeper->base);
	free(keeper->names.all);
	free(keeper->netdevs.all);
	free(keeper->removable.all);
	free(keeper->ranges.all);
	wireguard_free(&keeper->wireguard);
}

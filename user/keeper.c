// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps of an agent. Each reads what is there and computes what shall be; nothing is kept that could go wrong by an
 * event that was missed.
 */
#include "keeper.h"

#include <stdio.h>
#include <string.h>

#include "bypass.h"
#include "conffile.h"
#include "index_map.h"
#include "journal.h"
#include "lists.h"
#include "moves.h"
#include "newcomer.h"
#include "pins.h"
#include "report.h"
#include "running.h"
#include "util.h"

/* --- telling --- */

/* One line for a failure, not one for each try. */
static void tell_error(struct keeper *keeper, enum keeper_step step)
{
	struct error *error = &keeper->context->error;

	keeper->again = true;
	if (strcmp(keeper->errors[step], error->text) != 0)
		journal(SD_ERR, "%s%s%s", error->text, error->hint[0] ? "; " : "", error->hint);
	strcpy(keeper->errors[step], error->text);
	*error = (struct error){};
}

void keeper_status(const struct keeper *keeper, char *text, size_t size)
{
	size_t dead, count = guard_count(keeper->guard, &dead);

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
			 keeper->tunnel_ifindex ? "the tunnel is there" : "waiting for the tunnel", keeper->prefixes,
			 count, dead);
}

/* --- the gateways --- */

struct choice {
	const struct guard *guard;
	struct moves moves;
};

static enum health_state health_of(const void *data, const struct wgvia_hop *hop)
{
	return guard_health(((const struct choice *)data)->guard, hop);
}

static void moved(void *data, const struct gateway_entry *from, const struct wgvia_gateway *to)
{
	moves_add(&((struct choice *)data)->moves, &from->from, to);
}

static int choose(struct context *context, struct rtnl *rtnl, struct state *state, void *data)
{
	(void)context;
	(void)rtnl;
	return follow_health(state, health_of, moved, data) ? 0 : 1;
}

/* The devices are known, and programs stand at all of them. */
void keeper_move(struct keeper *keeper)
{
	struct choice choice = {.guard = keeper->guard};
	int ret = running_rewrite(keeper->context, keeper->words->tunnel, choose, &choice);

	if (ret == -ENOENT) { /* taken down in between: the next step tells */
		keeper->context->error = (struct error){};
		keeper->again = true;
	} else if (ret) {
		tell_error(keeper, KEEPER_MOVE);
	} else {
		keeper->errors[KEEPER_MOVE][0] = '\0';
		moves_write(&choice.moves, &keeper->names);
	}
	moves_free(&choice.moves);
}

/* What nobody watches any more is not to stay marked as dead. */
static int unmark(struct context *context, struct rtnl *rtnl, struct state *state, void *data)
{
	bool any = false;

	(void)context;
	(void)rtnl;
	(void)data;
	for (size_t i = 0; i < state->gateway_count; i++) {
		any |= state->gateways[i].value.flags & WGVIA_GATEWAY_DOWN;
		state->gateways[i].value.flags &= ~WGVIA_GATEWAY_DOWN;
	}
	return any ? 0 : 1;
}

void keeper_release(struct keeper *keeper)
{
	running_rewrite(keeper->context, keeper->words->tunnel, unmark, NULL);
	keeper->context->error = (struct error){};
}

/* --- following the host --- */

/* The name of a device that had gone before this agent began, by where the gateway is on-link now. */
static void learn_by_route(struct keeper *keeper, struct rtnl *rtnl, const struct links *links,
			   const struct state *state)
{
	struct hops hops = {};

	if (lists_hops(state, &hops))
		return;
	for (size_t i = 0; i < hops.count; i++) {
		struct wgvia_gateway value = hop_value(&hops.all[i], 0);
		struct ip ip = gateway_ip(&value);
		struct nexthop nexthop;
		const struct link *link;

		if (link_by_index(links, value.ifindex) || follow_name(&keeper->names, value.ifindex) ||
		    ip_is_link_local(&ip) || rtnl_get_route_to(rtnl, &ip, 0, &nexthop) || nexthop.via.family)
			continue;
		link = link_by_index(links, nexthop.ifindex);
		if (link)
			follow_learn_name(&keeper->names, value.ifindex, link->name);
	}
	free(hops.all);
}

struct following {
	struct keeper *keeper;
	struct choice choice;
	struct report report;
	struct hops hops;
	struct sender_targets targets;
	struct state base; /* what the file means now; empty: nothing, or as before */
	size_t prefixes;
	uint32_t tunnel_ifindex;
	struct prefixes ranges;
};

static void following_free(struct following *following)
{
	moves_free(&following->choice.moves);
	report_free(&following->report);
	free(following->hops.all);
	free(following->ranges.all);
	free(following->targets.all);
	state_free(&following->base);
}

/* What the file means on this host now, where that has changed. What it cannot mean now changes nothing. */
static int follow_request(struct following *following, struct rtnl *rtnl, struct state *state)
{
	const struct keeper *keeper = following->keeper;
	cleanup(plan_free) struct plan fresh = {};
	struct error ignored = {};

	if (!keeper->words->path || keeper->pending || !keeper->base.gateway_count ||
	    resolve_up(rtnl, &keeper->request, &fresh, &ignored))
		return 0;
	following->base = fresh.state;
	fresh.state = (struct state){};
	return follow_file(state, &keeper->base, &following->base);
}

static int follow(struct context *context, struct rtnl *rtnl, struct state *state, void *data)
{
	struct following *following = data;
	struct keeper *keeper = following->keeper;
	struct links links = {};
	int ret = rtnl_get_links(rtnl, &links);

	if (ret)
		return error_system(&context->error, -ret, "cannot list the devices");
	learn_by_route(keeper, rtnl, &links, state);
	follow_devices(&keeper->base, &keeper->names, &links);
	follow_devices(state, &keeper->names, &links);
	ret = follow_request(following, rtnl, state);
	ret = ret ? ret : follow_learn(&keeper->names, &links, state);
	free(links.all);
	if (ret)
		return error_system(&context->error, -ret, "cannot follow the host");
	follow_health(state, health_of, moved, &following->choice);
	return 0;
}

/* Nobody can be probed where the host does not tell its addresses; the next step tries again. */
static void choose_targets(const struct plan *plan, struct sender_targets *targets)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;

	if (!rtnl_open(&rtnl))
		sender_targets_choose(rtnl, &plan->state, &plan->links, targets);
}

static int review(struct context *context, const struct state *running, struct plan *plan, void *data)
{
	struct following *following = data;

	(void)context;
	report_plan(&following->report, running, plan);
	following->prefixes = plan->state.gateway_count;
	following->tunnel_ifindex = plan->state.tunnel_ifindex;
	choose_targets(plan, &following->targets);
	if (lists_hops(&plan->state, &following->hops) || bypass_tunnel_ranges(&plan->state, &following->ranges))
		return error_system(&context->error, ENOMEM, "cannot watch the gateways");
	return 0;
}

static void swap_states(struct state *a, struct state *b)
{
	struct state old = *a;

	*a = *b;
	*b = old;
}

/* Puts the file into force, as `apply` does. Returns whether the instance may have new maps. */
static bool put_file(struct keeper *keeper)
{
	struct context *context = keeper->context;
	cleanup(following_free) struct following following = {.keeper = keeper, .choice.guard = keeper->guard};
	cleanup(plan_free) struct plan plan = {};
	bool changed = false;

	if (running_apply(context, &keeper->request, resolve_up, &plan, review, &following, &keeper->programs,
			  &changed)) {
		tell_error(keeper, KEEPER_FILE);
		return false;
	}
	keeper->errors[KEEPER_FILE][0] = '\0';
	report_write(&following.report);
	journal(SD_NOTICE, "'%s' is in force", keeper->words->path);
	keeper->pending = false;
	swap_states(&keeper->base, &plan.state);
	return changed;
}

/*
 * Makes the instance what follows from the host, and the watch what follows from the instance. `anew`: it may have new
 * maps.
 */
static void follow_host(struct keeper *keeper, bool anew, uint64_t now)
{
	struct context *context = keeper->context;
	cleanup(following_free) struct following following = {.keeper = keeper, .choice.guard = keeper->guard};
	bool changed;
	int ret =
		running_follow(context, keeper->words->tunnel, follow, review, &following, &keeper->programs, &changed);

	if (ret == -ENOENT && !pins_exist(context->pin_dir, keeper->words->tunnel, PINS_CURRENT)) {
		context->error = (struct error){};
		if (keeper->present)
			journal(SD_NOTICE, "the instance was taken down: waiting for 'wgvia up %s'%s",
				keeper->words->tunnel, keeper->words->path ? " or SIGHUP" : "");
		keeper->present = false;
		programs_close(&keeper->programs);
		keeper->errors[KEEPER_HOST][0] = keeper->errors[KEEPER_MOVE][0] = '\0';
		guard_set(keeper->guard, &following.hops, &keeper->links, now);
		prober_set(keeper->prober, &following.targets, true, now);
		return;
	}
	if (ret) {
		tell_error(keeper, KEEPER_HOST);
		return;
	}
	keeper->errors[KEEPER_HOST][0] = '\0';
	report_write(&following.report);
	moves_write(&following.choice.moves, &keeper->names);
	if (following.base.gateway_count)
		swap_states(&keeper->base, &following.base);
	keeper->present = true;
	keeper->prefixes = following.prefixes;
	keeper->tunnel_ifindex = following.tunnel_ifindex;
	free(keeper->ranges.all);
	keeper->ranges = following.ranges;
	following.ranges = (struct prefixes){};
	guard_set(keeper->guard, &following.hops, &keeper->links, now);
	prober_set(keeper->prober, &following.targets, changed || anew, now);
}

static int read_links(struct keeper *keeper)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	struct links links;
	int ret = rtnl_open(&rtnl);

	ret = ret ? ret : rtnl_get_links(rtnl, &links);
	if (ret)
		return error_system(&keeper->context->error, -ret, "cannot list the devices");
	free(keeper->links.all);
	keeper->links = links;
	return 0;
}

void keeper_converge(struct keeper *keeper, uint64_t now)
{
	bool anew;

	keeper->again = false;
	if (read_links(keeper)) {
		tell_error(keeper, KEEPER_HOST);
		return;
	}
	guard_links(keeper->guard, &keeper->links, now);
	anew = keeper->pending && put_file(keeper);
	follow_host(keeper, anew, now);
}

/* A gateway's device is known by its name, before it is up. */
static bool may_be_way_out(const struct keeper *keeper, const struct link *link)
{
	return follow_knows(&keeper->names, link->name) || resolve_is_way_out(&keeper->links, link);
}

void keeper_guard(struct keeper *keeper, const struct link *link)
{
	const struct link *known = link_by_index(&keeper->links, link->ifindex);
	struct context *context = keeper->context;

	if (!keeper->present || !strcmp(link->name, keeper->words->tunnel) || !may_be_way_out(keeper, link) ||
	    (known && !keeper->again && may_be_way_out(keeper, known)) ||
	    (!link_is_ethernet(link) && !link_is_l3(link)))
		return;
	/* what fails here fails again in the next step, which tells */
	newcomer_guard(context->pin_dir, keeper->words->tunnel, &keeper->programs, link, &context->error);
	context->error = (struct error){};
}

bool keeper_is_behind(struct keeper *keeper)
{
	return keeper->present && index_map_is_behind(keeper->context->pin_dir, keeper->words->tunnel, &keeper->seen);
}

/* --- the file --- */

int keeper_read_file(struct keeper *keeper)
{
	struct request request;
	int ret;

	if (!keeper->words->path)
		return 0;
	ret = conffile_read(keeper->words->path, keeper->words->tunnel, &request, &keeper->context->error);
	if (ret) {
		request_free(&request);
		return ret;
	}
	request_free(&keeper->request);
	keeper->request = request;
	keeper->pending = true;
	return 0;
}

void keeper_free(struct keeper *keeper)
{
	programs_close(&keeper->programs);
	request_free(&keeper->request);
	state_free(&keeper->base);
	free(keeper->names.all);
	free(keeper->links.all);
	free(keeper->ranges.all);
}

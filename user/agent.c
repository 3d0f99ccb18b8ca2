// SPDX-License-Identifier: GPL-2.0-only
/*
 * One loop around poll(): what comes in is noted, and when it has been quiet for a moment, or at once where packets
 * wait for it, the instance is made what follows from the host as it is then. Nothing is computed from events alone, so
 * one that is lost, or seen twice, does no harm.
 *
 * A configuration file is the truth at the beginning and at SIGHUP. In between commands may change the instance; the
 * agent follows the host, and what the file means on it where nobody has said otherwise since.
 */
#include "agent.h"

#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "agent_lock.h"
#include "config.h"
#include "follow.h"
#include "guard.h"
#include "journal.h"
#include "monitor.h"
#include "pins.h"
#include "report.h"
#include "running.h"
#include "util.h"

/* Milliseconds: changes come in bursts, and one reading serves all of a burst. */
#define QUIET 20
#define QUIET_MAX 100
#define RETRY 2000 /* after something has failed */

struct agent {
	struct context *context;
	const struct run_words *words;
	struct request request; /* of the file */
	bool pending;		/* the file is to be put into force */
	bool present;		/* there is an instance */
	bool ended;
	struct state base; /* what the file meant when it was looked at last */
	struct device_names names;
	struct links links;
	struct monitor *monitor;
	struct guard *guard;
	int lock, pokes, signals;
	bool dirty;
	uint64_t dirty_first, dirty_last, retry; /* retry: HEALTH_NEVER where nothing has failed */
	uint64_t watchdog, watchdog_due;	 /* 0: systemd watches nobody */
	size_t prefixes;
	char last_error[512];
	char status[256];
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void set_dirty(struct agent *agent, bool at_once)
{
	uint64_t now = now_ms();

	if (!agent->dirty)
		agent->dirty_first = now;
	agent->dirty = true;
	agent->dirty_last = now;
	if (at_once)
		agent->dirty_first = 0;
}

/* When the next reading is due. */
static uint64_t dirty_due(const struct agent *agent)
{
	uint64_t quiet = agent->dirty_last + QUIET, latest = agent->dirty_first + QUIET_MAX;

	return !agent->dirty ? HEALTH_NEVER : quiet < latest ? quiet : latest;
}

/* --- telling --- */

/* One line for a failure, not one for each try. */
static void tell_error(struct agent *agent)
{
	struct error *error = &agent->context->error;

	agent->retry = now_ms() + RETRY;
	if (strcmp(agent->last_error, error->text) != 0)
		journal(SD_ERR, "%s%s%s", error->text, error->hint[0] ? "; " : "", error->hint);
	snprintf(agent->last_error, sizeof(agent->last_error), "%s", error->text);
	*error = (struct error){};
}

static void tell_status(struct agent *agent)
{
	const struct link *tunnel = link_by_name(&agent->links, agent->words->tunnel);
	size_t dead, count = guard_count(agent->guard, &dead);
	char status[sizeof(agent->status)];

	if (agent->last_error[0])
		snprintf(status, sizeof(status), "%.200s", agent->last_error);
	else if (!agent->present)
		snprintf(status, sizeof(status), "no instance: waiting for 'wgvia up %s'%s", agent->words->tunnel,
			 agent->words->path ? " or SIGHUP" : "");
	else
		snprintf(status, sizeof(status), "%s, %zu prefixes, %zu gateways, %zu of them dead",
			 tunnel ? "the tunnel is there" : "waiting for the tunnel", agent->prefixes, count, dead);
	if (!strcmp(status, agent->status))
		return;
	strcpy(agent->status, status);
	sd_notifyf(0, "STATUS=%s", status);
}

/* --- the gateways --- */

struct choice {
	struct agent *agent;
	struct {
		struct wgvia_gateway to;
		struct gateway_entry first;
		size_t count;
	} moves[WGVIA_FAILOVER_HOPS];
	size_t move_count;
};

static enum health_state health_of(const void *data, const struct wgvia_hop *hop)
{
	return guard_health(((const struct choice *)data)->agent->guard, hop);
}

/* Prefixes by the thousand move together: one line for all that go the same way. */
static void moved(void *data, const struct gateway_entry *from, const struct wgvia_gateway *to)
{
	struct choice *choice = data;

	for (size_t i = 0; i < choice->move_count; i++)
		if (!memcmp(&choice->moves[i].to, to, sizeof(*to))) {
			choice->moves[i].count++;
			return;
		}
	if (choice->move_count == ARRAY_SIZE(choice->moves))
		return;
	choice->moves[choice->move_count].to = *to;
	choice->moves[choice->move_count].first = *from;
	choice->moves[choice->move_count++].count = 1;
}

static void tell_moves(const struct choice *choice)
{
	for (size_t i = 0; i < choice->move_count; i++) {
		const struct wgvia_gateway *to = &choice->moves[i].to;
		const char *name = follow_name(&choice->agent->names, to->ifindex);
		char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], more[32] = "";
		struct ip ip = gateway_ip(to);

		if (choice->moves[i].count > 1)
			snprintf(more, sizeof(more), " and %zu more", choice->moves[i].count - 1);
		prefix_text(&choice->moves[i].first.from, from);
		if (to->flags & WGVIA_GATEWAY_DOWN)
			journal(SD_ERR, "%s%s: no gateway is left, on-fail decides", from, more);
		else
			journal(SD_WARNING, "%s%s: via %s dev %s now", from, more, ip_text(&ip, via),
				name ? name : "?");
	}
}

static int choose(struct context *context, struct rtnl *rtnl, struct state *state, void *data)
{
	(void)context;
	(void)rtnl;
	return follow_health(state, health_of, moved, data) ? 0 : 1;
}

/* As fast as it goes: the devices are known, programs stand at all of them. */
static void move_prefixes(struct agent *agent)
{
	struct choice choice = {.agent = agent};
	int ret = running_rewrite(agent->context, agent->words->tunnel, choose, &choice);

	if (!ret) {
		tell_moves(&choice);
	} else if (ret == -ENOENT) { /* taken down in between */
		agent->context->error = (struct error){};
		set_dirty(agent, true);
	} else {
		tell_error(agent);
		set_dirty(agent, false);
	}
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

/* --- following the host --- */

/* The name of a device that had gone before this agent began, by where the gateway is on-link now. */
static void learn_by_route(struct agent *agent, struct rtnl *rtnl, const struct links *links, const struct state *state)
{
	struct hops hops = {};

	if (lists_hops(state, &hops))
		return;
	for (size_t i = 0; i < hops.count; i++) {
		struct wgvia_gateway value = hop_value(&hops.all[i], 0);
		struct ip ip = gateway_ip(&value);
		struct nexthop nexthop;
		const struct link *link;

		if (link_by_index(links, value.ifindex) || follow_name(&agent->names, value.ifindex) ||
		    ip_is_link_local(&ip) || rtnl_get_route_to(rtnl, &ip, 0, &nexthop) || nexthop.via.family)
			continue;
		link = link_by_index(links, nexthop.ifindex);
		if (link)
			follow_learn_name(&agent->names, value.ifindex, link->name);
	}
	free(hops.all);
}

struct following {
	struct choice choice;
	struct report report;
	struct hops hops;
	struct state base; /* what the file means now; empty: nothing, or as before */
	size_t prefixes;
	uint32_t tunnel_ifindex;
};

static void following_free(struct following *following)
{
	report_free(&following->report);
	free(following->hops.all);
	state_free(&following->base);
}

/* What the file means on this host now, where that has changed. What it cannot mean now changes nothing. */
static int follow_request(struct following *following, struct rtnl *rtnl, struct state *state)
{
	const struct agent *agent = following->choice.agent;
	cleanup(plan_free) struct plan fresh = {};
	struct error ignored = {};

	if (!agent->words->path || !agent->base.gateway_count ||
	    resolve_up_early(rtnl, &agent->request, &fresh, &ignored))
		return 0;
	following->base = fresh.state;
	fresh.state = (struct state){};
	return follow_file(state, &agent->base, &following->base);
}

static int follow(struct context *context, struct rtnl *rtnl, struct state *state, void *data)
{
	struct following *following = data;
	struct agent *agent = following->choice.agent;
	struct links links = {};
	int ret = rtnl_get_links(rtnl, &links);

	if (ret)
		return error_system(&context->error, -ret, "cannot list the devices");
	learn_by_route(agent, rtnl, &links, state);
	follow_devices(&agent->base, &agent->names, &links);
	follow_devices(state, &agent->names, &links);
	ret = follow_request(following, rtnl, state);
	ret = ret ? ret : follow_learn(&agent->names, &links, state);
	free(links.all);
	if (ret)
		return error_system(&context->error, -ret, "cannot follow the host");
	follow_health(state, health_of, moved, &following->choice);
	return 0;
}

static int review(struct context *context, const struct state *running, struct plan *plan, void *data)
{
	struct following *following = data;

	(void)context;
	report_plan(&following->report, running, plan);
	following->prefixes = plan->state.gateway_count;
	following->tunnel_ifindex = plan->state.tunnel_ifindex;
	if (lists_hops(&plan->state, &following->hops))
		return error_system(&context->error, ENOMEM, "cannot watch the gateways");
	return 0;
}

static void swap_states(struct state *a, struct state *b)
{
	struct state old = *a;

	*a = *b;
	*b = old;
}

/* Puts the file into force, as `apply` does. */
static void put_file(struct agent *agent)
{
	struct context *context = agent->context;
	cleanup(following_free) struct following following = {.choice.agent = agent};
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	cleanup(plan_free) struct plan plan = {};
	bool changed;
	int ret = rtnl_open(&rtnl);

	if (ret)
		error_system(&context->error, -ret, "cannot open rtnetlink");
	ret = ret ? ret : resolve_up_early(rtnl, &agent->request, &plan, &context->error);
	ret = ret ? ret : running_apply(context, &plan, review, &following, &changed);
	if (ret) {
		tell_error(agent);
		return;
	}
	report_write(&following.report);
	journal(SD_NOTICE, "'%s' is in force", agent->words->path);
	agent->pending = false;
	swap_states(&agent->base, &plan.state);
}

/* Makes the instance what follows from the host, and the watch what follows from the instance. */
static void follow_host(struct agent *agent)
{
	struct context *context = agent->context;
	cleanup(following_free) struct following following = {.choice.agent = agent};
	bool changed;
	int ret = running_follow(context, agent->words->tunnel, follow, review, &following, &changed);

	if (ret == -ENOENT && !pins_exist(context->pin_dir, agent->words->tunnel, PINS_CURRENT)) {
		context->error = (struct error){};
		if (agent->present)
			journal(SD_NOTICE, "the instance was taken down: waiting for 'wgvia up %s'%s",
				agent->words->tunnel, agent->words->path ? " or SIGHUP" : "");
		agent->present = false;
		guard_set(agent->guard, &following.hops, &agent->links, now_ms());
		return;
	}
	if (ret) {
		tell_error(agent);
		return;
	}
	report_write(&following.report);
	tell_moves(&following.choice);
	if (following.base.gateway_count)
		swap_states(&agent->base, &following.base);
	agent->present = true;
	agent->prefixes = following.prefixes;
	monitor_set_tunnel(agent->monitor, following.tunnel_ifindex);
	guard_set(agent->guard, &following.hops, &agent->links, now_ms());
}

static int read_links(struct agent *agent)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	struct links links;
	int ret = rtnl_open(&rtnl);

	ret = ret ? ret : rtnl_get_links(rtnl, &links);
	if (ret)
		return error_system(&agent->context->error, -ret, "cannot list the devices");
	free(agent->links.all);
	agent->links = links;
	return 0;
}

static void converge(struct agent *agent)
{
	agent->dirty = false;
	agent->retry = HEALTH_NEVER;
	if (read_links(agent)) {
		tell_error(agent);
		return;
	}
	for (size_t i = 0; i < agent->links.count; i++)
		guard_link(agent->guard, &agent->links.all[i], false, now_ms());
	if (agent->pending)
		put_file(agent);
	follow_host(agent);
	if (agent->retry == HEALTH_NEVER)
		agent->last_error[0] = '\0';
}

/* --- what comes in --- */

/* Statistics and the like come as news of a link that is as it was. */
static bool link_is_known(const struct agent *agent, const struct link *link)
{
	const struct link *known = link_by_index(&agent->links, link->ifindex);

	return known && !memcmp(known, link, sizeof(*link));
}

static void on_event(void *data, const struct monitor_event *event)
{
	struct agent *agent = data;
	bool gone = event->kind == MONITOR_LINK_GONE;

	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		guard_link(agent->guard, &event->link, gone, now_ms());
		if (gone || !link_is_known(agent, &event->link))
			set_dirty(agent, !strcmp(event->link.name, agent->words->tunnel));
		break;
	case MONITOR_ADDRESS:
	case MONITOR_ROUTE:
		set_dirty(agent, false);
		break;
	case MONITOR_NEIGHBOUR:
		guard_neighbour(agent->guard, event->link.ifindex, &event->ip, &event->neighbour, now_ms());
		break;
	case MONITOR_OVERRUN:
		journal(SD_WARNING, "messages of the kernel were lost: reading everything anew");
		set_dirty(agent, false);
		break;
	}
}

static void reload(struct agent *agent)
{
	struct error *error = &agent->context->error;
	struct request request;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	if (agent->words->path && config_read(agent->words->path, agent->words->tunnel, &request, error)) {
		journal(SD_ERR, "%s; the configuration stays as it was", error->text);
		*error = (struct error){};
		request_free(&request);
	} else if (agent->words->path) {
		request_free(&agent->request);
		agent->request = request;
		agent->pending = true;
	}
	converge(agent);
	sd_notify(0, "READY=1");
}

static void on_signal(struct agent *agent)
{
	struct signalfd_siginfo info;

	if (read(agent->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		reload(agent);
	else
		agent->ended = true;
}

static void on_poke(struct agent *agent)
{
	char buffer[4096];

	while (read(agent->pokes, buffer, sizeof(buffer)) > 0)
		;
	set_dirty(agent, false);
}

static int timeout(const struct agent *agent, uint64_t now)
{
	uint64_t next = dirty_due(agent), times[] = {guard_next(agent->guard), agent->retry,
						     agent->watchdog ? agent->watchdog_due : HEALTH_NEVER};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		next = times[i] < next ? times[i] : next;
	if (next == HEALTH_NEVER)
		return -1;
	return next <= now ? 0 : next - now > 60000 ? 60000 : (int)(next - now);
}

static void on_time(struct agent *agent)
{
	guard_tick(agent->guard, now_ms());
	if (guard_changed(agent->guard) && agent->present)
		move_prefixes(agent);
	if (now_ms() >= dirty_due(agent) || now_ms() >= agent->retry)
		converge(agent);
	if (guard_changed(agent->guard) && agent->present)
		move_prefixes(agent);
	tell_status(agent);
	if (agent->watchdog && now_ms() >= agent->watchdog_due) {
		sd_notify(0, "WATCHDOG=1");
		agent->watchdog_due = now_ms() + agent->watchdog;
	}
}

static int loop(struct agent *agent)
{
	struct pollfd fds[] = {
		{.fd = monitor_fd(agent->monitor)}, {.fd = agent->signals}, {.fd = agent->pokes}, {}, {}};
	int asked[SOLICIT_FDS], ret = 0;

	guard_fds(agent->guard, asked);
	fds[3].fd = asked[0];
	fds[4].fd = asked[1];
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i].events = POLLIN;
	while (!agent->ended && !ret) {
		if (poll(fds, ARRAY_SIZE(fds), timeout(agent, now_ms())) < 0 && errno != EINTR)
			return error_system(&agent->context->error, errno, "cannot wait for anything");
		if (fds[0].revents)
			ret = monitor_read(agent->monitor, on_event, agent);
		if (ret)
			return error_system(&agent->context->error, -ret, "cannot read from rtnetlink");
		if (fds[1].revents)
			on_signal(agent);
		if (fds[2].revents)
			on_poke(agent);
		guard_receive(agent->guard, now_ms());
		on_time(agent);
	}
	return 0;
}

/* --- beginning and end --- */

static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* WGVIA_RCVBUF, for tests: bytes of the socket that listens to rtnetlink. */
static unsigned int receive_buffer(void)
{
	const char *text = getenv("WGVIA_RCVBUF");

	return text ? (unsigned int)strtoul(text, NULL, 10) : 0;
}

static int begin(struct agent *agent)
{
	const struct run_words *words = agent->words;
	struct health_settings settings = {.interval = words->interval,
					   /* several tries within the interval, and room for a busy host to answer */
					   .retry = words->interval / 5 < 200 ? words->interval / 5 : 200,
					   .tries = words->tries,
					   .hold = words->hold};
	struct error *error = &agent->context->error;
	uint64_t watchdog;
	int ret;

	if (words->path) {
		ret = config_read(words->path, words->tunnel, &agent->request, error);
		if (ret)
			return ret;
		agent->pending = true;
	}
	agent->lock = agent_lock(agent->context->pin_dir, words->tunnel, error);
	if (agent->lock < 0)
		return agent->lock;
	agent->signals = open_signals();
	agent->pokes = agent_listen(agent->context->pin_dir, words->tunnel);
	if (agent->signals < 0 || agent->pokes < 0)
		return error_system(error, agent->signals < 0 ? -agent->signals : -agent->pokes, "cannot listen");
	/* before anything is read: what changes in between is not missed */
	ret = monitor_open(&agent->monitor, receive_buffer());
	if (ret)
		return error_system(error, -ret, "cannot listen to rtnetlink");
	ret = guard_open(&agent->guard, &settings);
	if (ret)
		return error_system(error, -ret, "cannot open the sockets to ask gateways with");
	if (sd_watchdog_enabled(0, &watchdog) > 0)
		agent->watchdog = watchdog / 2000;
	return 0;
}

static void end(struct agent *agent)
{
	cleanup_fd int pins = -1;
	struct error ignored = {};

	journal(SD_NOTICE, "stopped: forwarding goes on as it is");
	sd_notify(0, "STOPPING=1");
	running_rewrite(agent->context, agent->words->tunnel, unmark, NULL);
	pins = pins_lock(agent->context->pin_dir, &ignored);
	if (pins < 0)
		return;
	agent_lock_remove(agent->context->pin_dir, agent->words->tunnel);
	pins_tidy(agent->context->pin_dir);
}

static void agent_free(struct agent *agent)
{
	request_free(&agent->request);
	state_free(&agent->base);
	free(agent->names.all);
	free(agent->links.all);
	monitor_close(&agent->monitor);
	guard_close(&agent->guard);
	cleanup_close_fd(&agent->signals);
	cleanup_close_fd(&agent->pokes);
	cleanup_close_fd(&agent->lock);
}

int agent_run(struct context *context, const struct run_words *words)
{
	cleanup(agent_free) struct agent agent = {
		.context = context, .words = words, .lock = -1, .pokes = -1, .signals = -1, .retry = HEALTH_NEVER};
	int ret;

	journal_begin(words->tunnel);
	ret = begin(&agent);
	if (ret)
		return ret;
	converge(&agent);
	if (!agent.present && !words->path)
		journal(SD_NOTICE, "no instance: waiting for 'wgvia up %s'", words->tunnel);
	tell_status(&agent);
	sd_notify(0, "READY=1");
	ret = loop(&agent);
	if (!ret)
		end(&agent);
	context->error = ret ? context->error : (struct error){};
	return ret;
}

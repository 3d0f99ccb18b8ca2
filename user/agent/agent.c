// SPDX-License-Identifier: GPL-2.0-only
/*
 * One loop around poll(). It records what arrives. After a quiet moment, or at once if packets wait for it, it makes
 * the instance match the host as it is then. Nothing is computed from events alone, so a lost or repeated event does no
 * harm.
 *
 * A configuration file defines the instance at the start and at SIGHUP. In between, commands may change it. The agent
 * then follows the host, and the file's meaning on it except where somebody changed something since. After a command it
 * reads the file again, because that may have been applied.
 */
#include "agent/agent.h"

#include <linux/rtnetlink.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "agent/converge.h"
#include "agent/gateways.h"
#include "agent/log.h"
#include "agent/losses.h"
#include "agent/notify.h"
#include "agent/prober.h"
#include "base/permissions.h"
#include "base/util.h"
#include "datapath/index/index_map.h"
#include "datapath/pins.h"
#include "host/event_bus.h"
#include "host/monitor.h"
#include "session/agent_lock.h"
#include "session/gateway_report.h"

/* Milliseconds: changes come in bursts, and one reading serves a whole burst. */
#define QUIET 20
#define QUIET_MAX 100
#define RETRY 2000 /* after a failure */
/*
 * Interval for reading the peers, because nothing reports their changes; if a reading is slow, this many times its
 * duration.
 */
#define PEERS 1000
#define PEERS_SHARE 20
#define COUNTING 10000 /* interval for checking whether changes of maps are still counted, without an index */
#define INDEX 1000     /* interval for checking whether an index is outdated, because nothing reports it */

struct agent {
	struct keeper keeper;
	const struct run_words *words;
	struct monitor *monitor;
	struct gateways *gateways;
	struct prober *prober;
	struct losses losses;
	int lock, pokes, signals;
	bool ready, ended;
	bool dirty; /* something has changed */
	uint64_t dirty_first, dirty_last;
	uint64_t retry;			 /* time to retry what failed; HEALTH_NEVER: nothing failed */
	uint64_t index_due;		 /* HEALTH_NEVER: no index */
	uint64_t peers_due;		 /* HEALTH_NEVER: no prefix follows the peers */
	uint64_t renewal_due;		 /* of the report about the gateways */
	uint64_t watchdog, watchdog_due; /* 0: no watchdog */
	char status[ERROR_TEXT_MAX];
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

/* Without an index, only the counting of changes is checked, which takes the packet path's kept decisions. */
static uint64_t index_next(const struct agent *agent)
{
	return now_ms() + (agent->keeper.prefixes < INDEX_MIN ? COUNTING : INDEX);
}

static void converge(struct agent *agent)
{
	agent->dirty = false;
	keeper_converge(&agent->keeper, now_ms());
	if (agent->keeper.present)
		losses_keep(&agent->losses, agent->keeper.context->pin_dir, agent->words->tunnel);
	agent->retry = agent->keeper.again ? now_ms() + RETRY : HEALTH_NEVER;
	monitor_set_tunnel(agent->monitor, agent->keeper.tunnel_ifindex, &agent->keeper.ranges);
	if (!agent->keeper.present)
		agent->index_due = HEALTH_NEVER;
	else if (agent->index_due == HEALTH_NEVER)
		agent->index_due = index_next(agent);
	if (!agent->keeper.present || !agent->keeper.follows_peers)
		agent->peers_due = HEALTH_NEVER;
	else if (agent->peers_due == HEALTH_NEVER)
		agent->peers_due = now_ms() + PEERS;
}

static void look_after_index(struct agent *agent)
{
	agent->index_due = index_next(agent);
	if (keeper_is_behind(&agent->keeper))
		set_dirty(agent, true);
}

static void look_at_peers(struct agent *agent)
{
	uint64_t begin = now_ms(), took;

	if (keeper_peers_changed(&agent->keeper))
		set_dirty(agent, true);
	/* a server that does not answer uses up all its time */
	took = agent->keeper.peers_lost ? RETRY : (now_ms() - begin) * PEERS_SHARE;
	agent->peers_due = now_ms() + (took > PEERS ? took : PEERS);
}

static void move_prefixes(struct agent *agent)
{
	if (!agent->keeper.present)
		return;
	keeper_move(&agent->keeper);
	if (agent->keeper.again)
		set_dirty(agent, false);
}

static void tell_status(struct agent *agent)
{
	char status[sizeof(agent->status)];

	keeper_status(&agent->keeper, status, sizeof(status));
	if (!strcmp(status, agent->status))
		return;
	strcpy(agent->status, status);
	notify("STATUS=%s", status);
}

/* --- what comes in --- */

/* Statistics and the like arrive as events of an unchanged link. */
static bool link_is_known(const struct agent *agent, const struct netdev *netdev)
{
	const struct netdev *known = netdev_by_index(&agent->keeper.netdevs, netdev->ifindex);

	return known && netdev_equal(known, netdev);
}

/*
 * Events that packets wait for: the tunnel, and a re-created device, by which packets could bypass the firewall until
 * programs are attached to it.
 */
static bool link_is_urgent(const struct agent *agent, const struct netdev *netdev)
{
	return !strcmp(netdev->name, agent->words->tunnel) ||
	       (!netdev_by_index(&agent->keeper.netdevs, netdev->ifindex) &&
		reconcile_knows(&agent->keeper.names, netdev->name));
}

static void on_event(void *data, const struct monitor_event *event)
{
	struct agent *agent = data;
	bool gone = event->kind == MONITOR_LINK_GONE;

	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		if (gone)
			keeper_let_go(&agent->keeper, &event->netdev);
		else
			keeper_guard(&agent->keeper, &event->netdev);
		gateways_link(agent->gateways, &event->netdev, gone, now_ms());
		if (gone || !link_is_known(agent, &event->netdev))
			set_dirty(agent, link_is_urgent(agent, &event->netdev));
		break;
	case MONITOR_ADDRESS:
		gateways_address(agent->gateways, event->netdev.ifindex, now_ms());
		/* its clients may be sending from a prefix that is not known yet */
		set_dirty(agent, event->netdev.ifindex == agent->keeper.tunnel_ifindex);
		break;
	case MONITOR_ADDRESS_GONE:
	case MONITOR_ROUTE:
		set_dirty(agent, false);
		break;
	case MONITOR_NEIGHBOUR:
		gateways_neighbour(agent->gateways, event->netdev.ifindex, &event->ip, &event->neighbour, now_ms());
		prober_neighbour(agent->prober, event->netdev.ifindex, &event->ip, &event->neighbour, now_ms());
		break;
	case MONITOR_OVERRUN:
		log_line(EVENT_PROBLEM, JOURNAL_WARNING, "kernel messages were lost: reading everything again");
		set_dirty(agent, false);
		break;
	}
}

/* A unit that starts when this agent is ready, such as wg-quick, may rely on the content of the file. */
static void tell_ready(struct agent *agent)
{
	if (agent->ready || agent->keeper.pending)
		return;
	agent->ready = true;
	notify("READY=1");
}

static void on_announcement(void *data, uint32_t ifindex, const struct ip *ip)
{
	prober_announced(((struct agent *)data)->prober, ifindex, ip, now_ms());
}

static void reload(struct agent *agent)
{
	struct error *error = &agent->keeper.context->error;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (agent->ready)
		notify("RELOADING=1\nMONOTONIC_USEC=%llu",
		       (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	if (keeper_read_file(&agent->keeper)) {
		log_state(EVENT_RELOAD, JOURNAL_ERR, "failed", "%s; the configuration stays as it was", error->text);
		*error = (struct error){};
	}
	converge(agent);
	if (agent->ready)
		notify("READY=1");
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
	agent->keeper.poked = true;
	set_dirty(agent, false);
}

static int timeout(const struct agent *agent, uint64_t now)
{
	uint64_t next = dirty_due(agent), times[] = {gateways_next(agent->gateways),
						     prober_next(agent->prober),
						     agent->retry,
						     agent->index_due,
						     agent->peers_due,
						     agent->renewal_due,
						     agent->watchdog ? agent->watchdog_due : HEALTH_NEVER};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		next = times[i] < next ? times[i] : next;
	if (next == HEALTH_NEVER)
		return -1;
	return next <= now ? 0 : next - now > 60000 ? 60000 : (int)(next - now);
}

static void on_time(struct agent *agent)
{
	gateways_tick(agent->gateways, now_ms());
	prober_tick(agent->prober, now_ms());
	if (gateways_changed(agent->gateways))
		move_prefixes(agent);
	if (now_ms() >= agent->index_due)
		look_after_index(agent);
	if (now_ms() >= agent->peers_due)
		look_at_peers(agent);
	if (now_ms() >= dirty_due(agent) || now_ms() >= agent->retry)
		converge(agent);
	if (gateways_changed(agent->gateways))
		move_prefixes(agent);
	keeper_report(&agent->keeper);
	event_bus_flush();
	tell_status(agent);
	tell_ready(agent);
	if (now_ms() >= agent->renewal_due) {
		gateway_report_renew(agent->keeper.context->pin_dir, agent->words->tunnel);
		agent->renewal_due = now_ms() + GATEWAY_REPORT_RENEWAL * 1000ull;
	}
	if (agent->watchdog && now_ms() >= agent->watchdog_due) {
		notify("WATCHDOG=1");
		agent->watchdog_due = now_ms() + agent->watchdog;
	}
}

static int loop(struct agent *agent)
{
	struct pollfd fds[4 + GATEWAYS_FDS] = {
		{.fd = monitor_fd(agent->monitor)}, {.fd = agent->signals}, {.fd = agent->pokes}};
	int asked[GATEWAYS_FDS], ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i].events = POLLIN;
	while (!agent->ended && !ret) {
		fds[3].fd = prober_fd(agent->prober);
		gateways_fds(agent->gateways, asked);
		for (size_t i = 0; i < GATEWAYS_FDS; i++)
			fds[4 + i].fd = asked[i];
		if (poll(fds, ARRAY_SIZE(fds), timeout(agent, now_ms())) < 0 && errno != EINTR)
			return error_system(&agent->keeper.context->error, errno, "cannot wait for events");
		if (fds[0].revents)
			ret = monitor_read(agent->monitor, on_event, agent);
		if (ret)
			return error_system(&agent->keeper.context->error, -ret, "cannot read from rtnetlink");
		if (fds[1].revents)
			on_signal(agent);
		if (fds[2].revents)
			on_poke(agent);
		gateways_receive(agent->gateways, now_ms(), on_announcement, agent);
		on_time(agent);
	}
	return 0;
}

/* --- start and end --- */

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

/* WGVIA_RCVBUF, for tests: size in bytes of the rtnetlink socket's buffer. */
static unsigned int receive_buffer(void)
{
	const char *text = getenv("WGVIA_RCVBUF");

	return text ? (unsigned int)strtoul(text, NULL, 10) : 0;
}

static int agent_begin(struct agent *agent)
{
	const struct run_words *words = agent->words;
	struct health_settings settings = {.interval = words->interval,
					   /* several tries within the interval, and room for a busy host to answer */
					   .retry = words->interval / 5 < 200 ? words->interval / 5 : 200,
					   .tries = words->tries,
					   .hold = words->hold};
	struct error *error = &agent->keeper.context->error;
	int ret;

	ret = keeper_read_file(&agent->keeper);
	if (ret)
		return ret;
	agent->lock = agent_lock(agent->keeper.context->pin_dir, words->tunnel, error);
	if (agent->lock < 0)
		return agent->lock;
	gateway_report_clear(agent->keeper.context->pin_dir, words->tunnel);
	agent->signals = open_signals();
	agent->pokes = agent_listen(agent->keeper.context->pin_dir, words->tunnel);
	if (agent->signals < 0 || agent->pokes < 0)
		return error_system(error, agent->signals < 0 ? -agent->signals : -agent->pokes, "cannot listen");
	/* before anything is read, so that changes in between are not missed */
	ret = monitor_open(&agent->monitor, receive_buffer());
	if (ret)
		return error_system(error, -ret, "cannot listen to rtnetlink");
	ret = gateways_open(&agent->gateways, &settings);
	if (ret) {
		error_system(error, -ret, "cannot open the sockets for ARP and neighbour discovery");
		error_permissions(error, CAPABILITY(CAP_NET_RAW), -ret);
		return ret;
	}
	agent->keeper.gateways = agent->gateways;
	ret = prober_open(&agent->prober, agent->keeper.context->pin_dir, words->tunnel);
	if (ret)
		return error_system(error, -ret, "cannot watch the gateways");
	agent->keeper.prober = agent->prober;
	agent->watchdog = notify_watchdog() / 2;
	return 0;
}

static void agent_end(struct agent *agent)
{
	cleanup_fd int pins = -1;
	struct error ignored = {};

	notify("STOPPING=1");
	log_state(EVENT_AGENT, JOURNAL_NOTICE, "ended", "stopped: %s",
		  keeper_release(&agent->keeper) ? "dead gateways are used again, and on-fail no longer applies"
						 : "forwarding continues unchanged");
	event_bus_flush();
	pins = pins_lock(agent->keeper.context->pin_dir, &ignored);
	if (pins < 0)
		return;
	gateway_map_remove(agent->keeper.context->pin_dir, agent->words->tunnel);
	agent_lock_remove(agent->keeper.context->pin_dir, agent->words->tunnel, &ignored);
	pins_tidy(agent->keeper.context->pin_dir);
}

static void agent_free(struct agent *agent)
{
	keeper_free(&agent->keeper);
	monitor_close(&agent->monitor);
	gateways_close(&agent->gateways);
	prober_close(&agent->prober);
	cleanup_close_fd(&agent->signals);
	cleanup_close_fd(&agent->pokes);
	cleanup_close_fd(&agent->lock);
}

int agent_run(struct context *context, const struct run_words *words)
{
	cleanup(agent_free) struct agent agent = {
		.keeper = {.context = context, .words = words, .programs = PROGRAMS_NONE},
		.words = words,
		.lock = -1,
		.pokes = -1,
		.signals = -1,
		.retry = HEALTH_NEVER,
		.index_due = HEALTH_NEVER,
		.peers_due = HEALTH_NEVER};
	int ret;

	log_begin(words->tunnel);
	ret = agent_begin(&agent);
	if (ret)
		return ret;
	log_state(EVENT_AGENT, JOURNAL_INFO, "started", "the agent has started");
	converge(&agent);
	keeper_report(&agent.keeper);
	if (!agent.keeper.present && !words->path)
		log_state(EVENT_AGENT, JOURNAL_NOTICE, "waiting", "no instance: waiting for 'wgvia up %s'",
			  words->tunnel);
	event_bus_flush();
	tell_status(&agent);
	tell_ready(&agent);
	ret = loop(&agent);
	if (!ret)
		agent_end(&agent);
	event_bus_flush();
	return ret;
}

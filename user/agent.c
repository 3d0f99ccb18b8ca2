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
#include "guard.h"
#include "index_map.h"
#include "journal.h"
#include "keeper.h"
#include "monitor.h"
#include "pins.h"
#include "prober.h"
#include "util.h"

/* Milliseconds: changes come in bursts, and one reading serves all of a burst. */
#define QUIET 20
#define QUIET_MAX 100
#define RETRY 2000 /* after something has failed */
#define INDEX 1000 /* how often it is looked whether an index is behind: of that, nobody tells */

struct agent {
	struct keeper keeper;
	const struct run_words *words;
	struct monitor *monitor;
	struct guard *guard;
	struct prober *prober;
	int lock, pokes, signals;
	bool ready, ended;
	bool dirty; /* something has changed */
	uint64_t dirty_first, dirty_last;
	uint64_t retry;			 /* when what has failed is tried again; HEALTH_NEVER: nothing has */
	uint64_t index_due;		 /* HEALTH_NEVER: there is none */
	uint64_t watchdog, watchdog_due; /* 0: systemd watches nobody */
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

static void converge(struct agent *agent)
{
	agent->dirty = false;
	keeper_converge(&agent->keeper, now_ms());
	agent->retry = agent->keeper.again ? now_ms() + RETRY : HEALTH_NEVER;
	monitor_set_tunnel(agent->monitor, agent->keeper.tunnel_ifindex, &agent->keeper.ranges);
	if (!agent->keeper.present || agent->keeper.prefixes < INDEX_MIN)
		agent->index_due = HEALTH_NEVER;
	else if (agent->index_due == HEALTH_NEVER)
		agent->index_due = now_ms() + INDEX;
}

static void look_after_index(struct agent *agent)
{
	agent->index_due = now_ms() + INDEX;
	if (keeper_is_behind(&agent->keeper))
		set_dirty(agent, true);
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
	sd_notifyf(0, "STATUS=%s", status);
}

/* --- what comes in --- */

/* Statistics and the like come as news of a link that is as it was. */
static bool link_is_known(const struct agent *agent, const struct link *link)
{
	const struct link *known = link_by_index(&agent->keeper.links, link->ifindex);

	return known && link_equal(known, link);
}

/*
 * What packets wait for: the tunnel; and a device that was made anew, by which they could go past the firewall until
 * programs stand there.
 */
static bool link_is_urgent(const struct agent *agent, const struct link *link)
{
	return !strcmp(link->name, agent->words->tunnel) ||
	       (!link_by_index(&agent->keeper.links, link->ifindex) && follow_knows(&agent->keeper.names, link->name));
}

static void on_event(void *data, const struct monitor_event *event)
{
	struct agent *agent = data;
	bool gone = event->kind == MONITOR_LINK_GONE;

	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		if (!gone)
			keeper_guard(&agent->keeper, &event->link);
		guard_link(agent->guard, &event->link, gone, now_ms());
		if (gone || !link_is_known(agent, &event->link))
			set_dirty(agent, link_is_urgent(agent, &event->link));
		break;
	case MONITOR_ADDRESS:
		guard_address(agent->guard, event->link.ifindex, now_ms());
		set_dirty(agent, false);
		break;
	case MONITOR_ADDRESS_GONE:
	case MONITOR_ROUTE:
		set_dirty(agent, false);
		break;
	case MONITOR_NEIGHBOUR:
		guard_neighbour(agent->guard, event->link.ifindex, &event->ip, &event->neighbour, now_ms());
		prober_neighbour(agent->prober, event->link.ifindex, &event->ip, &event->neighbour, now_ms());
		break;
	case MONITOR_OVERRUN:
		journal(SD_WARNING, "messages of the kernel were lost: reading everything anew");
		set_dirty(agent, false);
		break;
	}
}

/* What starts when this agent is ready, wg-quick say, may rely on what the file says. */
static void tell_ready(struct agent *agent)
{
	if (agent->ready || agent->keeper.pending)
		return;
	agent->ready = true;
	sd_notify(0, "READY=1");
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
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
			   (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
	if (keeper_read_file(&agent->keeper)) {
		journal(SD_ERR, "%s; the configuration stays as it was", error->text);
		*error = (struct error){};
	}
	converge(agent);
	if (agent->ready)
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
	uint64_t next = dirty_due(agent),
		 times[] = {guard_next(agent->guard), prober_next(agent->prober), agent->retry, agent->index_due,
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
	prober_tick(agent->prober, now_ms());
	if (guard_changed(agent->guard))
		move_prefixes(agent);
	if (now_ms() >= agent->index_due)
		look_after_index(agent);
	if (now_ms() >= dirty_due(agent) || now_ms() >= agent->retry)
		converge(agent);
	if (guard_changed(agent->guard))
		move_prefixes(agent);
	tell_status(agent);
	tell_ready(agent);
	if (agent->watchdog && now_ms() >= agent->watchdog_due) {
		sd_notify(0, "WATCHDOG=1");
		agent->watchdog_due = now_ms() + agent->watchdog;
	}
}

static int loop(struct agent *agent)
{
	struct pollfd fds[] = {
		{.fd = monitor_fd(agent->monitor)}, {.fd = agent->signals}, {.fd = agent->pokes}, {}, {}, {}};
	int asked[SOLICIT_FDS], ret = 0;

	guard_fds(agent->guard, asked);
	fds[3].fd = asked[0];
	fds[4].fd = asked[1];
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i].events = POLLIN;
	while (!agent->ended && !ret) {
		fds[5].fd = prober_fd(agent->prober);
		if (poll(fds, ARRAY_SIZE(fds), timeout(agent, now_ms())) < 0 && errno != EINTR)
			return error_system(&agent->keeper.context->error, errno, "cannot wait for anything");
		if (fds[0].revents)
			ret = monitor_read(agent->monitor, on_event, agent);
		if (ret)
			return error_system(&agent->keeper.context->error, -ret, "cannot read from rtnetlink");
		if (fds[1].revents)
			on_signal(agent);
		if (fds[2].revents)
			on_poke(agent);
		guard_receive(agent->guard, now_ms(), on_announcement, agent);
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
	struct error *error = &agent->keeper.context->error;
	uint64_t watchdog;
	int ret;

	ret = keeper_read_file(&agent->keeper);
	if (ret)
		return ret;
	agent->lock = agent_lock(agent->keeper.context->pin_dir, words->tunnel, error);
	if (agent->lock < 0)
		return agent->lock;
	agent->signals = open_signals();
	agent->pokes = agent_listen(agent->keeper.context->pin_dir, words->tunnel);
	if (agent->signals < 0 || agent->pokes < 0)
		return error_system(error, agent->signals < 0 ? -agent->signals : -agent->pokes, "cannot listen");
	/* before anything is read: what changes in between is not missed */
	ret = monitor_open(&agent->monitor, receive_buffer());
	if (ret)
		return error_system(error, -ret, "cannot listen to rtnetlink");
	ret = guard_open(&agent->guard, &settings);
	if (ret)
		return error_system(error, -ret, "cannot open the sockets to ask gateways with");
	agent->keeper.guard = agent->guard;
	ret = prober_open(&agent->prober, agent->keeper.context->pin_dir, words->tunnel);
	if (ret)
		return error_system(error, -ret, "cannot watch the gateways");
	agent->keeper.prober = agent->prober;
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
	keeper_release(&agent->keeper);
	pins = pins_lock(agent->keeper.context->pin_dir, &ignored);
	if (pins < 0)
		return;
	agent_lock_remove(agent->keeper.context->pin_dir, agent->words->tunnel);
	pins_tidy(agent->keeper.context->pin_dir);
}

static void agent_free(struct agent *agent)
{
	keeper_free(&agent->keeper);
	monitor_close(&agent->monitor);
	guard_close(&agent->guard);
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
		.index_due = HEALTH_NEVER};
	int ret;

	journal_begin(words->tunnel);
	ret = begin(&agent);
	if (ret)
		return ret;
	converge(&agent);
	if (!agent.keeper.present && !words->path)
		journal(SD_NOTICE, "no instance: waiting for 'wgvia up %s'", words->tunnel);
	tell_status(&agent);
	tell_ready(&agent);
	ret = loop(&agent);
	if (!ret)
		end(&agent);
	return ret;
}

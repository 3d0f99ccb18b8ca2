// SPDX-License-Identifier: GPL-2.0-only
/*
 * One probe at a time, of all gateways that are due.
 */
#include "agent/prober.h"

#include <string.h>

#include "agent/health.h"
#include "agent/log.h"
#include "base/util.h"
#include "config/failover.h"
#include "session/session.h"

/*
 * After a change, the old master of a pair may still send and answer for a moment. So the probe is repeated this many
 * times, after 25 ms, 50, 100 and so on.
 */
#define AGAIN_MS 25
#define AGAIN_MAX 6

/* Data about a target, in addition to the results of the last probe. */
struct course {
	uint64_t due, began; /* HEALTH_NEVER: only after an event; 0: not yet */
	unsigned int again;  /* number of repetitions so far */
	bool running, another;
	char told[SENDER_TEXT_MAX]; /* the latest message, if `another` */
};

struct prober {
	const char *pin_dir, *tunnel;
	struct sender_targets targets;
	struct course *courses; /* the same number */
	struct sender_probe *probe;
};

int prober_open(struct prober **prober, const char *pin_dir, const char *tunnel)
{
	struct prober *opened = calloc(1, sizeof(*opened));

	if (!opened)
		return -ENOMEM;
	opened->pin_dir = pin_dir;
	opened->tunnel = tunnel;
	*prober = opened;
	return 0;
}

void prober_close(struct prober **prober)
{
	if (!*prober)
		return;
	sender_probe_close(&(*prober)->probe);
	free((*prober)->targets.all);
	free((*prober)->courses);
	free(*prober);
	*prober = NULL;
}

/* --- targets and times --- */

static void set_due(struct course *course, uint64_t now)
{
	uint64_t earliest = course->began ? course->began + PROBER_PAUSE : 0;

	course->due = now > earliest ? now : earliest;
}

/* The gateway may have changed places with another host. */
static void set_changed(struct course *course, uint64_t now)
{
	set_due(course, now);
	course->again = AGAIN_MAX;
}

static bool is_same(const struct sender_target *a, const struct sender_target *b)
{
	return hop_equal(&a->hop, &b->hop) && ip_equal(&a->from, &b->from) && ip_equal(&a->to, &b->to);
}

static bool are_same(const struct sender_targets *a, const struct sender_targets *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (!is_same(&a->all[i], &b->all[i]))
			return false;
	return a->count == b->count;
}

/* Removes results for former gateways of the instance from the map. */
static void forget_others(const struct prober *prober, const struct sender_targets *targets)
{
	bool changed;

	/* these have no results yet */
	session_write_senders(prober->pin_dir, prober->tunnel, targets, false, &changed);
}

/* Keeps the results for a gateway that was there before, with the same addresses to probe with. */
static void keep_sender(const struct prober *prober, struct sender_target *target, struct course *course, uint64_t now)
{
	*course = (struct course){.due = now};
	for (size_t i = 0; i < prober->targets.count; i++)
		if (is_same(&prober->targets.all[i], target)) {
			*target = prober->targets.all[i];
			*course = prober->courses[i];
			if (course->running)
				course->due = now;
			course->running = false;
		}
}

void prober_set(struct prober *prober, struct sender_targets *targets, bool again, uint64_t now)
{
	struct course *courses;

	if (are_same(&prober->targets, targets)) {
		for (size_t i = 0; i < prober->targets.count && again; i++)
			set_due(&prober->courses[i], now);
		return;
	}
	courses = calloc(targets->count + 1, sizeof(*courses));
	if (!courses)
		return;
	forget_others(prober, targets);
	sender_probe_close(&prober->probe);
	for (size_t i = 0; i < targets->count; i++) {
		keep_sender(prober, &targets->all[i], &courses[i], now);
		if (again)
			set_due(&courses[i], now);
	}
	free(prober->targets.all);
	free(prober->courses);
	prober->targets = *targets;
	prober->courses = courses;
	*targets = (struct sender_targets){};
}

/* The index of that gateway, or targets.count. */
static size_t find_target(const struct prober *prober, uint32_t ifindex, const struct ip *ip)
{
	for (size_t i = 0; i < prober->targets.count; i++) {
		struct wgvia_gateway value = hop_value(&prober->targets.all[i].hop, 0);
		struct ip via = gateway_ip(&value);

		if (value.ifindex == ifindex && ip_equal(&via, ip))
			return i;
	}
	return prober->targets.count;
}

void prober_neighbour(struct prober *prober, uint32_t ifindex, const struct ip *ip, const struct neighbour *neighbour,
		      uint64_t now)
{
	size_t i = find_target(prober, ifindex, ip);
	const struct sender_target *target = &prober->targets.all[i];

	if (i == prober->targets.count || !neighbour->has_lladdr ||
	    (target->has_mac && !memcmp(target->mac, neighbour->lladdr, sizeof(target->mac))))
		return;
	if (target->has_mac)
		set_changed(&prober->courses[i], now);
	else
		set_due(&prober->courses[i], now);
}

void prober_announced(struct prober *prober, uint32_t ifindex, const struct ip *ip, uint64_t now)
{
	size_t i = find_target(prober, ifindex, ip);

	if (i < prober->targets.count)
		set_changed(&prober->courses[i], now);
}

/* --- probing --- */

static void begin_round(struct prober *prober, uint64_t now)
{
	struct sender_target *due[SENDER_TARGETS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < prober->targets.count; i++) {
		struct course *course = &prober->courses[i];

		if (course->due > now)
			continue;
		course->due = HEALTH_NEVER;
		course->began = now;
		course->running = true;
		due[count++] = &prober->targets.all[i];
	}
	if (!count || !sender_probe_open(&prober->probe, due, count, now))
		return;
	for (size_t i = 0; i < prober->targets.count; i++) /* the system does not allow it now */
		if (prober->courses[i].running) {
			prober->courses[i].running = false;
			prober->courses[i].due = now + PROBER_INTERVAL;
		}
}

static void log_sender(const struct sender_target *target, struct course *course)
{
	bool another = sender_is_another(target);
	char text[SENDER_TEXT_MAX];

	if (another && strcmp(course->told, sender_text(target, text)) != 0)
		log_state(EVENT_GATEWAY, JOURNAL_NOTICE, "sender", "%s", strcpy(course->told, text));
	if (!another && course->another)
		log_state(EVENT_GATEWAY, JOURNAL_NOTICE, "sender",
			  "gateway %s sends from the MAC address that it answers with", target->name);
	if (!another)
		course->told[0] = '\0';
	course->another = another;
}

static void finish_round(struct prober *prober, uint64_t now)
{
	struct sender_targets found = {};
	struct sender_target *copy;
	bool changed;

	sender_probe_close(&prober->probe);
	for (size_t i = 0; i < prober->targets.count; i++) {
		struct course *course = &prober->courses[i];

		if (!course->running)
			continue;
		course->running = false;
		copy = array_grow(&found.all, &found.count, sizeof(*copy));
		if (copy)
			*copy = prober->targets.all[i];
		if (sender_is_settled(&prober->targets.all[i]) || sender_is_another(&prober->targets.all[i]))
			log_sender(&prober->targets.all[i], course);
		if (course->due != HEALTH_NEVER) /* an event has happened since */
			continue;
		if (course->again)
			course->due = now + (AGAIN_MS << (AGAIN_MAX - course->again--));
		else
			course->due = now + (course->another ? PROBER_INTERVAL : PROBER_LEISURE);
	}
	/* a result that cannot be written now is found again */
	session_write_senders(prober->pin_dir, prober->tunnel, &found, true, &changed);
	free(found.all);
}

int prober_fd(const struct prober *prober)
{
	return prober->probe ? sender_probe_fd(prober->probe) : -1;
}

void prober_tick(struct prober *prober, uint64_t now)
{
	if (!prober->probe)
		begin_round(prober, now);
	if (prober->probe && sender_probe_step(prober->probe, now))
		finish_round(prober, now);
}

uint64_t prober_next(const struct prober *prober)
{
	uint64_t next = HEALTH_NEVER;

	if (prober->probe)
		return sender_probe_next(prober->probe);
	for (size_t i = 0; i < prober->targets.count; i++)
		next = prober->courses[i].due < next ? prober->courses[i].due : next;
	return next;
}

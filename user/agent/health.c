// SPDX-License-Identifier: GPL-2.0-only
/*
 * Probes are sent at an interval while they are answered, in quick succession after one that is not, and at the
 * interval again once the gateway is dead.
 */
#include "agent/health.h"

void health_begin(struct health *health, bool link, uint64_t now)
{
	*health = (struct health){.state = link ? HEALTH_UNKNOWN : HEALTH_DEAD, .link = link, .due = now};
}

void health_link(struct health *health, bool link, uint64_t now)
{
	if (link == health->link)
		return;
	health->link = link;
	health->sent = 0;
	health->due = now;
	if (!link)
		health->state = HEALTH_DEAD;
}

void health_answered(struct health *health, const struct health_settings *settings, uint64_t now)
{
	if (!health->link)
		return;
	health->sent = 0;
	health->due = now + settings->interval;
	if (health->state == HEALTH_DEAD || health->state == HEALTH_UNKNOWN) {
		health->state = settings->hold ? HEALTH_HELD : HEALTH_GOOD;
		health->well_since = now;
	}
}

void health_failed(struct health *health, const struct health_settings *settings, uint64_t now)
{
	if (health->state == HEALTH_DEAD || health->sent >= settings->tries)
		return;
	health->sent = settings->tries - 1;
	health->due = now;
}

void health_ask(struct health *health, uint64_t now)
{
	if (health->due > now)
		health->due = now;
}

void health_ask_again(struct health *health, uint64_t now)
{
	if (health->state != HEALTH_DEAD && health->state != HEALTH_UNKNOWN)
		return;
	health->sent = 0;
	health->due = now;
}

bool health_is_due(const struct health *health, uint64_t now)
{
	return health->link && now >= health->due;
}

bool health_tick(struct health *health, const struct health_settings *settings, uint64_t now)
{
	if (!health->link)
		return false;
	if (health->state == HEALTH_HELD && now >= health->well_since + settings->hold)
		health->state = HEALTH_GOOD;
	if (!health_is_due(health, now))
		return false;
	if (health->sent >= settings->tries) {
		health->state = HEALTH_DEAD;
		health->due = now + settings->interval;
	} else {
		health->sent++;
		health->due = now + settings->retry;
	}
	return true;
}

uint64_t health_next(const struct health *health, const struct health_settings *settings)
{
	uint64_t held = health->well_since + settings->hold;

	if (!health->link)
		return HEALTH_NEVER;
	return health->state == HEALTH_HELD && held < health->due ? held : health->due;
}

static int first_of(const enum health_state *states, int count, enum health_state state)
{
	for (int i = 0; i < count; i++)
		if (states[i] == state)
			return i;
	return HEALTH_NONE;
}

int health_choose(const enum health_state *states, int count, int current)
{
	int good = first_of(states, count, HEALTH_GOOD), held = first_of(states, count, HEALTH_HELD);
	bool works = current >= 0 && states[current] != HEALTH_DEAD;

	if (works && good >= 0 && good < current)
		return good;
	if (works)
		return states[current] == HEALTH_UNKNOWN ? HEALTH_KEEP : current;
	if (good >= 0)
		return good;
	return held >= 0 ? held : first_of(states, count, HEALTH_UNKNOWN);
}

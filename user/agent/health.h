/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The health of a gateway, as a state machine over observations and their times; and the choice among a list's
 * gateways. Pure: time is an input, in milliseconds of any clock that does not jump, and nothing is sent here.
 */
#ifndef WGVIA_HEALTH_H
#define WGVIA_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_NEVER UINT64_MAX

struct health_settings {
	uint64_t interval;  /* from an answered probe to the next one */
	uint64_t retry;	    /* from an unanswered probe to the next one */
	unsigned int tries; /* consecutive unanswered probes that make a gateway dead */
	uint64_t hold;	    /* how long a gateway must be alive again until it is preferred */
};

enum health_state {
	HEALTH_UNKNOWN, /* no observation yet */
	HEALTH_DEAD,
	HEALTH_HELD, /* it answers, but not yet for long enough */
	HEALTH_GOOD,
};

struct health {
	enum health_state state;
	bool link;	   /* its device exists, is up, and has a carrier */
	unsigned int sent; /* probes since the last answer */
	uint64_t due;	   /* time of the next probe */
	uint64_t well_since;
};

/* Unknown state; the first probe is due at once. */
void health_begin(struct health *health, bool link, uint64_t now);
/* The state of the link. Without a link, a gateway is dead; with one, the next probe decides. */
void health_link(struct health *health, bool link, uint64_t now);
void health_answered(struct health *health, const struct health_settings *settings, uint64_t now);
/*
 * The kernel's neighbour entry is FAILED: its requests got no answer. This leaves one probe before the gateway is dead,
 * because the kernel may have asked for an outdated MAC address.
 */
void health_failed(struct health *health, const struct health_settings *settings, uint64_t now);
/* There is a sign that the gateway is back: the next probe is due at once. */
void health_ask(struct health *health, uint64_t now);
/* Earlier requests could not have been answered: a gateway that is not known to work is asked again, at once. */
void health_ask_again(struct health *health, uint64_t now);
/* The effect of time alone. True: send a probe now. */
bool health_tick(struct health *health, const struct health_settings *settings, uint64_t now);
/* Whether health_tick() has a probe to send, or to count as unanswered. */
bool health_is_due(const struct health *health, uint64_t now);
/* When to call health_tick() next; HEALTH_NEVER: not before an observation. */
uint64_t health_next(const struct health *health, const struct health_settings *settings);

#define HEALTH_KEEP (-1) /* no change: the state of the one in use is unknown */
#define HEALTH_NONE (-2) /* no gateway is left */
/*
 * Which of `count` gateways, in order of preference, to use: an index, HEALTH_KEEP or HEALTH_NONE. `current` is the one
 * in use, -1 if it is none of them. A working one is left only for a better one that is alive, not for one that is
 * held. If none is alive, one that is held is used.
 */
int health_choose(const enum health_state *states, int count, int current);

#endif

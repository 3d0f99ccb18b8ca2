/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a gateway is well, as a state machine over what was seen of it and when; and which of a list's gateways is to
 * be used. Pure: time is an input, in milliseconds of any clock that does not jump, and nothing is sent here.
 */
#ifndef WGVIA_HEALTH_H
#define WGVIA_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_NEVER UINT64_MAX

struct health_settings {
	uint64_t interval;  /* between a probe that was answered and the next one */
	uint64_t retry;	    /* between one that was not and the next one */
	unsigned int tries; /* probes unanswered, one after the other, that make a gateway dead */
	uint64_t hold;	    /* for which one that was dead has to be well until it is preferred again */
};

enum health_state {
	HEALTH_UNKNOWN, /* nothing seen yet */
	HEALTH_DEAD,
	HEALTH_HELD, /* it answers, and has not for long enough */
	HEALTH_GOOD,
};

struct health {
	enum health_state state;
	bool link;	   /* its device is there, up, and has a carrier */
	unsigned int sent; /* probes since the last answer */
	uint64_t due;	   /* when the next probe is */
	uint64_t well_since;
};

/* Nothing is known; the first probe is due at once. */
void health_begin(struct health *health, bool link, uint64_t now);
/* What was seen. Without a link a gateway is dead; with one, the next probe tells. */
void health_link(struct health *health, bool link, uint64_t now);
void health_answered(struct health *health, const struct health_settings *settings, uint64_t now);
/*
 * The kernel's neighbour entry is FAILED: it has asked and got no answer. That is one probe away from dead, since an
 * answer to the kernel's own requests may have been lost by what it was that it asked (an old MAC address).
 */
void health_failed(struct health *health, const struct health_settings *settings, uint64_t now);
/* Something speaks for the gateway having come back: the next probe is due at once. */
void health_ask(struct health *health, uint64_t now);
/* What was asked for until now could not have been answered: one that is not known to work is asked anew, at once. */
void health_ask_anew(struct health *health, uint64_t now);
/* What follows from the time alone. True: a probe is to be sent now. */
bool health_tick(struct health *health, const struct health_settings *settings, uint64_t now);
/* Whether health_tick() has a probe to send, or to count as unanswered. */
bool health_is_due(const struct health *health, uint64_t now);
/* When health_tick() has to be called next; HEALTH_NEVER: not before something is seen. */
uint64_t health_next(const struct health *health, const struct health_settings *settings);

#define HEALTH_KEEP (-1) /* leave all as it is: nothing is known of the one that is used */
#define HEALTH_NONE (-2) /* none is left */
/*
 * Which of `count` gateways, in order of preference, is to be used: an index, HEALTH_KEEP or HEALTH_NONE. `current` is
 * the one in use, -1 where it is none of them. One that works is left for a better one that is good, not for one that
 * is held; with none that is good, one that is held will do.
 */
int health_choose(const enum health_state *states, int count, int current);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `check` finds: each with its severity, the evidence, and the command that mends it. The rooms that look
 * (check_*.c) add findings; cmd_check.c prints them.
 */
#ifndef WGVIA_FINDING_H
#define WGVIA_FINDING_H

#include <stddef.h>

#include "dataplane.h"
#include "resolve.h"
#include "rtnl.h"
#include "state.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_COUNT };

struct finding {
	enum severity severity;
	const char *name;   /* a word for scripts: "neighbour", "rp_filter" ... */
	char evidence[400]; /* what was seen, and what follows */
	char remedy[200];   /* a command; may be empty */
};

/* Everything that a check may look at, gathered once. */
struct examined {
	struct rtnl *rtnl;
	const char *tunnel;
	struct plan plan;	  /* what an `up` with the running words, or with none, would make */
	struct instance instance; /* maps are -1 where there is none */
	struct state running;	  /* as read from the maps */
	bool is_running;
	struct finding *findings;
	size_t count;
};

void finding_add(struct examined *examined, enum severity severity, const char *name, const char *remedy,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The kernel, devices, neighbours, sysctls. */
void check_host(struct examined *examined);
/* Attachments, other people's programs, map values, the bypass list. */
void check_instance(struct examined *examined);
/* Policy rules and routes that say something else about the same packets. */
void check_routes(struct examined *examined);
/* This host's netfilter rules. */
void check_netfilter(struct examined *examined);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What `check` finds: each with its severity, the evidence, and the command that mends it. The rooms that look
 * (check_*.c) add findings; cmd_check.c prints them.
 */
#ifndef WGVIA_FINDING_H
#define WGVIA_FINDING_H

#include <stddef.h>

#include "instance.h"
#include "resolve.h"
#include "netdev.h"
#include "state.h"

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_COUNT };

#define FINDING_EVIDENCE 600
#define FINDING_REMEDY 400

struct finding {
	enum severity severity;
	const char *name;		 /* a word for scripts: "neighbour", "rp_filter" ... */
	char evidence[FINDING_EVIDENCE]; /* what was seen, and what follows */
	char remedy[FINDING_REMEDY];	 /* a command; may be empty */
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

/* The `up` that puts the instance as it is, or as it would be, in place anew; in words where that is too long. */
void finding_up_words(const struct examined *examined, enum wgvia_mode mode, char remedy[FINDING_REMEDY]);
/* Whether a gateway stands at the device. */
bool examined_has_device(const struct examined *examined, uint32_t ifindex);
bool examined_has_family(const struct examined *examined, uint8_t family);
/* Whether the kernel forwards what comes out of the tunnel. */
bool examined_forwards(const struct examined *examined, uint8_t family);

/* The kernel, devices, neighbours, sysctls. */
void check_host(struct examined *examined);
/* Attachments, other people's programs, map values, the bypass list. */
void check_instance(struct examined *examined);
/* Hosts of the LAN that answer by this host instead of by the firewall. */
void check_return(struct examined *examined);
/* Policy rules and routes that say something else about the same packets. */
void check_routes(struct examined *examined);
/* This host's netfilter rules. */
void check_netfilter(struct examined *examined);
/* The firewalls, by packets that are sent to them. */
void check_probe(struct examined *examined);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeping one instance true, a step at a time: what a file says is put into force, what follows from the host as it is
 * now is written, prefixes go to gateways that are well. When a step is due is agent.c's.
 */
#ifndef WGVIA_KEEPER_H
#define WGVIA_KEEPER_H

#include "changes.h"
#include "context.h"
#include "follow.h"
#include "guard.h"
#include "parse.h"
#include "prober.h"
#include "programs.h"
#include "rtnl.h"
#include "state.h"

enum keeper_step { KEEPER_FILE, KEEPER_HOST, KEEPER_MOVE, KEEPER_STEPS };

struct keeper {
	struct context *context;
	const struct run_words *words;
	struct guard *guard;
	struct prober *prober;
	struct request request; /* of the file */
	bool pending;		/* the file is to be put into force */
	bool present;		/* there is an instance */
	bool again;		/* a step has failed, and is to be tried again */
	struct state base;	/* what the file meant when it was looked at last */
	struct links links;	/* at the last step */
	struct device_names names;
	size_t prefixes;
	struct programs programs;		   /* of the instance, for devices that come */
	struct changes seen;			   /* of the prefix maps */
	uint32_t tunnel_ifindex;		   /* 0: it is not there */
	struct prefixes ranges;			   /* that lead into it */
	char errors[KEEPER_STEPS][ERROR_TEXT_MAX]; /* said already; empty: none */
};

void keeper_free(struct keeper *keeper); /* for cleanup(), too */

/* Reads the file, where there is one. On failure the old one stays. 0 or negative with context->error set. */
int keeper_read_file(struct keeper *keeper);
/* Makes the instance what the file says, where that is pending, and what follows from the host. `now` as in health.h.
 */
void keeper_converge(struct keeper *keeper, uint64_t now);
/*
 * Has the egress program stand at a device that has come, or come up, since the last step, if packets might leave by
 * it; converging does the rest.
 */
void keeper_guard(struct keeper *keeper, const struct link *link);
/* Moves prefixes to the gateways that are well, as fast as it goes. */
void keeper_move(struct keeper *keeper);
/* Takes marks away that nobody would take away any more. */
void keeper_release(struct keeper *keeper);
/* Whether somebody else has changed so many prefixes' map, and is done with it: converging makes it fast again. */
bool keeper_is_behind(struct keeper *keeper);
/* One line about how things are. */
void keeper_status(const struct keeper *keeper, char *text, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeping one instance true, a step at a time: what a file says is put into force, what follows from the host as it is
 * now is written, prefixes go to gateways that are well. When a step is due is agent.c's.
 */
#ifndef WGVIA_CONVERGE_H
#define WGVIA_CONVERGE_H

#include "agent/gateways.h"
#include "agent/prober.h"
#include "agent/reconcile.h"
#include "base/context.h"
#include "config/parse.h"
#include "config/state.h"
#include "datapath/index/change_count.h"
#include "datapath/programs.h"
#include "host/rtnl.h"

enum keeper_step { KEEPER_FILE, KEEPER_HOST, KEEPER_MOVE, KEEPER_REPORT, KEEPER_SOURCES, KEEPER_STEPS };

struct keeper {
	struct context *context;
	const struct run_words *words;
	struct gateways *gateways;
	struct prober *prober;
	struct request request; /* of the file */
	bool pending;		/* the file is to be put into force */
	bool present;		/* there is an instance */
	bool again;		/* a step has failed, and is to be tried again */
	struct state base;	/* what the file meant when it was looked at last */
	struct netdevs netdevs; /* at the last step */
	struct device_names names;
	size_t prefixes;
	struct programs programs;		   /* of the instance, for devices that come */
	struct change_counts seen;		   /* of the prefix maps */
	uint32_t tunnel_ifindex;		   /* 0: it is not there */
	struct prefixes ranges;			   /* that lead into it */
	bool follows_peers;			   /* "from allowed-ips" */
	struct wireguard wireguard;		   /* at the last look at it */
	bool peers_lost;			   /* it failed */
	char errors[KEEPER_STEPS][ERROR_TEXT_MAX]; /* said already; empty: none */
};

void keeper_free(struct keeper *keeper); /* for cleanup(), too */

/* Reads the file, where there is one. On failure the old one stays. 0 or negative with context->error set. */
int keeper_read_file(struct keeper *keeper);
/* Makes the instance what the file says, where that is pending, and what follows from the host. `now` as in health.h.
 */
void keeper_converge(struct keeper *keeper, uint64_t now);
/*
 * Attaches the egress program to a device that has come, or come up, since the last step, if packets might leave by
 * it; converging does the rest.
 */
void keeper_guard(struct keeper *keeper, const struct netdev *netdev);
/* Detaches the programs at once that have moved with the device to another network namespace. */
void keeper_let_go(struct keeper *keeper, const struct netdev *netdev);
/* Moves prefixes to the gateways that are well, as fast as it goes. */
void keeper_move(struct keeper *keeper);
/* Writes down how the gateways are, where that has changed, for commands to show. */
void keeper_report(struct keeper *keeper);
/* Takes marks away that nobody would take away any more. */
void keeper_release(struct keeper *keeper);
/* Whether somebody else has changed so many prefixes' map, and is done with it: converging makes it fast again. */
bool keeper_is_behind(struct keeper *keeper);
/*
 * Whether WireGuard's peers have other AllowedIPs than when this was asked last. It waits half a second at most for one
 * in user space, and then nothing has changed.
 */
bool keeper_peers_changed(struct keeper *keeper);
/* One line about how things are. */
void keeper_status(const struct keeper *keeper, char *text, size_t size);

#endif

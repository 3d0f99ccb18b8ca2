/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeping one instance in sync, step by step: it puts a file into force, applies what follows from the present host,
 * and moves prefixes to healthy gateways. agent.c decides when a step is due.
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
	bool pending;		/* the file must be put into force */
	bool poked;		/* a command changed the instance, perhaps by applying a changed file */
	bool present;		/* there is an instance */
	bool again;		/* a step failed, and must be repeated */
	struct state base;	/* the file's meaning at the last step; empty: the file changed since then */
	struct netdevs netdevs; /* at the last step */
	/* for the names of devices that the next step may find removed, such as those of keeper_guard() */
	struct netdevs removable;
	struct device_names names;
	size_t prefixes;
	struct programs programs;		   /* of the instance, for new devices */
	struct change_counts seen;		   /* of the prefix maps */
	uint32_t tunnel_ifindex;		   /* 0: the tunnel does not exist */
	struct prefixes ranges;			   /* reached through the tunnel */
	bool follows_peers;			   /* "from allowed-ips" */
	struct wireguard wireguard;		   /* at the last reading */
	bool peers_lost;			   /* reading them failed */
	char errors[KEEPER_STEPS][ERROR_TEXT_MAX]; /* already reported; empty: none */
};

void keeper_free(struct keeper *keeper); /* also for cleanup() */

/*
 * Reads the file, if there is one, to put it into force. On failure it keeps the old content. 0, or negative with
 * context->error set.
 */
int keeper_read_file(struct keeper *keeper);
/*
 * Reads the file again, if that is possible, to follow the host as it says, but does not put it into force. Errors as
 * above.
 */
int keeper_read_again(struct keeper *keeper);
/* Makes the instance match the file, if that is pending, and the host. `now` as in health.h. */
void keeper_converge(struct keeper *keeper, uint64_t now);
/* Keeps the name of a device that may be removed before the next step sees it. */
void keeper_remember_name(struct keeper *keeper, const struct netdev *netdev);
/*
 * Attaches the egress program to a device that appeared, or came up, since the last step, if packets might leave by it.
 * The next step does the rest.
 */
void keeper_guard(struct keeper *keeper, const struct netdev *netdev);
/* Detaches at once the programs that moved with the device to another network namespace. */
void keeper_let_go(struct keeper *keeper, const struct netdev *netdev);
/* Moves prefixes to healthy gateways, as fast as possible. */
void keeper_move(struct keeper *keeper);
/* Publishes changes of the gateways' state, for commands to show. */
void keeper_report(struct keeper *keeper);
/* Removes marks that nobody else would remove, and reports it. Returns whether there were any. */
bool keeper_release(struct keeper *keeper);
/*
 * Whether another process has changed the map of many prefixes, and has finished: converging makes lookups fast again.
 */
bool keeper_is_behind(struct keeper *keeper);
/*
 * Whether the AllowedIPs of WireGuard's peers changed since the previous call. It waits at most half a second for a
 * WireGuard in user space; on timeout they count as unchanged.
 */
bool keeper_peers_changed(struct keeper *keeper);
/* One line about the present state. */
void keeper_status(const struct keeper *keeper, char *text, size_t size);

#endif

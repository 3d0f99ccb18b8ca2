/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an instance's prefixes and this host's own LANs overlap: hosts of a LAN talk directly to this host, or to
 * clients in the tunnel, but the other direction goes via the firewall. Pure.
 */
#ifndef WGVIA_LAN_H
#define WGVIA_LAN_H

#include "config/state.h"
#include "host/rtnl.h"
#include "plan/point.h"

struct lan_conflict {
	struct prefix from; /* of the instance; without `own`, a range that is reached through the tunnel */
	struct prefix lan;  /* the network of an address of `lan_ifindex` */
	uint32_t lan_ifindex;
	struct ip own;	/* an address of this host in both; family 0: the conflict is about the clients */
	struct ip free; /* an address of this host in the LAN, outside every prefix; family 0: none */
	uint32_t own_ifindex;
	size_t count; /* number of such addresses in the prefix, or of such ranges in the LAN: this is the first */
};

struct lan_conflicts {
	struct lan_conflict *all;
	size_t count;
};

/*
 * The state must be sorted, and its bypass list complete. There is one conflict for each prefix with own addresses, and
 * one for each LAN with ranges of clients. The caller frees the array. 0 or -ENOMEM.
 */
int lan_find(const struct state *state, const struct points *points, const struct addresses *addresses,
	     struct lan_conflicts *conflicts);

#define LAN_TEXT 480
/* The conflict and its effect, with the state's `return`. */
const char *lan_text(const struct lan_conflict *conflict, const struct state *state, const struct netdevs *netdevs,
		     char text[LAN_TEXT]);

/* Whether a host sends from one address to the other directly because both are in a LAN with a conflict. */
bool lan_explains(const struct lan_conflicts *conflicts, const struct ip *from, const struct ip *to);

/*
 * What can replace the prefix: the ranges inside it that are reached through the tunnel, if none of them contains an
 * address of this host in a LAN. Empty if that does not help. The caller frees the array. 0 or -ENOMEM.
 */
int lan_narrower(const struct state *state, const struct points *points, const struct addresses *addresses,
		 const struct prefix *from, struct prefixes *ranges);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves, counted by where they go.
 */
#include "moves.h"

#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "util.h"

void moves_free(struct moves *moves)
{
	free(moves->all);
	*moves = (struct moves){};
}

void moves_add(struct moves *moves, const struct prefix *from, const struct wgvia_gateway *to)
{
	struct move *move;

	for (size_t i = moves->count; i-- > 0;) /* neighbours in the order are likely to go the same way */
		if (!memcmp(&moves->all[i].to, to, sizeof(*to))) {
			moves->all[i].count++;
			return;
		}
	move = array_grow(&moves->all, &moves->count, sizeof(*move));
	if (move)
		*move = (struct move){*to, *from, 1};
}

void moves_write(const struct moves *moves, const struct device_names *names)
{
	for (size_t i = 0; i < moves->count; i++) {
		const struct move *move = &moves->all[i];
		const char *name = follow_name(names, move->to.ifindex);
		char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], more[32] = "";
		struct ip ip = gateway_ip(&move->to);

		if (move->count > 1)
			snprintf(more, sizeof(more), " and %zu more", move->count - 1);
		prefix_text(&move->first, from);
		if (move->to.flags & WGVIA_GATEWAY_DOWN)
			journal(SD_ERR, "%s%s: no gateway is left, on-fail decides", from, more);
		else
			journal(SD_WARNING, "%s%s: via %s dev %s now", from, more, ip_text(&ip, via),
				name ? name : "?");
	}
}

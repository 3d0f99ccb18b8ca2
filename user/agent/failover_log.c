// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves of prefixes, counted by origin and destination.
 */
#include "agent/failover_log.h"

#include <stdio.h>
#include <string.h>

#include "agent/log.h"
#include "base/error.h"
#include "base/util.h"

void failover_log_free(struct failover_log *moves)
{
	free(moves->all);
	*moves = (struct failover_log){};
}

void failover_log_add(struct failover_log *moves, const struct prefix *from, const struct wgvia_gateway *to)
{
	struct move *move;

	for (size_t i = moves->count; i-- > 0;) /* adjacent prefixes are likely to move the same way */
		if (!memcmp(&moves->all[i].to, to, sizeof(*to))) {
			moves->all[i].count++;
			return;
		}
	move = array_grow(&moves->all, &moves->count, sizeof(*move));
	if (move)
		*move = (struct move){*to, *from, 1};
}

void failover_log_write(const struct failover_log *moves, const struct device_names *names)
{
	for (size_t i = 0; i < moves->count; i++) {
		const struct move *move = &moves->all[i];
		const char *name = reconcile_name(names, move->to.ifindex);
		char from[PREFIX_TEXT_LEN], via[IP_TEXT_LEN], more[MORE_TEXT_LEN];
		struct ip ip = gateway_ip(&move->to);

		bool none = move->to.flags & WGVIA_GATEWAY_DOWN;
		struct event event;

		prefix_text(&move->first, from);
		more_text(move->count, more);
		if (none)
			event = event_make(EVENT_FAILOVER, JOURNAL_ERR, log_tunnel(),
					   "%s%s: no gateway is alive, on-fail applies", from, more);
		else
			event = event_make(EVENT_FAILOVER, JOURNAL_WARNING, log_tunnel(), "%s%s: via %s dev %s now",
					   from, more, ip_text(&ip, via), name ? name : "?");
		event_add_text(&event, "state", none ? "no-gateway" : "moved");
		event_add_text(&event, "from", from);
		event_add_number(&event, "prefixes", move->count);
		if (!none) {
			event_add_text(&event, "via", via);
			event_add_text(&event, "dev", name ? name : "?");
		}
		log_event(&event);
		event_free(&event);
	}
}

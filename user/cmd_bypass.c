// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia bypass add|del IFACE PREFIX: the administrator's list. What the host itself is left alone for (its addresses,
 * the scopes, the tunnel's prefixes) is not on it.
 */
#include "parse.h"
#include "print.h"
#include "running.h"
#include "util.h"
#include "words.h"

enum verb { ADD, DEL };
static const char *const verbs[] = {"add", "del"};

struct change {
	enum verb verb;
	struct prefix prefix;
};

static int edit(struct context *context, struct rtnl *rtnl, struct state *state, void *data)
{
	const struct change *change = data;
	struct bypass_entry *entry = state_find_bypass(state, &change->prefix);
	bool listed = entry && bypass_is_admin(&entry->value);
	char text[PREFIX_TEXT_LEN];
	int ret;

	(void)rtnl;
	prefix_text(&change->prefix, text);
	if (change->verb == DEL) {
		if (!listed)
			return error_refuse(&context->error, "'%s' is not on the bypass list of '%s'", text,
					    state->tunnel);
		/* resolve_running() makes what else the entry was for anew */
		entry->value = (struct wgvia_bypass){WGVIA_TUNNEL, 0};
		return 0;
	}
	if (listed)
		return error_refuse(&context->error, "'%s' is on the bypass list of '%s' already", text, state->tunnel);
	ret = state_add_bypass(state, &change->prefix, WGVIA_BYPASS, WGVIA_BYPASS_ADMIN);
	return ret ? error_system(&context->error, -ret, "cannot add to the bypass list") : 0;
}

int cmd_bypass(struct context *context, int argc, char **argv)
{
	char tunnel[IFNAMSIZ];
	struct change change;
	int verb = argc ? word_find(verbs, ARRAY_SIZE(verbs), argv[0]) : -1;

	if (verb < 0)
		return error_usage(&context->error, "'bypass%s%s' is no command: bypass add or bypass del",
				   argc ? " " : "", argc ? argv[0] : "");
	change.verb = verb;
	if (parse_bypass(argc - 1, argv + 1, tunnel, &change.prefix, &context->error))
		return -EINVAL;
	return running_edit(context, tunnel, edit, &change);
}

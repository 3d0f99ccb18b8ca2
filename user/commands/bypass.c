// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia bypass add|del IFACE PREFIX: the administrator's list. It excludes what is exempt because of the host (its
 * addresses, the scopes, the tunnel's prefixes).
 */
#include "base/abi_words.h"
#include "base/util.h"
#include "commands/changes.h"
#include "config/parse.h"
#include "session/session.h"

enum verb { ADD, DEL };
static const char *const verbs[] = {"add", "del"};

/* Not every entry that `show` lists is the administrator's: this host's own follow its state. */
static int refuse_host_entry(struct session *session, const struct bypass_entry *entry, const char *prefix)
{
	static const char *const causes[WGVIA_VERDICT_COUNT] = {
		[WGVIA_LOCAL] = "an address of this host",
		[WGVIA_SCOPE] = "the kernel does not forward to it",
		[WGVIA_TUNNEL] = "the kernel routes it into the tunnel",
	};
	uint32_t verdict = entry->value.verdict;
	const char *cause = verdict < WGVIA_VERDICT_COUNT && causes[verdict] ? causes[verdict] : "its routes";
	struct error *error = &session->context->error;

	error_refuse(error, "cannot delete '%s': the entry is this host's own: %s", prefix, cause);
	if (verdict == WGVIA_SCOPE)
		error_hint(error, "it is always there, and such packets never reach the firewall");
	else
		error_hint(error, "remove the address or route from this host, then run 'wgvia up %s ...' again",
			   session->tunnel);
	return -EINVAL;
}

static int edit(struct session *session, enum verb verb, const struct prefix *prefix)
{
	struct bypass_entry *entry = state_find_bypass(&session->state, prefix);
	bool listed = entry && bypass_is_admin(&entry->value);
	struct error *error = &session->context->error;
	char text[PREFIX_TEXT_LEN];

	prefix_text(prefix, text);
	if (verb == DEL) {
		if (entry && !listed)
			return refuse_host_entry(session, entry, text);
		if (!listed)
			return error_refuse(error, "'%s' is not on the bypass list of '%s'", text, session->tunnel);
		/* session_plan() adds the entry again if the host needs it */
		entry->value = (struct wgvia_bypass){WGVIA_TUNNEL, 0};
		return 0;
	}
	if (listed)
		return error_refuse(error, "'%s' is on the bypass list of '%s' already", text, session->tunnel);
	if (state_add_bypass(&session->state, prefix, WGVIA_BYPASS, WGVIA_BYPASS_ADMIN))
		return error_system(error, ENOMEM, "cannot add to the bypass list");
	return 0;
}

static void print_outcome(const struct session *session, enum verb verb, const struct prefix *prefix)
{
	struct bypass_entry entry = {*prefix, {WGVIA_BYPASS, WGVIA_BYPASS_ADMIN}};
	struct state with = {.bypass = &entry, .bypass_count = 1}, without = {};

	changes_print(session,
		      changes_of_states(verb == ADD ? &without : &with, verb == ADD ? &with : &without,
					&session->host->netdevs),
		      print_array(), false);
}

int cmd_bypass(struct context *context, int argc, char **argv)
{
	cleanup(session_end) struct session session = SESSION(context);
	int verb = argc ? word_find(verbs, ARRAY_SIZE(verbs), argv[0]) : -1;
	struct prefix prefix;
	char tunnel[IFNAMSIZ];
	int ret;

	if (verb < 0)
		return error_usage(&context->error, "'bypass%s%s' is not a command: bypass add or bypass del",
				   argc ? " " : "", argc ? argv[0] : "");
	if (parse_bypass(argc - 1, argv + 1, tunnel, &prefix, &context->error))
		return -EINVAL;
	ret = session_begin(&session, tunnel);
	if (!ret)
		ret = edit(&session, verb, &prefix);
	if (!ret)
		ret = session_plan(&session);
	if (!ret)
		ret = session_commit(&session);
	if (!ret)
		print_outcome(&session, verb, &prefix);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia apply [-c|--dry-run] IFACE FILE|-: makes the running instance match the file and its drop-ins, reports the
 * difference, and changes nothing else.
 */
#include <string.h>

#include "base/util.h"
#include "commands/changes.h"
#include "commands/output.h"
#include "commands/plan_notes.h"
#include "commands/probe_notes.h"
#include "config/conffile.h"
#include "config/diff.h"
#include "session/session.h"

struct words {
	bool dry_run;
	char tunnel[IFNAMSIZ];
	const char *path;
};

/* nft uses the same letter. */
static int parse_words(int argc, char **argv, struct words *words, struct error *error)
{
	const char *tunnel = NULL;

	*words = (struct words){};
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "-c") || !strcmp(argv[i], "--dry-run"))
			words->dry_run = true;
		else if (argv[i][0] == '-' && argv[i][1])
			return error_usage(error, "unknown option '%s': -c or --dry-run", argv[i]);
		else if (!tunnel)
			tunnel = argv[i];
		else if (!words->path)
			words->path = argv[i];
		else
			return error_usage(error, "unexpected word '%s': IFACE FILE", argv[i]);
	}
	if (!tunnel)
		return error_usage(error, "IFACE is missing");
	if (!words->path)
		return error_usage(error, "FILE, or - for standard input, is missing after '%s'", tunnel);
	if (!parse_ifname(tunnel, words->tunnel, error))
		return 0;
	if (strchr(tunnel, '/'))
		error_hint(error, "IFACE comes first, then FILE");
	return -EINVAL;
}

static void print_outcome(const struct session *session, json *changes, bool dry_run)
{
	json *notes = print_array(), *senders = print_array();
	bool news = !dry_run && probe_notes_all(session, senders);

	/* the lines show what was taken from the host; a dry run always reports what it could not check */
	if (session->changed || json_object_array_length(changes) || (dry_run && !session->plan.state.tunnel_ifindex))
		notes_of_plan(notes, &session->plan, session->changed);
	if (session->changed || news)
		for (size_t i = 0; i < json_object_array_length(senders); i++)
			print_append_text(notes, json_object_get_string(json_object_array_get_idx(senders, i)));
	print_release(&senders);
	changes_print(session, changes, notes, true);
}

static int apply(struct context *context, const struct words *words, const struct request *request)
{
	cleanup(session_end) struct session session = SESSION(context);
	json *changes;
	int ret = words->dry_run ? session_try_request(&session, request) : session_begin_request(&session, request);

	if (ret) {
		if (session.plan.refused)
			conffile_name_route(&context->error, request, session.plan.refused);
		return ret;
	}
	if (session.is_running)
		diff_keep(&session.state, &session.plan.state);
	changes = changes_of_plan(&session);
	ret = words->dry_run ? 0 : session_commit(&session);
	if (ret)
		print_release(&changes);
	else
		print_outcome(&session, changes, words->dry_run);
	return ret;
}

int cmd_apply(struct context *context, int argc, char **argv)
{
	struct request request = {};
	struct words words;
	int ret = parse_words(argc, argv, &words, &context->error);

	if (!ret)
		ret = conffile_read(words.path, words.tunnel, &request, &context->error);
	request.is_trial = words.dry_run;
	if (!ret)
		ret = apply(context, &words, &request);
	request_free(&request);
	return ret;
}

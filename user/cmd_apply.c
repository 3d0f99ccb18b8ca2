// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia apply [-c|--dry-run] IFACE FILE|-: makes what is running what the file says, tells the difference, and touches
 * nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "conffile.h"
#include "diff.h"
#include "notes.h"
#include "print.h"
#include "resolve.h"
#include "rtnl.h"
#include "running.h"
#include "probe_notes.h"
#include "util.h"

struct words {
	bool dry_run;
	char tunnel[IFNAMSIZ];
	const char *path;
};

/* The letter is nft's. */
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
		return error_usage(error, "which interface? IFACE is missing");
	if (!words->path)
		return error_usage(error, "which file? FILE, or - for standard input, is needed behind '%s'", tunnel);
	return parse_ifname(tunnel, words->tunnel, error);
}

static void add_line(void *data, const char *line)
{
	print_append_text(data, line);
}

static int review(struct context *context, const struct state *running, struct plan *plan, void *data)
{
	(void)context;
	if (running)
		diff_keep(running, &plan->state);
	diff_states(running, &plan->state, &plan->links, add_line, data);
	return 0;
}

static void print_changes(const struct context *context, const json *value)
{
	json *changes = print_member(value, "changes");

	(void)context;
	for (size_t i = 0; i < json_object_array_length(changes); i++)
		puts(json_object_get_string(json_object_array_get_idx(changes, i)));
	notes_print(value);
}

static void print_outcome(struct context *context, const struct plan *plan, json *changes, bool changed, bool dry_run)
{
	cleanup(print_put) json *values = print_array();
	json *value = print_object(), *notes = print_array(), *senders = print_array();
	bool news = !dry_run && probe_notes_all(context, &plan->state, &plan->links, senders);

	/* what was taken from the host is in the lines */
	if (changed || json_object_array_length(changes))
		notes_of_plan(notes, plan, changed);
	if (changed || news)
		for (size_t i = 0; i < json_object_array_length(senders); i++)
			print_append_text(notes, json_object_get_string(json_object_array_get_idx(senders, i)));
	print_put(&senders);

	print_add_text(value, "interface", plan->state.tunnel);
	print_add(value, "changes", changes);
	print_add(value, "notes", notes);
	print_append(values, value);
	print_instances(context, values, true, print_changes);
}

static int dry_run(struct context *context, const struct request *request, struct plan *plan, json *changes)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	int ret = rtnl_open(&rtnl);

	if (ret)
		return error_system(&context->error, -ret, "cannot open rtnetlink");
	ret = resolve_up(rtnl, request, plan, &context->error);
	return ret ? ret : running_try(context, plan, review, changes);
}

static int apply(struct context *context, const struct words *words, const struct request *request)
{
	cleanup(plan_free) struct plan plan = {};
	json *changes = print_array();
	bool changed = false;
	int ret;

	if (words->dry_run)
		ret = dry_run(context, request, &plan, changes);
	else
		ret = running_apply(context, request, resolve_up, &plan, review, changes, NULL, &changed);
	if (ret && plan.refused)
		config_name_place(&context->error, words->path, plan.refused->line);
	if (ret)
		print_put(&changes);
	else
		print_outcome(context, &plan, changes, changed, words->dry_run);
	return ret;
}

int cmd_apply(struct context *context, int argc, char **argv)
{
	struct request request = {};
	struct words words;
	int ret = parse_words(argc, argv, &words, &context->error);

	ret = ret ? ret : conffile_read(words.path, words.tunnel, &request, &context->error);
	ret = ret ? ret : apply(context, &words, &request);
	request_free(&request);
	return ret;
}

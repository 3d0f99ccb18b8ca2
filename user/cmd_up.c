// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia up IFACE [from PREFIX [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]...]... [bypass PREFIX]...
 *	[mode fast|stack] [on-fail drop|pass] [return via|any|drop [also ADDRESS [dev DEV]|MAC]...]
 */
#include "notes.h"
#include "parse.h"
#include "print.h"
#include "resolve.h"
#include "running.h"
#include "probe_notes.h"
#include "util.h"

static void print_notes(const struct context *context, const json *value)
{
	(void)context;
	notes_print(value);
}

static json *describe(const struct context *context, const struct plan *plan, bool changed)
{
	json *value = print_object(), *notes = notes_of_taken(plan);

	notes_of_plan(notes, plan, changed);
	probe_notes_all(context, &plan->state, &plan->links, notes);
	print_add_text(value, "interface", plan->state.tunnel);
	print_add(value, "notes", notes);
	return value;
}

static int up(struct context *context, const struct request *request)
{
	cleanup(plan_free) struct plan plan = {};
	cleanup(print_put) json *values = NULL;
	bool changed;
	int ret = running_apply(context, request, resolve_up, &plan, NULL, NULL, NULL, &changed);

	if (ret)
		return ret;
	values = print_array();
	print_append(values, describe(context, &plan, changed));
	print_instances(context, values, true, print_notes);
	return 0;
}

int cmd_up(struct context *context, int argc, char **argv)
{
	struct request request;
	int ret = parse_up(argc, argv, &request, &context->error);

	ret = ret ? ret : up(context, &request);
	request_free(&request);
	return ret;
}

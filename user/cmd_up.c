// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia up IFACE [from PREFIX [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]...]... [bypass PREFIX]...
 *	[mode fast|stack] [on-fail drop|pass]
 */
#include <stdio.h>

#include "agent_lock.h"
#include "lists.h"
#include "parse.h"
#include "print.h"
#include "resolve.h"
#include "rtnl.h"
#include "running.h"
#include "util.h"

static json *describe(const struct plan *plan, bool changed, bool agent)
{
	const char *problem = lists_problem(&plan->state, agent);
	json *value = print_object(), *notes = print_array();
	char text[RESOLVE_NOTE];

	for (size_t i = 0; i < plan->note_count; i++)
		print_append(notes, json_object_new_string(plan->notes[i]));
	for (size_t i = 0; i < plan->left_out_count; i++) {
		snprintf(text, sizeof(text), "dev %s is left out: wgvia does not watch what this host sends there",
			 plan->left_out[i]->name);
		print_append(notes, json_object_new_string(text));
	}
	if (changed && plan->state.mode == WGVIA_FAST)
		print_append(notes, json_object_new_string(
					    "mode fast: FORWARD rules, conntrack and NAT of this host do not see this "
					    "traffic ('mode stack' keeps them)"));
	if (problem)
		print_append(notes, json_object_new_string(problem));
	print_add_text(value, "interface", plan->state.tunnel);
	print_add(value, "notes", notes);
	return value;
}

static void print_notes(const struct context *context, const json *value)
{
	json *notes = print_member(value, "notes");

	(void)context;
	for (size_t i = 0; i < json_object_array_length(notes); i++)
		printf("%s: %s\n", print_text(value, "interface"),
		       json_object_get_string(json_object_array_get_idx(notes, i)));
}

static int up(struct context *context, const struct request *request)
{
	cleanup(rtnl_close) struct rtnl *rtnl = NULL;
	cleanup(plan_free) struct plan plan = {};
	cleanup(print_put) json *values = NULL;
	bool changed;
	int ret = rtnl_open(&rtnl);

	if (ret)
		return error_system(&context->error, -ret, "cannot open rtnetlink");
	ret = resolve_up(rtnl, request, &plan, &context->error);
	ret = ret ? ret : running_apply(context, &plan, &changed);
	if (ret)
		return ret;
	values = print_array();
	print_append(values, describe(&plan, changed, agent_is_alive(context->pin_dir, plan.state.tunnel)));
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

// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia up IFACE [from PREFIX [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]]...
 *	[via ADDRESS [dev DEV] [or ADDRESS [dev DEV]]... [health KIND]]... [bypass PREFIX]...
 *	[mode fast|stack] [on-fail drop|pass] [outside pass|drop] [mss auto|N|off]
 *	[counters prefix|off]
 *	[return via|any|drop [also ADDRESS [dev DEV]|MAC]...]
 * On a running instance it prints what it removes and adds, as `apply` does.
 */
#include "base/util.h"
#include "commands/changes.h"
#include "commands/output.h"
#include "commands/plan_notes.h"
#include "commands/probe_notes.h"
#include "config/parse.h"
#include "plan/plan.h"
#include "session/session.h"

static void print_outcome(const struct session *session, json *changes)
{
	json *notes = notes_of_taken(&session->plan);

	notes_of_plan(notes, &session->plan, session->changed);
	probe_notes_all(session, notes);
	/* at the first `up` everything is new, as the words say */
	changes_print(session, changes, notes, session->is_running);
}

static int up(struct context *context, const struct request *request)
{
	cleanup(session_end) struct session session = SESSION(context);
	json *changes;
	int ret = session_begin_request(&session, request);

	if (ret)
		return ret;
	changes = changes_of_plan(&session);
	ret = session_commit(&session);
	if (ret)
		print_release(&changes);
	else
		print_outcome(&session, changes);
	return ret;
}

int cmd_up(struct context *context, int argc, char **argv)
{
	struct request request;
	int ret = parse_up(argc, argv, &request, &context->error);

	if (!ret)
		ret = up(context, &request);
	request_free(&request);
	return ret;
}

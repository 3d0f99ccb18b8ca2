// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia save IFACE: the running state, as a file for `apply`. A value that `apply` would refuse or correct is followed
 * by the reason, and makes the exit status 1: nothing is lost silently.
 */
#include <stdio.h>

#include "base/util.h"
#include "commands/output.h"
#include "config/parse.h"
#include "config/source.h"
#include "config/statement.h"
#include "plan/gateways.h"
#include "session/session.h"

/* Adds the line; true: `apply` would change its meaning. */
static bool add_gateway(json *lines, const struct session *session, const struct points *points,
			const struct gateway_entry *entry)
{
	struct gateway_entry copy = *entry;
	char statement[STATEMENT_MAX], line[STATEMENT_MAX + 128];
	const char *problem;

	copy.value.flags &= ~WGVIA_GATEWAY_DOWN; /* `apply` keeps the flag */
	problem = gateway_problem(session->host, points, &copy);
	statement_of_gateway(&session->state, &copy, &session->host->netdevs, statement);
	if (problem)
		snprintf(line, sizeof(line), "%s # unusable: %s", statement, problem);
	else
		snprintf(line, sizeof(line), "%s%s", statement,
			 entry->value.flags & WGVIA_GATEWAY_DOWN ? " # marked down" : "");
	print_append_text(lines, line);
	return problem;
}

static bool add_bypass(json *lines, const struct bypass_entry *entry)
{
	bool is_odd = !bypass_is_known(&entry->value);
	char statement[STATEMENT_MAX], line[STATEMENT_MAX + 64];

	statement_of_bypass(entry, statement);
	if (is_odd)
		snprintf(line, sizeof(line), "%s # unusable: unknown verdict %u, treated as bypass", statement,
			 entry->value.verdict);
	print_append_text(lines, is_odd ? line : statement);
	return is_odd;
}

/* Returns the number of lines whose meaning `apply` would change. */
static size_t add_lines(json *lines, const struct session *session, const struct points *points)
{
	const struct state *state = &session->state;
	char text[STATEMENT_MAX], sources[SOURCES_MAX][STATEMENT_MAX];
	size_t odd = 0, count;

	print_append_text(lines, statement_of_mode(state, text));
	print_append_text(lines, statement_of_on_fail(state, text));
	print_append_text(lines, statement_of_outside(state, text));
	print_append_text(lines, statement_of_mss(state, text));
	print_append_text(lines, statement_of_counting(state, text));
	print_append_text(lines, statement_of_return(state, &session->host->netdevs, text));
	count = statement_of_sources(state, &session->host->netdevs, sources);
	for (size_t i = 0; i < count; i++)
		print_append_text(lines, sources[i]);
	for (size_t i = 0; i < state->gateway_count; i++)
		if (!source_of(&state->gateways[i].value))
			odd += add_gateway(lines, session, points, &state->gateways[i]);
	for (size_t i = 0; i < state->bypass_count; i++)
		if (statement_has_bypass(&state->bypass[i]))
			odd += add_bypass(lines, &state->bypass[i]);
	for (size_t i = 0; i < state->accepted.count; i++)
		print_append_text(lines, statement_of_accept(&state->accepted.all[i], text));
	return odd;
}

static void print_lines(const struct context *context, const json *value)
{
	json *lines = print_member(value, "statements");

	(void)context;
	printf("# %s, as 'wgvia save' found it; for 'wgvia apply'\n", print_text(value, "interface"));
	for (size_t i = 0; i < json_object_array_length(lines); i++)
		puts(json_object_get_string(json_object_array_get_idx(lines, i)));
}

int cmd_save(struct context *context, int argc, char **argv)
{
	cleanup(session_end) struct session session = SESSION(context);
	cleanup(print_release) json *values = print_array();
	cleanup(points_free) struct points points = {};
	struct error *error = &context->error;
	json *value, *lines;
	char tunnel[IFNAMSIZ];
	size_t odd;
	int ret;

	if (parse_tunnel(argc, argv, tunnel, error))
		return -EINVAL;
	ret = session_read(&session, tunnel);
	if (!ret)
		ret = session_read_host(&session, HOST_NETDEVS | HOST_LOCAL);
	if (ret)
		return ret;
	if (instance_points(&session.instance, &session.host->netdevs, &points))
		return error_system(error, ENOMEM, "cannot save '%s'", tunnel);
	value = print_object();
	lines = print_array();
	print_add_text(value, "interface", tunnel);
	odd = add_lines(lines, &session, &points);
	print_add(value, "statements", lines);
	print_append(values, value);
	print_instances(context, values, true, print_lines);
	if (!session.state.gateway_count && !session.state.source_count)
		return error_refuse(error, "cannot save '%s': it has no prefix, and a file needs one", tunnel);
	if (odd)
		return error_refuse(error,
				    "%zu of the lines do not restore the running configuration: '# unusable' "
				    "gives the reason",
				    odd);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia save IFACE: what is running, as a file for `apply`. A value that `apply` would refuse or mend is in it with the
 * reason behind it, and makes the exit status 1: nothing is lost in silence.
 */
#include <stdio.h>

#include "parse.h"
#include "print.h"
#include "resolve.h"
#include "rtnl.h"
#include "running.h"
#include "statement.h"
#include "util.h"

/* What this host has, to tell what cannot be used here. */
struct host {
	struct rtnl *rtnl;
	struct links links;
	struct prefixes local;
	struct point *points;
	size_t point_count;
};

static void host_free(struct host *host)
{
	rtnl_close(&host->rtnl);
	free(host->links.all);
	free(host->local.all);
	free(host->points);
}

static int host_read(struct host *host, const struct instance *instance)
{
	int ret = rtnl_open(&host->rtnl);

	ret = ret ? ret : rtnl_get_links(host->rtnl, &host->links);
	ret = ret ? ret : rtnl_get_local(host->rtnl, &host->local);
	return ret ? ret : instance_points(instance, &host->links, &host->points, &host->point_count);
}

/* Adds the line; true: it is not what `apply` would make of it. */
static bool add_gateway(json *lines, const struct host *host, const struct state *state,
			const struct gateway_entry *entry)
{
	struct gateway_entry copy = *entry;
	char statement[STATEMENT_MAX], line[STATEMENT_MAX + 128];
	const char *problem;

	copy.value.flags &= ~WGVIA_GATEWAY_DOWN; /* which `apply` leaves as it is */
	problem = resolve_problem(&host->links, &host->local, host->points, host->point_count, &copy);
	statement_of_gateway(state, &copy, &host->links, statement);
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

/* Returns how many lines are not what `apply` would make of them. */
static size_t add_lines(json *lines, const struct host *host, const struct state *state)
{
	char text[STATEMENT_MAX];
	size_t odd = 0;

	print_append_text(lines, statement_of_mode(state, text));
	print_append_text(lines, statement_of_on_fail(state, text));
	print_append_text(lines, statement_of_return(state, &host->links, text));
	for (size_t i = 0; i < state->gateway_count; i++)
		odd += add_gateway(lines, host, state, &state->gateways[i]);
	for (size_t i = 0; i < state->bypass_count; i++)
		if (statement_has_bypass(&state->bypass[i]))
			odd += add_bypass(lines, &state->bypass[i]);
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
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	cleanup(print_put) json *values = print_array();
	cleanup(host_free) struct host host = {};
	cleanup(state_free) struct state state = {};
	struct error *error = &context->error;
	json *value, *lines;
	char tunnel[IFNAMSIZ];
	size_t odd;
	int ret;

	if (argc != 1)
		return argc ? error_usage(error, "unexpected word '%s': one IFACE", argv[1])
			    : error_usage(error, "which interface? IFACE is missing");
	ret = parse_ifname(argv[0], tunnel, error);
	ret = ret ? ret : running_read(context, tunnel, &instance, &state);
	if (ret)
		return ret;
	ret = host_read(&host, &instance);
	if (ret)
		return error_system(error, -ret, "cannot read this host's devices and addresses");
	value = print_object();
	lines = print_array();
	print_add_text(value, "interface", tunnel);
	odd = add_lines(lines, &host, &state);
	print_add(value, "statements", lines);
	print_append(values, value);
	print_instances(context, values, true, print_lines);
	if (!state.gateway_count)
		return error_refuse(error, "'%s' has no prefix, which no file can say", tunnel);
	if (odd)
		return error_refuse(error, "%zu of the lines will not restore what is running: 'unusable' tells why",
				    odd);
	return 0;
}

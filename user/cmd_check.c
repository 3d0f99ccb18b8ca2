// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia check IFACE [--probe]: what is wrong or risky on this host, and what to do about it; also before the first
 * `up`. With --probe, and only then, packets are sent, to see whether the firewall does its part. Exit status 1 where
 * something was found, information aside.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "finding.h"
#include "parse.h"
#include "pins.h"
#include "print.h"
#include "running.h"
#include "tables.h"
#include "util.h"
#include "words.h"

static const char *const severity_words[SEVERITY_COUNT] = {
	[SEVERITY_INFO] = "info", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error"};

static json *describe(const struct examined *examined)
{
	json *value = print_object(), *findings = print_array();

	print_add_text(value, "interface", examined->tunnel);
	print_add_bool(value, "running", examined->is_running);
	for (int severity = SEVERITY_ERROR; severity >= 0; severity--)
		for (size_t i = 0; i < examined->count; i++) {
			const struct finding *finding = &examined->findings[i];
			json *item;

			if ((int)finding->severity != severity)
				continue;
			item = print_object();
			print_add_text(item, "severity", severity_words[severity]);
			print_add_text(item, "name", finding->name);
			print_add_text(item, "evidence", finding->evidence);
			print_add_text(item, "remedy", finding->remedy);
			print_append(findings, item);
		}
	print_add(value, "findings", findings);
	return value;
}

static void print_findings(const struct context *context, const json *value)
{
	json *findings = print_member(value, "findings");

	(void)context;
	for (size_t i = 0; i < json_object_array_length(findings); i++) {
		const json *item = json_object_array_get_idx(findings, i);

		printf("%s: %s: %s\n", print_text(item, "severity"), print_text(item, "name"),
		       print_text(item, "evidence"));
		if (print_text(item, "remedy")[0])
			printf("    %s\n", print_text(item, "remedy"));
	}
	if (!json_object_array_length(findings))
		printf("%s: nothing found\n", print_text(value, "interface"));
}

/* Without an instance: as if `up IFACE` were to come, and where it could not even do that, why. */
static int plan_for(struct context *context, struct examined *examined)
{
	struct request request = {};
	struct state copy = {};
	struct error error = {};
	int ret;

	if (examined->is_running) {
		ret = tables_read(&examined->instance, &copy, &context->error);
		ret = ret ? ret : tables_read(&examined->instance, &examined->running, &context->error);
		ret = ret ? ret : resolve_running(examined->rtnl, &copy, &examined->plan, &error);
		state_free(&copy);
	} else {
		strcpy(request.tunnel, examined->tunnel);
		ret = resolve_up(examined->rtnl, &request, &examined->plan, &error);
	}
	if (context->error.text[0])
		return ret;
	if (ret)
		finding_add(examined, SEVERITY_ERROR, "plan", error.hint, "%s", error.text);
	return 0;
}

static int examine(struct context *context, struct examined *examined, bool probe)
{
	struct error error = {};
	int ret = rtnl_open(&examined->rtnl);

	if (ret)
		return error_system(&context->error, -ret, "cannot open rtnetlink");
	ret = pins_probe(context->pin_dir, &error);
	if (ret && ret != -ENOENT) {
		finding_add(examined, SEVERITY_ERROR, "bpffs", error.hint, "%s", error.text);
		return 0;
	}
	if (error.hint[0])
		finding_add(examined, SEVERITY_WARNING, "bpffs", error.hint,
			    "no bpffs is mounted at /sys/fs/bpf in this process's "
			    "mounts: an instance may be running all the same");
	ret = ret ? ret : instance_open_running(context->pin_dir, examined->tunnel, &examined->instance, &error);
	if (ret && ret != -ENOENT) {
		finding_add(examined, SEVERITY_ERROR, "pins", error.hint, "%s", error.text);
		return 0;
	}
	examined->is_running = !ret;
	ret = plan_for(context, examined);
	if (ret)
		return ret;
	check_host(examined);
	if (examined->is_running) {
		check_instance(examined);
		check_return(examined);
	}
	check_routes(examined);
	check_netfilter(examined);
	if (probe)
		check_probe(examined);
	return 0;
}

/* "IFACE [--probe]", in either order. */
static int parse(int argc, char **argv, char tunnel[IFNAMSIZ], bool *probe, struct error *error)
{
	const char *name = NULL;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--probe"))
			*probe = true;
		else if (!strncmp(argv[i], "--", 2))
			return error_usage(error, "unknown option '%s': IFACE [--probe]", argv[i]);
		else if (name)
			return error_usage(error, "unexpected word '%s': IFACE [--probe]", argv[i]);
		else
			name = argv[i];
	}
	if (!name)
		return error_usage(error, "which interface? IFACE is missing");
	return parse_ifname(name, tunnel, error);
}

int cmd_check(struct context *context, int argc, char **argv)
{
	cleanup(print_put) json *values = print_array();
	struct examined examined = {.instance = INSTANCE_NONE};
	char tunnel[IFNAMSIZ];
	bool probe = false;
	int ret;

	if (parse(argc, argv, tunnel, &probe, &context->error))
		return -EINVAL;
	examined.tunnel = tunnel;
	ret = examine(context, &examined, probe);
	if (!ret) {
		print_append(values, describe(&examined));
		print_instances(context, values, true, print_findings);
		for (size_t i = 0; i < examined.count; i++)
			if (examined.findings[i].severity > SEVERITY_INFO)
				context->found = true;
	}
	state_free(&examined.running);
	plan_free(&examined.plan);
	instance_close(&examined.instance);
	rtnl_close(&examined.rtnl);
	free(examined.findings);
	return ret;
}

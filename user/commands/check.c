// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia check IFACE [--probe] [--severity error|warning|info]: what is wrong or risky on this host, and what to do
 * about it; also before the first `up`. With --probe, and only then, packets are sent, to see whether the firewall does
 * its part. Exit status 1 where something of that severity (warning by default) was found that is not accepted.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "check/finding.h"
#include "commands/color.h"
#include "commands/output.h"
#include "commands/terminal.h"
#include "config/parse.h"
#include "datapath/pins.h"
#include "session/session.h"

#define PEERS_MAX 100  /* of "uncovered_peer", in JSON */
#define RANGES_MAX 100 /* of each of them */

static const char *const severity_words[SEVERITY_COUNT] = {
	[SEVERITY_INFO] = "info", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error"};

static json *describe_range(const struct coverage *coverage, size_t first, size_t end)
{
	json *value = print_object(), *parts = print_array();
	char text[PREFIX_TEXT_LEN];

	print_add_text(value, "allowed_ip", prefix_text(&coverage->gaps[first].range, text));
	for (size_t i = first; i < end; i++)
		print_append_text(parts, prefix_text(&coverage->gaps[i].part, text));
	print_add(value, "uncovered", parts);
	return value;
}

static json *describe_peer(const struct examined *examined, size_t first, size_t end)
{
	const struct coverage *coverage = &examined->coverage;
	const struct wireguard_peer *peer = &coverage->wireguard->peers[coverage->gaps[first].peer];
	json *value = print_object(), *ranges = print_array();
	char key[WIREGUARD_KEY_TEXT], remedy[FINDING_REMEDY];

	print_add_text(value, "public_key", wireguard_key_text(peer->public_key, key));
	for (size_t i = first, next; i < end; i = next) {
		next = coverage_range_end(coverage, i);
		if (json_object_array_length(ranges) < RANGES_MAX)
			print_append(ranges, describe_range(coverage, i, next));
	}
	print_add(value, "ranges", ranges);
	coverage_words(examined, first, end, remedy);
	print_add_text(value, "remedy", remedy);
	return value;
}

/* What the evidence has the first of. */
static void describe_coverage(const struct examined *examined, json *finding)
{
	const struct coverage *coverage = &examined->coverage;
	json *peers = print_array();

	for (size_t i = 0, next; i < coverage->gap_count && json_object_array_length(peers) < PEERS_MAX; i = next) {
		next = coverage_peer_end(coverage, i);
		print_append(peers, describe_peer(examined, i, next));
	}
	print_add(finding, "peers", peers);
	print_add_number(finding, "peer_count", coverage->peer_count);
}

static json *describe_finding(const struct examined *examined, const struct finding *finding)
{
	json *item = print_object();

	print_add_text(item, "severity", severity_words[finding->severity]);
	print_add_text(item, "name", finding->name);
	print_add_text(item, "evidence", finding->evidence);
	print_add_text(item, "remedy", finding->remedy);
	print_add_bool(item, "accepted", finding->reason);
	if (finding->reason)
		print_add_text(item, "reason", finding->reason);
	if (!strcmp(finding->name, "uncovered_peer"))
		describe_coverage(examined, item);
	return item;
}

/* Errors first; at the end what is accepted. */
static json *describe_findings(const struct examined *examined)
{
	json *value = print_object(), *findings = print_array();

	print_add_text(value, "interface", examined->tunnel);
	print_add_bool(value, "running", examined->is_running);
	for (int accepted = 0; accepted < 2; accepted++)
		for (int severity = SEVERITY_ERROR; severity >= 0; severity--)
			for (size_t i = 0; i < examined->count; i++)
				if ((int)examined->findings[i].severity == severity &&
				    !examined->findings[i].reason == !accepted)
					print_append(findings, describe_finding(examined, &examined->findings[i]));
	print_add(value, "findings", findings);
	return value;
}

static void print_finding(const json *item)
{
	const char *reason = print_text(item, "reason");
	bool is_red = !*reason && !strcmp(print_text(item, "severity"), severity_words[SEVERITY_ERROR]);

	terminal_print(stdout, 2, "%s%s%s%s: %s: %s", *reason ? "accepted " : "", is_red ? color_bad(stdout) : "",
		       print_text(item, "severity"), is_red ? color_off(stdout) : "", print_text(item, "name"),
		       print_text(item, "evidence"));
	if (*reason)
		printf("    reason: %s\n", reason);
	else if (print_text(item, "remedy")[0])
		printf("    %s\n", print_text(item, "remedy"));
}

static void print_findings(const struct context *context, const json *value)
{
	json *findings = print_member(value, "findings");

	(void)context;
	for (size_t i = 0; i < json_object_array_length(findings); i++)
		print_finding(json_object_array_get_idx(findings, i));
	if (!json_object_array_length(findings))
		printf("%s: nothing found\n", print_text(value, "interface"));
}

/* Without an instance: as if `up IFACE` were to come, and where it could not even do that, why. */
static int plan_for(const struct session *session, struct examined *examined)
{
	cleanup(state_free) struct state copy = {};
	struct request request = {};
	struct error error = {};
	int ret;

	if (examined->is_running) {
		ret = session_read_running(session, &copy);
		if (ret)
			return ret;
		ret = plan_running(examined->host, &copy, &examined->plan, &error);
	} else {
		strcpy(request.tunnel, examined->tunnel);
		ret = plan_up(examined->host, &request, &examined->plan, &error);
	}
	examined->has_plan = !ret;
	if (ret) {
		finding_add(examined, SEVERITY_ERROR, "plan", error.hint, "%s", error.text);
		state_sort(&examined->plan.state); /* as far as it came */
	}
	return 0;
}

static bool has_finding(const struct examined *examined, const char *name)
{
	for (size_t i = 0; i < examined->count; i++)
		if (!strcmp(examined->findings[i].name, name))
			return true;
	return false;
}

/* What is accepted and not found. Only --probe finds some of it, and a plan that failed leaves checks out. */
static void check_acceptances(struct examined *examined, bool probe)
{
	static const char own[] = "unused_acceptance", probes[] = "probe";
	const struct accepted *accepted = &examined->running->accepted;

	for (size_t i = 0; i < accepted->count && examined->has_plan; i++) {
		const char *name = accepted->all[i].finding.name;
		char remedy[128];

		if (!strcmp(name, own) || has_finding(examined, name) ||
		    (!probe && !strncmp(name, probes, strlen(probes))))
			continue;
		snprintf(remedy, sizeof(remedy), "remove 'accept %s' from the configuration, and apply it", name);
		finding_add(examined, SEVERITY_INFO, "unused_acceptance", remedy,
			    "finding '%s' is accepted and does not occur now; reason: %s", name,
			    accepted->all[i].why.reason);
	}
}

static int examine(struct session *session, struct examined *examined, bool probe)
{
	struct error *error = &session->context->error;
	bool is_hidden;
	char remedy[64];
	int ret = pins_probe(session->context->pin_dir, error);

	if (ret && ret != -ENOENT) {
		finding_add(examined, SEVERITY_ERROR, "bpffs", error->hint, "%s", error->text);
		return 0;
	}
	is_hidden = error->hint[0];
	if (is_hidden)
		finding_add(examined, SEVERITY_WARNING, "bpffs", error->hint,
			    "no bpffs is mounted at /sys/fs/bpf in this process's "
			    "mounts: an instance may be running all the same");
	ret = session_read(session, examined->tunnel);
	if (ret && ret != -ENOENT) {
		snprintf(remedy, sizeof(remedy), "wgvia down %s", examined->tunnel);
		finding_add(examined, SEVERITY_ERROR, "pins", ret == -ESTALE ? remedy : error->hint, "%s", error->text);
		return 0;
	}
	*error = (struct error){};
	examined->host = session->host;
	examined->instance = &session->instance;
	examined->running = &session->state;
	examined->is_running = !ret;
	if (!examined->is_running && !is_hidden)
		check_permissions(examined, session->context->pin_dir);
	ret = session_read_host(session, HOST_NETDEVS | HOST_POLICIES);
	if (!ret)
		ret = plan_for(session, examined);
	if (ret)
		return ret;
	if (examined->is_running)
		gateway_report_read(session->context->pin_dir, examined->tunnel, &examined->report);
	check_host(examined);
	check_threaded_napi(examined);
	if (examined->is_running) {
		check_instance(examined);
		check_gateways(examined);
		check_health(examined);
		check_return(examined);
	}
	check_routes(examined);
	check_coverage(examined);
	check_lans(examined);
	check_kernel_path(examined);
	check_netfilter(examined);
	if (probe)
		check_probe(examined);
	if (examined->is_running)
		check_acceptances(examined, probe);
	return 0;
}

struct words {
	char tunnel[IFNAMSIZ];
	bool probe;
	bool severity_given;
	enum severity severity; /* the lowest that makes the exit status 1 */
};

#define USAGE "IFACE [--probe] [--severity error|warning|info]"

static int parse_severity(const char *text, struct words *words, struct error *error)
{
	int severity = text ? word_find(severity_words, SEVERITY_COUNT, text) : -1;

	if (!text)
		return error_usage(error, "option '--severity' needs a value: error, warning or info");
	if (severity < 0)
		return error_usage(error, "'%s' is not a value of --severity: error, warning or info", text);
	if (words->severity_given)
		return error_usage(error, "option '--severity' is given twice");
	words->severity_given = true;
	words->severity = severity;
	return 0;
}

/* IFACE and the options, in any order. */
static int parse(int argc, char **argv, struct words *words, struct error *error)
{
	static const char severity[] = "--severity=";
	const char *name = NULL;
	int ret = 0;

	*words = (struct words){.severity = SEVERITY_WARNING};
	for (int i = 0; i < argc && !ret; i++) {
		if (!strcmp(argv[i], "--probe"))
			words->probe = true;
		else if (!strcmp(argv[i], "--severity"))
			ret = parse_severity(++i < argc ? argv[i] : NULL, words, error);
		else if (!strncmp(argv[i], severity, strlen(severity)))
			ret = parse_severity(argv[i] + strlen(severity), words, error);
		else if (!strncmp(argv[i], "--", 2))
			return error_usage(error, "unknown option '%s': " USAGE, argv[i]);
		else if (name)
			return error_usage(error, "unexpected word '%s': " USAGE, argv[i]);
		else
			name = argv[i];
	}
	if (!name && !ret)
		return error_usage(error, "which interface? IFACE is missing");
	return ret ? ret : parse_ifname(name, words->tunnel, error);
}

int cmd_check(struct context *context, int argc, char **argv)
{
	cleanup(session_end) struct session session = SESSION(context);
	cleanup(print_release) json *values = print_array();
	struct examined examined = {};
	struct words words;
	int ret;

	if (parse(argc, argv, &words, &context->error))
		return -EINVAL;
	examined.tunnel = words.tunnel;
	ret = examine(&session, &examined, words.probe);
	if (!ret) {
		context->error = (struct error){};
		print_append(values, describe_findings(&examined));
		print_instances(context, values, true, print_findings);
		for (size_t i = 0; i < examined.count; i++)
			context->found |=
				examined.findings[i].severity >= words.severity && !examined.findings[i].reason;
	}
	plan_free(&examined.plan);
	coverage_free(&examined.coverage);
	gateway_report_free(&examined.report);
	free(examined.findings);
	return ret;
}

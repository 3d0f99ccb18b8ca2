// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gauges of the state of instances and their gateways, and counters of its changes.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/prometheus.h"
#include "datapath/index/index_map.h"

static const struct {
	uint8_t family;
	const char *word;
} families[] = {{AF_INET, "ipv4"}, {AF_INET6, "ipv6"}};

/* A sample: begin(), labels, end(). */
static void begin_of(FILE *out, const char *name, const char *tunnel)
{
	fprintf(out, "%s{interface=\"", name);
	prometheus_label(tunnel, out);
	fputc('"', out);
}

static void begin(FILE *out, const char *name, const struct exposed *exposed)
{
	begin_of(out, name, exposed->instance.tunnel);
}

static void add_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, ",%s=\"", name);
	prometheus_label(value, out);
	fputc('"', out);
}

static void end(FILE *out, uint64_t value)
{
	fprintf(out, "} %" PRIu64 "\n", value);
}

static void begin_gateway(FILE *out, const char *name, const struct exposed *exposed, const struct wgvia_hop *hop)
{
	struct wgvia_gateway value = hop_value(hop, 0);
	char via[IP_TEXT_LEN], dev[IFNAMSIZ];
	struct ip ip = gateway_ip(&value);

	begin(out, name, exposed);
	add_label(out, "gateway", ip_text(&ip, via));
	add_label(out, "dev", netdev_name(&exposed->view.host.netdevs, hop->ifindex, dev));
}

static void print_info(FILE *out, const char *name, const struct exposed *exposed)
{
	char abi[16];

	snprintf(abi, sizeof(abi), "%u", exposed->instance.meta.abi);
	begin(out, name, exposed);
	add_label(out, "version", WGVIA_VERSION);
	add_label(out, "abi", abi);
	add_label(out, "mode", word_of(mode_words, WORDS_MODE, exposed->instance.meta.mode));
	end(out, 1);
}

static void print_up(FILE *out, const char *name, const struct exposed *exposed)
{
	begin(out, name, exposed);
	end(out, instance_is_healthy(&exposed->view, NULL, NULL));
}

static void print_agent(FILE *out, const char *name, const struct exposed *exposed)
{
	begin(out, name, exposed);
	end(out, exposed->view.report.agent);
}

static void print_attachment(FILE *out, const char *name, const struct exposed *exposed, uint32_t ifindex,
			     enum wgvia_direction direction, bool attached)
{
	char dev[IFNAMSIZ];

	begin(out, name, exposed);
	add_label(out, "dev", netdev_name(&exposed->view.host.netdevs, ifindex, dev));
	add_label(out, "direction", direction_words[direction]);
	end(out, attached);
}

static bool has_pin(const struct instance *instance, const struct point *point)
{
	for (size_t i = 0; i < instance->attachment_count; i++)
		if (instance->attachments[i].ifindex == point->ifindex &&
		    instance->attachments[i].direction == point->direction)
			return true;
	return false;
}

/* Of the pins, and of devices where a pin is missing. */
static void print_attached(FILE *out, const char *name, const struct exposed *exposed)
{
	const struct points *missing = &exposed->view.missing;

	for (size_t i = 0; i < exposed->instance.attachment_count; i++) {
		const struct attachment *attachment = &exposed->instance.attachments[i];

		print_attachment(out, name, exposed, attachment->ifindex, attachment->direction,
				 attachment->alive && !attachment->moved);
	}
	for (size_t i = 0; i < missing->count; i++)
		if (!has_pin(&exposed->instance, &missing->all[i]) &&
		    netdev_by_index(&exposed->view.host.netdevs, missing->all[i].ifindex))
			print_attachment(out, name, exposed, missing->all[i].ifindex, missing->all[i].direction, false);
}

static void print_prefixes(FILE *out, const char *name, const struct exposed *exposed)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		size_t count = 0;

		for (size_t j = 0; j < exposed->view.state.gateway_count; j++)
			count += exposed->view.state.gateways[j].from.ip.family == families[i].family;
		begin(out, name, exposed);
		add_label(out, "family", families[i].word);
		end(out, count);
	}
}

static void print_unserved(FILE *out, const char *name, const struct exposed *exposed)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		begin(out, name, exposed);
		add_label(out, "family", families[i].word);
		end(out, instance_count_unserved(&exposed->view, families[i].family));
	}
}

static void print_index(FILE *out, const char *name, const struct exposed *exposed)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		size_t count;
		bool known;
		const char *problem =
			index_map_problem(&exposed->instance, &exposed->view.state, families[i].family, &count, &known);

		if (!count || !known) /* none is needed, or the state is unknown */
			continue;
		begin(out, name, exposed);
		add_label(out, "family", families[i].word);
		end(out, !problem);
	}
}

static void print_gateway_up(FILE *out, const char *name, const struct exposed *exposed)
{
	for (size_t i = 0; i < exposed->gateways.count; i++) {
		const struct wgvia_hop *hop = &exposed->gateways.all[i];
		struct gateway_entry entry = {.from.ip.family = hop->family, .value = hop_value(hop, 0)};
		char text[GATEWAY_REPORT_TEXT];

		begin_gateway(out, name, exposed, hop);
		end(out, !instance_gateway_fault(&exposed->view, &entry, text));
	}
}

static void print_gateway_prefixes(FILE *out, const char *name, const struct exposed *exposed)
{
	for (size_t i = 0; i < exposed->gateways.count; i++) {
		begin_gateway(out, name, exposed, &exposed->gateways.all[i]);
		end(out, failover_users(&exposed->view.state, &exposed->gateways.all[i]));
	}
}

static void print_gateway_age(FILE *out, const char *name, const struct exposed *exposed)
{
	const struct gateway_report *report = &exposed->view.report;

	for (size_t i = 0; i < exposed->gateways.count; i++) {
		const struct wgvia_gateway_health *health = gateway_report_find(report, &exposed->gateways.all[i]);

		if (!health || health->state == WGVIA_HEALTH_UNKNOWN)
			continue;
		begin_gateway(out, name, exposed, &exposed->gateways.all[i]);
		end(out, gateway_report_age(report, health));
	}
}

static void print_gateway_transitions(FILE *out, const char *name, const struct exposed *exposed)
{
	for (size_t i = 0; i < exposed->gateways.count; i++) {
		const struct wgvia_hop *hop = &exposed->gateways.all[i];
		const struct wgvia_gateway_health *health = gateway_report_find(&exposed->view.report, hop);

		if (!health)
			continue;
		begin_gateway(out, name, exposed, hop);
		add_label(out, "to", health_words[WGVIA_HEALTH_ALIVE]);
		end(out, health->recoveries);
		begin_gateway(out, name, exposed, hop);
		add_label(out, "to", health_words[WGVIA_HEALTH_DEAD]);
		end(out, health->deaths);
	}
}

static const struct {
	const char *name, *help;
	void (*print)(FILE *out, const char *name, const struct exposed *exposed);
} metrics[] = {
	{"wgvia_info", "Version, ABI and mode of the instance; the value is always 1.", print_info},
	{"wgvia_up", "Whether the instance is healthy, as reported by wgvia health.", print_up},
	{"wgvia_agent_up", "Whether an agent (wgvia run) is running for the instance.", print_agent},
	{"wgvia_attached", "Whether the program that this device needs is attached to it.", print_attached},
	{"wgvia_prefixes", "Prefixes that go via a gateway.", print_prefixes},
	{"wgvia_prefixes_without_gateway", "Prefixes whose gateway is not alive.", print_unserved},
	{"wgvia_index_up", "Whether the index of a family that needs one is in force.", print_index},
	{"wgvia_gateway_up", "Whether a gateway, in use or not, is alive.", print_gateway_up},
	{"wgvia_gateway_prefixes", "Prefixes that go via this gateway now.", print_gateway_prefixes},
	{"wgvia_gateway_state_seconds", "Seconds since the agent found the gateway alive or dead.", print_gateway_age},
	{"wgvia_gateway_transitions_total", "How often the agent has seen the gateway become alive or dead.",
	 print_gateway_transitions},
};

/* Prints the heading as well, which a metric without samples must not have. 0 or -ENOMEM. */
static int print_metric(const struct exposed *all, size_t count, const char (*damaged)[IFNAMSIZ], size_t damaged_count,
			size_t number, FILE *out)
{
	char *samples = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&samples, &len);

	if (!memory)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		metrics[number].print(memory, metrics[number].name, &all[i]);
	for (size_t i = 0; i < damaged_count && metrics[number].print == print_up; i++) {
		begin_of(memory, metrics[number].name, damaged[i]);
		end(memory, 0);
	}
	if (fclose(memory)) {
		free(samples);
		return -ENOMEM;
	}
	if (len)
		fprintf(out, "# HELP %s %s\n# TYPE %s %s\n%s", metrics[number].name, metrics[number].help,
			metrics[number].name, strstr(metrics[number].name, "_total") ? "counter" : "gauge", samples);
	free(samples);
	return 0;
}

int gauges_print(const struct exposed *all, size_t count, const char (*damaged)[IFNAMSIZ], size_t damaged_count,
		 FILE *out)
{
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(metrics) && !ret; i++)
		ret = print_metric(all, count, damaged, damaged_count, i, out);
	return ret;
}

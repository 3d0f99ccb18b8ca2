// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters: base units, `_total` in the name, HELP and TYPE once for each metric.
 */
#include <errno.h>
#include <inttypes.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/message.h"
#include "commands/prometheus.h"
#include "datapath/state_maps.h"
#include "session/instance_list.h"

/* The verdicts that a direction can give, so that a series exists from the first scrape on, and none that never moves.
 */
static const uint32_t possible[WGVIA_DIRECTION_COUNT] = {
	[WGVIA_OUT] = (1u << (WGVIA_REDIRECTED + 1)) - 1,
	[WGVIA_BACK] = 1u << WGVIA_HOP_LIMIT | 1u << WGVIA_TOO_BIG | 1u << WGVIA_NO_GATEWAY | 1u << WGVIA_RETURNED |
		       1u << WGVIA_BOUNCED | 1u << WGVIA_DIRECT | 1u << WGVIA_REFUSED,
	[WGVIA_EGRESS] = 1u << WGVIA_TOO_BIG | 1u << WGVIA_NO_GATEWAY | 1u << WGVIA_RETARGETED | 1u << WGVIA_REFUSED,
};

struct metric {
	const char *name, *help;
	size_t offset; /* in struct wgvia_counter */
};

static const struct metric metrics[] = {
	{"wgvia_packets_total", "Packets by verdict, segments of GSO packets counted singly.",
	 offsetof(struct wgvia_counter, packets)},
	{"wgvia_bytes_total", "Bytes of IP packets by verdict.", offsetof(struct wgvia_counter, bytes)},
};

static const struct metric lost_metrics[] = {
	{"wgvia_lost_packets_total", "Packets that the kernel dropped after a redirect, by its reason.",
	 offsetof(struct wgvia_counter, packets)},
	{"wgvia_lost_bytes_total", "Bytes of IP packets that the kernel dropped after a redirect.",
	 offsetof(struct wgvia_counter, bytes)},
};

static void print_heading(const struct metric *metric, FILE *out)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s counter\n", metric->name, metric->help, metric->name);
}

static uint64_t value_of(const struct metric *metric, const struct wgvia_counter *counter)
{
	return *(const __u64 *)((const char *)counter + metric->offset);
}

void prometheus_label(const char *value, FILE *out)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
}

static void print_counters(const struct exposed *all, size_t count, FILE *out)
{
	for (size_t m = 0; m < ARRAY_SIZE(metrics); m++) {
		print_heading(&metrics[m], out);
		for (size_t i = 0; i < count; i++)
			for (int index = 0; index < WGVIA_COUNTERS; index++) {
				const struct wgvia_counter *counter = &all[i].counters[index];
				int direction = index / WGVIA_VERDICT_COUNT, verdict = index % WGVIA_VERDICT_COUNT;

				if (!(possible[direction] & 1u << verdict))
					continue;
				fprintf(out, "%s{interface=\"", metrics[m].name);
				prometheus_label(all[i].instance.tunnel, out);
				fprintf(out, "\",direction=\"%s\",verdict=\"%s\"} %" PRIu64 "\n",
					direction_words[direction], verdict_words[verdict],
					value_of(&metrics[m], counter));
			}
	}
}

/* Of instances where they are counted: no series says that nothing was lost where nobody knows. */
static void print_lost(const struct exposed *all, size_t count, FILE *out)
{
	for (size_t m = 0; m < ARRAY_SIZE(lost_metrics); m++) {
		bool has_heading = false;

		for (size_t i = 0; i < count; i++)
			for (size_t r = 0; r < all[i].lost.count; r++) {
				const struct lost_count *lost = &all[i].lost.all[r];

				if (!has_heading)
					print_heading(&lost_metrics[m], out);
				has_heading = true;
				fprintf(out, "%s{interface=\"", lost_metrics[m].name);
				prometheus_label(all[i].instance.tunnel, out);
				fprintf(out, "\",reason=\"%s\"} %" PRIu64 "\n", lost->reason,
					value_of(&lost_metrics[m], &lost->counter));
			}
	}
}

struct exposed_list {
	struct exposed *all;
	size_t count;
};

static void close_exposed(struct exposed *exposed)
{
	instance_view_free(&exposed->view);
	instance_close(&exposed->instance);
	hops_free(&exposed->gateways);
	lost_free(&exposed->lost);
}

static void exposed_list_free(struct exposed_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		close_exposed(&list->all[i]);
	free(list->all);
}

/* Takes the instance over. */
static int add_exposed(struct context *context, const struct instance *instance, struct exposed_list *list)
{
	struct exposed *exposed = array_grow(&list->all, &list->count, sizeof(*exposed));
	struct instance lost = *instance;
	int ret;

	if (!exposed) {
		error_system(&context->error, ENOMEM, "cannot read '%s'", lost.tunnel);
		instance_close(&lost);
		return -ENOMEM;
	}
	*exposed = (struct exposed){.instance = *instance};
	ret = instance_view_read(&exposed->instance, &exposed->view, &context->error);
	if (!ret)
		ret = state_maps_read_counters(&exposed->instance, exposed->counters, &context->error);
	if (!ret)
		ret = lost_read(&exposed->instance, &exposed->lost, &context->error);
	if (!ret && failover_hops(&exposed->view.state, &exposed->gateways))
		ret = error_system(&context->error, ENOMEM, "cannot read '%s'", lost.tunnel);
	if (ret) {
		close_exposed(exposed);
		list->count--;
	}
	return ret;
}

int prometheus_print(struct context *context, int argc, char **argv, FILE *out)
{
	cleanup(instance_list_free) struct instance_list list = {};
	cleanup(exposed_list_free) struct exposed_list exposed = {};
	struct instance instance = INSTANCE_NONE;
	int ret = instance_list_read(context, argc, argv, &list);

	if (ret)
		return ret;
	while ((ret = instance_list_next(context, &list, &instance)) > 0) {
		ret = add_exposed(context, &instance, &exposed);
		if (ret && instance_list_fail(context, &list, ret))
			return ret;
	}
	if (ret)
		return ret;
	for (size_t i = 0; i < exposed.count; i++) /* the array has moved while it grew */
		exposed.all[i].view.instance = &exposed.all[i].instance;
	message_no_pin_dir(context);
	print_counters(exposed.all, exposed.count, out);
	print_lost(exposed.all, exposed.count, out);
	if (gauges_print(exposed.all, exposed.count, list.names, list.damaged, out))
		return error_system(&context->error, ENOMEM, "cannot write the output");
	fputs("# EOF\n", out);
	return instance_list_end(context, &list);
}

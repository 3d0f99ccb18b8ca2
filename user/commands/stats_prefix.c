// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia stats [IFACE] --prefix [PREFIX]: packets and bytes of each prefix. Text shows the prefixes that have any, all
 * with -v; JSON has all.
 */
#include "commands/stats_prefix.h"

#include <inttypes.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/counters.h"
#include "commands/message.h"
#include "commands/output.h"
#include "config/parse.h"
#include "datapath/prefix_counters.h"
#include "session/instance_list.h"

static void add_directions(json *value, const struct wgvia_prefix_counter *counter)
{
	print_add(value, "out", counter_value(&counter->out));
	print_add(value, "back", counter_value(&counter->back));
}

static json *describe_prefix(void *data, size_t index)
{
	const struct prefix_counts *counts = data;
	char text[PREFIX_TEXT_LEN];
	json *value = print_object();

	print_add_text(value, "prefix", prefix_text(&counts->all[index].prefix, text));
	add_directions(value, &counts->all[index].counter);
	return value;
}

static void release_counts(void *data)
{
	prefix_counts_free(data);
	free(data);
}

/* Takes what `counts` points to over. */
static json *describe_counts(const char *tunnel, struct prefix_counts *counts, bool has_other)
{
	json *value = print_object(), *other = print_object();

	print_add_text(value, "interface", tunnel);
	print_add_text(value, "counters", counting_words[counts->counted]);
	print_add(value, "prefixes", print_rows(counts->count, describe_prefix, counts));
	add_directions(other, &counts->other);
	if (has_other)
		print_add(value, "other", other);
	else
		print_release(&other);
	print_keep(value, counts, release_counts);
	return value;
}

static void keep_within(struct prefix_counts *counts, const struct prefix *within)
{
	size_t kept = 0;

	for (size_t i = 0; i < counts->count; i++)
		if (prefix_covers(within, &counts->all[i].prefix))
			counts->all[kept++] = counts->all[i];
	counts->count = kept;
}

static int refuse_off(struct error *error, const char *tunnel)
{
	error_refuse(error, "'%s' does not count by prefix", tunnel);
	error_hint(error, "the words 'counters prefix' of 'up' switch it on");
	return -EINVAL;
}

static int read_counts(struct context *context, const struct instance *instance, const struct prefix *within,
		       bool is_named, struct prefix_counts *counts)
{
	char text[PREFIX_TEXT_LEN];
	int ret = prefix_counters_read(instance, counts, &context->error);

	if (ret)
		return ret;
	if (is_named && !counts->counted)
		return refuse_off(&context->error, instance->tunnel);
	if (!within)
		return 0;
	keep_within(counts, within);
	if (is_named && !counts->count)
		return error_refuse(&context->error, "'%s' has no prefix inside '%s'", instance->tunnel,
				    prefix_text(within, text));
	return 0;
}

struct wanted {
	const struct prefix *within; /* NULL: all */
	bool is_named;		     /* the instance, by the user */
	json *values;
};

static int add_instance(struct context *context, const struct instance *instance, void *data)
{
	const struct wanted *wanted = data;
	struct prefix_counts *counts = calloc(1, sizeof(*counts));
	int ret;

	if (!counts)
		return error_system(&context->error, ENOMEM, "cannot read '%s'", instance->tunnel);
	ret = read_counts(context, instance, wanted->within, wanted->is_named, counts);
	if (ret)
		release_counts(counts);
	else
		print_append(wanted->values,
			     describe_counts(instance->tunnel, counts, counts->counted && !wanted->within));
	return ret;
}

static void print_row(const struct context *context, const char *name, const json *item)
{
	const json *out = print_member(item, "out"), *back = print_member(item, "back");

	if (context->verbose || print_number(out, "packets") || print_number(back, "packets"))
		printf("    %-20s out %12" PRIu64 " packets %16" PRIu64 " bytes  back %12" PRIu64 " packets %16" PRIu64
		       " bytes\n",
		       name, print_number(out, "packets"), print_number(out, "bytes"), print_number(back, "packets"),
		       print_number(back, "bytes"));
}

static void print_prefix(const json *item, void *data)
{
	print_row(data, print_text(item, "prefix"), item);
}

static void print_counts(const struct context *context, const json *value)
{
	bool is_off = !strcmp(print_text(value, "counters"), counting_words[WGVIA_COUNT_VERDICTS]);

	printf("%s:%s\n", print_text(value, "interface"), is_off ? " counters off" : "");
	print_visit(print_member(value, "prefixes"), print_prefix, (void *)context);
	if (print_member(value, "other"))
		print_row(context, "other", print_member(value, "other"));
}

int stats_prefixes(struct context *context, int argc, char **argv, const char *within)
{
	cleanup(instance_list_free) struct instance_list list = {};
	cleanup(print_release) json *values = print_array();
	struct prefix prefix;
	struct wanted wanted = {within ? &prefix : NULL, argc, values};
	int ret = within ? parse_prefix(within, &prefix, &context->error) : 0;

	ret = ret ? ret : instance_list_visit(context, argc, argv, &list, add_instance, &wanted);
	if (ret)
		return ret;
	message_no_pin_dir(context);
	print_instances(context, values, argc, print_counts);
	return instance_list_end(context, &list);
}

/* --- metrics --- */

/*
 * The others are a gauge: if one of them is removed, or gets a series of its own, their sum decreases, and a decrease
 * of a counter means a restart.
 */
static const struct metric {
	const char *name, *help, *other_name, *other_help;
	size_t offset; /* in struct wgvia_counter */
} metrics[] = {
	{"wgvia_prefix_packets_total", "Packets by prefix, out to a gateway and back to the prefix.",
	 "wgvia_prefix_other_packets", "Packets of all other prefixes.", offsetof(struct wgvia_counter, packets)},
	{"wgvia_prefix_bytes_total", "Bytes of IP packets by prefix.", "wgvia_prefix_other_bytes",
	 "Bytes of IP packets of all other prefixes.", offsetof(struct wgvia_counter, bytes)},
};

/* `prefix` NULL: the others. */
static void print_series(const struct metric *metric, const char *tunnel, const char *prefix,
			 const struct wgvia_prefix_counter *counter, FILE *out)
{
	for (int back = 0; back <= 1; back++) {
		const struct wgvia_counter *values = back ? &counter->back : &counter->out;

		fprintf(out, "%s{interface=\"", prefix ? metric->name : metric->other_name);
		prometheus_label(tunnel, out);
		if (prefix)
			fprintf(out, "\",prefix=\"%s", prefix);
		fprintf(out, "\",direction=\"%s\"} %" PRIu64 "\n", back ? "back" : "out",
			(uint64_t)*(const __u64 *)((const char *)values + metric->offset));
	}
}

static void print_prefixes(const struct metric *metric, const struct exposed *exposed, FILE *out)
{
	const struct prefix_counts *counts = &exposed->prefixes;
	char text[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < counts->count; i++)
		print_series(metric, exposed->instance.tunnel, prefix_text(&counts->all[i].prefix, text),
			     &counts->all[i].counter, out);
}

static void print_metric(const struct metric *metric, bool is_other, const struct exposed *all, size_t count, FILE *out)
{
	const char *name = is_other ? metric->other_name : metric->name;
	bool has_heading = false;

	for (size_t i = 0; i < count; i++) {
		const struct prefix_counts *counts = &all[i].prefixes;

		if (is_other ? !counts->counted : !counts->count)
			continue;
		if (!has_heading)
			fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, is_other ? metric->other_help : metric->help,
				name, is_other ? "gauge" : "counter");
		has_heading = true;
		if (is_other)
			print_series(metric, all[i].instance.tunnel, NULL, &counts->other, out);
		else
			print_prefixes(metric, &all[i], out);
	}
}

void stats_prefix_metrics(const struct exposed *all, size_t count, FILE *out)
{
	for (size_t m = 0; m < ARRAY_SIZE(metrics); m++) {
		print_metric(&metrics[m], false, all, count, out);
		print_metric(&metrics[m], true, all, count, out);
	}
}

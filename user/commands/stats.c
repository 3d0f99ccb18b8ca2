// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia stats [IFACE] [--prefix [PREFIX] | --watch [SECONDS] | --prometheus [SERIES]]: packets and bytes by verdict,
 * and packets that the kernel dropped after a redirect, by its reason. Text shows those that occurred, with -v all;
 * JSON shows all.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/counters.h"
#include "commands/message.h"
#include "commands/output.h"
#include "commands/prometheus.h"
#include "commands/stats_prefix.h"
#include "datapath/state_maps.h"

static void add_lost(json *value, const struct lost_counts *lost)
{
	json *by_reason = lost->problem ? NULL : print_object();

	for (size_t i = 0; i < lost->count; i++)
		print_add(by_reason, lost->all[i].reason, counter_value(&lost->all[i].counter));
	print_add(value, "lost", by_reason);
	if (lost->problem)
		print_add_text(value, "lost_problem", lost->problem);
}

static json *describe_sample(const struct sample *sample)
{
	json *value = print_object(), *sums = print_object(), *directions = print_object();

	for (int verdict = 0; verdict < WGVIA_VERDICT_COUNT; verdict++) {
		struct wgvia_counter sum = sample_sum(sample, verdict);

		print_add(sums, verdict_words[verdict], counter_value(&sum));
	}
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++) {
		json *by_verdict = print_object();

		for (int verdict = 0; verdict < WGVIA_VERDICT_COUNT; verdict++)
			print_add(by_verdict, verdict_words[verdict],
				  counter_value(&sample->counters[WGVIA_COUNTER(direction, verdict)]));
		print_add(directions, direction_words[direction], by_verdict);
	}
	print_add_text(value, "interface", sample->tunnel);
	print_add(value, "counters", sums);
	print_add(value, "directions", directions);
	add_lost(value, &sample->lost);
	return value;
}

/* Prints those that occurred, with -v all. */
static void print_occurred(const struct context *context, const json *counters, int indent, int width)
{
	json_object_object_foreach (counters, word, counter) {
		uint64_t packets = print_number(counter, "packets");

		if (packets || context->verbose)
			printf("%*s%-*s %12" PRIu64 " packets %16" PRIu64 " bytes\n", indent, "", width, word, packets,
			       print_number(counter, "bytes"));
	}
}

static void print_lost(const struct context *context, const json *value)
{
	const json *lost = print_member(value, "lost");
	uint64_t packets = 0;

	if (!lost) {
		printf("    lost after the redirect: unknown, %s\n", print_text(value, "lost_problem"));
		return;
	}
	json_object_object_foreach (lost, reason, counter) {
		(void)reason;
		packets += print_number(counter, "packets");
	}
	printf("    lost after the redirect:%s\n", packets ? "" : " nothing");
	print_occurred(context, lost, 8, 20);
}

static void print_counters(const struct context *context, const json *value)
{
	printf("%s:\n", print_text(value, "interface"));
	print_occurred(context, print_member(value, "counters"), 4, 10);
	print_lost(context, value);
}

static int show_once(struct context *context, int argc, char **argv)
{
	cleanup(samples_free) struct samples samples = {};
	cleanup(print_release) json *values = print_array();
	int ret = samples_take(context, argc, argv, true, &samples);

	if (ret && !samples.count)
		return ret;
	message_no_pin_dir(context);
	for (size_t i = 0; i < samples.count; i++)
		print_append(values, describe_sample(&samples.all[i]));
	print_instances(context, values, argc, print_counters);
	return ret;
}

/* The number after --watch, or 1 second. */
static int take_seconds(struct context *context, int *argc, char **argv, int at, double *seconds)
{
	char *end;

	*seconds = 1;
	if (at + 1 == *argc)
		return 0;
	*seconds = strtod(argv[at + 1], &end);
	if (*end || end == argv[at + 1])
		return error_usage(&context->error, "--watch '%s' is not a number of seconds", argv[at + 1]);
	if (!isfinite(*seconds) || *seconds < 0.1 || *seconds > 86400)
		return error_usage(&context->error, "--watch '%s' is not from 0.1 to 86400 seconds", argv[at + 1]);
	(*argc)--;
	return 0;
}

/* The number after --prometheus, where there is one. */
static int take_series(struct context *context, int argc, char **argv, int at, size_t *series)
{
	unsigned long number;
	char *end;

	*series = PREFIX_SERIES;
	if (at + 1 == argc)
		return 0;
	number = strtoul(argv[at + 1], &end, 10);
	if (*end || argv[at + 1][0] < '0' || argv[at + 1][0] > '9' || number > TABLES_MAX)
		return error_usage(&context->error, "--prometheus '%s' is not a number of prefixes: 0 to %u",
				   argv[at + 1], TABLES_MAX);
	*series = number;
	return 0;
}

static int print_metrics(struct context *context, int argc, char **argv, int at)
{
	size_t series;

	if (context->json)
		return error_usage(&context->error, "--prometheus cannot be combined with -j");
	if (at + 2 < argc)
		return error_usage(&context->error, "unexpected word '%s' after --prometheus", argv[at + 2]);
	if (take_series(context, argc, argv, at, &series))
		return -EINVAL;
	return prometheus_print(context, at, argv, series, stdout);
}

/* The option and its value are last in the line. */
int cmd_stats(struct context *context, int argc, char **argv)
{
	int at = argc && !strncmp(argv[0], "--", 2) ? 0 : 1;
	double seconds;

	if (at >= argc)
		return show_once(context, argc, argv);
	if (!strcmp(argv[at], "--prometheus"))
		return print_metrics(context, argc, argv, at);
	if (!strcmp(argv[at], "--prefix")) {
		if (at + 2 < argc)
			return error_usage(&context->error, "unexpected word '%s' after --prefix", argv[at + 2]);
		return stats_prefixes(context, at, argv, at + 1 < argc ? argv[at + 1] : NULL);
	}
	if (!strcmp(argv[at], "--watch")) {
		if (take_seconds(context, &argc, argv, at, &seconds))
			return -EINVAL;
		if (at + 1 < argc)
			return error_usage(&context->error, "unexpected word '%s' after --watch", argv[argc]);
		return samples_watch(context, at, argv, seconds);
	}
	return error_usage(
		&context->error,
		"unexpected word '%s': [IFACE] [--prefix [PREFIX] | --watch [SECONDS] | --prometheus [SERIES]]",
		argv[at]);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia stats [IFACE]: packets and bytes by verdict. Text shows those that occurred, all with -v; JSON has all.
 */
#include <inttypes.h>
#include <stdio.h>

#include "print.h"
#include "running.h"
#include "tables.h"
#include "words.h"

static json *counter_value(const struct wgvia_counter *counter)
{
	json *value = print_object();

	print_add_number(value, "packets", counter->packets);
	print_add_number(value, "bytes", counter->bytes);
	return value;
}

static int describe(struct context *context, const struct instance *instance, struct json_object *values)
{
	struct wgvia_counter counters[WGVIA_COUNTERS];
	json *value, *sums, *directions;
	int ret = tables_read_counters(instance, counters, &context->error);

	if (ret)
		return ret;
	value = print_object();
	sums = print_object();
	directions = print_object();
	print_add_text(value, "interface", instance->tunnel);
	for (int verdict = 0; verdict < WGVIA_VERDICT_COUNT; verdict++) {
		struct wgvia_counter sum = {};

		for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++) {
			sum.packets += counters[WGVIA_COUNTER(direction, verdict)].packets;
			sum.bytes += counters[WGVIA_COUNTER(direction, verdict)].bytes;
		}
		print_add(sums, verdict_words[verdict], counter_value(&sum));
	}
	print_add(value, "counters", sums);
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++) {
		json *by_verdict = print_object();

		for (int verdict = 0; verdict < WGVIA_VERDICT_COUNT; verdict++)
			print_add(by_verdict, verdict_words[verdict],
				  counter_value(&counters[WGVIA_COUNTER(direction, verdict)]));
		print_add(directions, direction_words[direction], by_verdict);
	}
	print_add(value, "directions", directions);
	print_append(values, value);
	return 0;
}

static void print_counters(const struct context *context, const json *value)
{
	printf("%s:\n", print_text(value, "interface"));
	json_object_object_foreach(print_member(value, "counters"), word, counter)
	{
		uint64_t packets = print_number(counter, "packets");

		if (packets || context->verbose)
			printf("    %-10s %12" PRIu64 " packets %16" PRIu64 " bytes\n", word, packets,
			       print_number(counter, "bytes"));
	}
}

int cmd_stats(struct context *context, int argc, char **argv)
{
	__attribute__((cleanup(print_put))) json *values = print_array();
	int ret = running_each(context, argc, argv, describe, values);

	if (!ret)
		print_instances(context, values, argc, print_counters);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sum of an instance's prefixes.
 */
#include "commands/show_brief.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/color.h"

struct sum {
	json *gateways; /* by "ADDRESS dev DEV" */
	uint64_t prefixes, unusable;
};

static void add_prefix(const json *prefix, void *data)
{
	struct sum *sum = data;
	json *neighbour = print_member(prefix, "neighbour"), *gateway;
	char key[128];

	sum->prefixes++;
	sum->unusable += !print_bool(prefix, "usable");
	snprintf(key, sizeof(key), "%s dev %s", print_text(prefix, "via"), print_text(prefix, "dev"));
	if (print_member(sum->gateways, key))
		return;
	gateway = print_object();
	print_add_text(gateway, "via", print_text(prefix, "via"));
	print_add_text(gateway, "dev", print_text(prefix, "dev"));
	print_add_bool(gateway, "usable", print_bool(prefix, "usable"));
	if (neighbour)
		print_add(gateway, "neighbour", json_object_get(neighbour));
	print_add(sum->gateways, key, gateway);
}

json *show_brief(const json *instance)
{
	static const char *const same[] = {"interface", "state", "mode"};
	json *value = print_object(), *gateways = print_array();
	struct sum sum = {.gateways = print_object()};

	print_visit(print_member(instance, "prefixes"), add_prefix, &sum);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		print_add_text(value, same[i], print_text(instance, same[i]));
	print_add_number(value, "prefix_count", sum.prefixes);
	print_add_number(value, "unusable_count", sum.unusable);
	json_object_object_foreach (sum.gateways, key, gateway) {
		(void)key;
		print_append(gateways, json_object_get(gateway));
	}
	print_release(&sum.gateways);
	print_add(value, "gateways", gateways);
	return value;
}

void show_brief_print(const struct context *context, const json *value)
{
	json *gateways = print_member(value, "gateways");

	(void)context;
	printf("%-15s %-10s %-5s prefixes %" PRIu64, print_text(value, "interface"), print_text(value, "state"),
	       print_text(value, "mode"), print_number(value, "prefix_count"));
	if (print_number(value, "unusable_count"))
		printf(" %sUNUSABLE %" PRIu64 "%s", color_bad(stdout), print_number(value, "unusable_count"),
		       color_off(stdout));
	for (size_t i = 0; i < json_object_array_length(gateways); i++) {
		const json *gateway = json_object_array_get_idx(gateways, i);
		const json *neighbour = print_member(gateway, "neighbour");
		const char *state = neighbour ? print_text(neighbour, "state") : "UNUSABLE";
		bool dead = !strcmp(state, "FAILED") || !strcmp(state, "UNUSABLE");

		printf("%s%s %s%s%s", i ? ", " : " via ", print_text(gateway, "via"), dead ? color_bad(stdout) : "",
		       state, dead ? color_off(stdout) : "");
	}
	putchar('\n');
}

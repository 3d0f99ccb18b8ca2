// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia health IFACE: reports by its exit status whether the instance is healthy, for keepalived's track_script. It
 * runs every second, so it takes no lock and sends nothing: it reads maps, links, neighbour entries and the agent's
 * report.
 */
#include <stdio.h>

#include "base/util.h"
#include "commands/color.h"
#include "commands/output.h"
#include "session/instance_list.h"
#include "session/instance_view.h"

#define REASONS 16 /* maximum number that is printed */

static void add_reason(void *data, const char *reason)
{
	if (json_object_array_length(data) < REASONS)
		print_append_text(data, reason);
}

static json *describe_health(const struct instance_view *view)
{
	json *value = print_object(), *reasons = print_array();

	print_add_text(value, "interface", view->instance->tunnel);
	print_add_bool(value, "healthy", instance_is_healthy(view, add_reason, reasons));
	print_add_bool(value, "agent", view->report.agent);
	print_add(value, "reasons", reasons);
	return value;
}

static void print_reason(const json *item)
{
	printf("    %s\n", json_object_get_string((json *)item));
}

static void print_health(const struct context *context, const json *value)
{
	(void)context;
	if (print_bool(value, "healthy"))
		printf("%s: healthy\n", print_text(value, "interface"));
	else
		printf("%s: %snot healthy%s\n", print_text(value, "interface"), color_bad(stdout), color_off(stdout));
	print_each(print_member(value, "reasons"), print_reason);
}

int cmd_health(struct context *context, int argc, char **argv)
{
	cleanup(instance_list_free) struct instance_list list = {};
	cleanup(instance_view_free) struct instance_view view = {};
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	cleanup(print_release) json *values = print_array();
	json *value;
	int ret;

	if (!argc)
		return error_usage(&context->error, "IFACE is missing");
	ret = instance_list_read(context, argc, argv, &list);
	if (!ret)
		ret = instance_list_next(context, &list, &instance);
	if (ret > 0)
		ret = instance_view_read_health(&instance, &view, &context->error);
	if (ret)
		return ret;
	value = describe_health(&view);
	context->found = !print_bool(value, "healthy");
	print_append(values, value);
	print_instances(context, values, true, print_health);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names from the command line or from the pins. Instances that cannot be opened are reported at the end.
 */
#include "session/instance_list.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "config/parse.h"
#include "datapath/pins.h"

int instance_list_read(struct context *context, int argc, char **argv, struct instance_list *list)
{
	char tunnel[IFNAMSIZ];
	int ret;

	if (argc > 1)
		return error_usage(&context->error, "unexpected word '%s': one IFACE at most", argv[1]);
	if (argc && parse_ifname(argv[0], tunnel, &context->error))
		return -EINVAL;
	ret = pins_probe(context->pin_dir, &context->error);
	if (ret && ret != -ENOENT)
		return ret;
	if (argc) {
		list->is_named = true;
		list->names = array_grow(&list->names, &list->count, sizeof(*list->names));
		if (!list->names)
			return error_system(&context->error, ENOMEM, "cannot open '%s'", tunnel);
		memcpy(list->names[0], tunnel, sizeof(tunnel));
		return 0;
	}
	if (ret)
		return 0; /* no folder means no instances */
	ret = pins_list(context->pin_dir, &list->names, &list->count);
	return ret ? error_system(&context->error, -ret, "cannot read '%s'", context->pin_dir) : 0;
}

int instance_list_fail(struct context *context, struct instance_list *list, int err)
{
	if (list->is_named)
		return err;
	if (!list->broken++)
		list->problem = context->error;
	/* without its tunnel it may belong to another network namespace; the list no longer needs its first names */
	if (err == -EPROTO && if_nametoindex(list->names[list->next - 1]))
		memmove(list->names[list->damaged++], list->names[list->next - 1], sizeof(*list->names));
	context->error = (struct error){};
	return 0;
}

int instance_list_next(struct context *context, struct instance_list *list, struct instance *instance)
{
	while (list->next < list->count) {
		int ret = instance_open_running(context->pin_dir, list->names[list->next++], instance, &context->error);

		if (ret == -ESTALE && list->with_orphans) {
			context->error = (struct error){};
			ret = 0;
		}
		if (!ret)
			return 1;
		instance_close(instance);
		/* of another namespace, of one that no longer exists, or removed meanwhile */
		if (!list->is_named && (ret == -EBUSY || ret == -ESTALE || ret == -ENOENT))
			context->error = (struct error){};
		else if (instance_list_fail(context, list, ret))
			return ret;
	}
	return 0;
}

int instance_list_visit(struct context *context, int argc, char **argv, struct instance_list *list,
			int (*visit)(struct context *context, const struct instance *instance, void *data), void *data)
{
	struct instance instance = INSTANCE_NONE;
	int ret = instance_list_read(context, argc, argv, list);

	if (ret)
		return ret;
	while ((ret = instance_list_next(context, list, &instance)) > 0) {
		ret = visit(context, &instance, data);
		instance_close(&instance);
		if (ret && instance_list_fail(context, list, ret))
			return ret;
	}
	return ret;
}

int instance_list_end(struct context *context, const struct instance_list *list)
{
	char more[MORE_TEXT_LEN];
	size_t len;

	if (!list->broken)
		return 0;
	context->error = list->problem;
	len = strlen(context->error.text);
	snprintf(context->error.text + len, sizeof(context->error.text) - len, "%s", more_text(list->broken, more));
	return -EIO;
}

void instance_list_free(struct instance_list *list)
{
	free(list->names);
}

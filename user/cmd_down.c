// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia down IFACE. The interface may be gone: wg-quick removes it before PostDown. Nothing to do is a success.
 */
#include "agent_lock.h"
#include "command.h"
#include "dataplane.h"
#include "parse.h"
#include "pins.h"
#include "util.h"

int cmd_down(struct context *context, int argc, char **argv)
{
	struct error *error = &context->error;
	char tunnel[IFNAMSIZ];
	cleanup_fd int lock = -1;
	int ret;

	if (argc != 1)
		return argc ? error_usage(error, "unexpected word '%s': one IFACE", argv[1])
			    : error_usage(error, "which interface? IFACE is missing");
	if (parse_ifname(argv[0], tunnel, error))
		return -EINVAL;
	ret = pins_probe(context->pin_dir, error);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	lock = pins_lock(context->pin_dir, error);
	if (lock < 0)
		return lock == -ENOENT ? 0 : lock;
	ret = dataplane_recover(context->pin_dir, tunnel, error);
	if (ret)
		return ret;
	ret = dataplane_remove(context->pin_dir, tunnel, error);
	if (ret && ret != -ENOENT)
		return ret;
	if (agent_is_alive(context->pin_dir, tunnel))
		agent_poke(context->pin_dir, tunnel);
	else
		agent_lock_remove(context->pin_dir, tunnel);
	pins_tidy(context->pin_dir);
	return 0;
}

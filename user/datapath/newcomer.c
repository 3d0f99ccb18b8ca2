// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/newcomer.h"

#include "base/util.h"
#include "datapath/instance.h"
#include "datapath/qdisc.h"

static int attach_guard(const struct instance *running, const struct point *point, int program, struct error *error)
{
	struct attachment attachment = {.direction = point->direction, .ifindex = point->ifindex};
	bool made = false;
	int ret = attach_choose_kind(program, &attachment.kind, error);

	if (!ret && attachment.kind == ATTACH_CLSACT) {
		attachment.handle = attach_handle(running->meta.tunnel_ifindex, running->tunnel);
		ret = qdisc_make(running->folder, point->ifindex, &made, error);
	}
	ret = ret ? ret : attach_add(running->folder, &attachment, program, error);
	if (ret && made)
		qdisc_remove(running->folder, point->ifindex);
	return ret;
}

int newcomer_guard(const char *root, const char *tunnel, const struct programs *programs, const struct netdev *netdev,
		   struct error *error)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	const struct point point = {WGVIA_EGRESS, netdev->ifindex, netdev_is_l3(netdev)};
	int program = programs->fds[program_at(point.direction, point.l3)];
	cleanup_fd int lock = -1;
	int ret;

	if (program < 0)
		return 0;
	ret = instance_open_locked(root, tunnel, &running, &lock, error);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (!programs_fit(programs, &running) || instance_attachment(&running, &point))
		return 0;
	ret = attach_guard(&running, &point, program, error);
	return ret ? ret : 1;
}

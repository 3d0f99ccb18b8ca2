// SPDX-License-Identifier: GPL-2.0-only
#include "newcomer.h"

#include "instance.h"
#include "pins.h"
#include "util.h"

static int attach(const struct instance *running, const struct point *point, int program, struct error *error)
{
	struct attachment attachment = {.direction = point->direction, .ifindex = point->ifindex};
	bool made = false;
	int ret = attach_choose_kind(program, &attachment.kind, error);

	if (!ret && attachment.kind == ATTACH_CLSACT) {
		attachment.handle = attach_handle(running->meta.tunnel_ifindex, running->tunnel);
		ret = attach_make_qdisc(running->folder, point->ifindex, &made, error);
	}
	ret = ret ? ret : attach_add(running->folder, &attachment, program, error);
	if (ret && made)
		attach_remove_qdisc(running->folder, point->ifindex);
	return ret;
}

int newcomer_guard(const char *root, const char *tunnel, const struct programs *programs, const struct link *link,
		   struct error *error)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	const struct point point = {WGVIA_EGRESS, link->ifindex, link_is_l3(link)};
	int program = programs->fds[program_at(point.direction, point.l3)];
	cleanup_fd int lock = -1;
	int ret = 0;

	if (program < 0)
		return 0;
	lock = pins_lock(root, error);
	if (lock < 0)
		return lock == -ENOENT ? 0 : lock;
	ret = instance_open(root, tunnel, &running, error);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (!programs_fit(programs, &running) || instance_attachment(&running, &point))
		return 0;
	return attach(&running, &point, program, error);
}

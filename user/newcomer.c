// SPDX-License-Identifier: GPL-2.0-only
#include "newcomer.h"

#include "instance.h"
#include "pins.h"
#include "util.h"

static bool stands_at(const struct instance *running, uint32_t ifindex)
{
	for (size_t i = 0; i < running->attachment_count; i++)
		if (running->attachments[i].alive && running->attachments[i].direction == WGVIA_EGRESS &&
		    running->attachments[i].ifindex == ifindex)
			return true;
	return false;
}

static int attach(const struct instance *running, uint32_t ifindex, int program, struct error *error)
{
	struct attachment point = {.direction = WGVIA_EGRESS, .ifindex = ifindex};
	bool made = false;
	int ret = attach_choose_kind(program, &point.kind, error);

	if (!ret && point.kind == ATTACH_CLSACT) {
		point.handle = attach_handle(running->meta.tunnel_ifindex, running->tunnel);
		ret = attach_make_qdisc(running->folder, ifindex, &made, error);
	}
	ret = ret ? ret : attach_add(running->folder, &point, program, error);
	if (ret && made)
		attach_remove_qdisc(running->folder, ifindex);
	return ret;
}

int newcomer_guard(const char *root, const char *tunnel, const struct programs *programs, const struct link *link,
		   struct error *error)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	int program = programs->fds[program_at(WGVIA_EGRESS, link_is_l3(link))];
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
	if (!programs_fit(programs, &running) || stands_at(&running, link->ifindex))
		return 0;
	return attach(&running, link->ifindex, program, error);
}

// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/leaver.h"

#include "base/util.h"
#include "datapath/instance.h"
#include "datapath/pins.h"

int leaver_release(const char *root, const char *tunnel, uint32_t ifindex, uint32_t *directions, struct error *error)
{
	cleanup(instance_close) struct instance running = INSTANCE_NONE;
	char folder[PINS_PATH_MAX];
	cleanup_fd int lock = -1;
	int ret = pins_path(folder, root, tunnel, PINS_CURRENT, NULL);

	*directions = 0;
	if (ret || !attach_has_pin(folder, ifindex))
		return ret;
	ret = instance_open_locked(root, tunnel, &running, &lock, error);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (size_t i = 0; i < running.attachment_count; i++) {
		const struct attachment *attachment = &running.attachments[i];
		int failed = 0;

		if (attachment->ifindex != ifindex || !attachment->moved)
			continue;
		failed = attach_remove(running.folder, attachment);
		if (!failed)
			*directions |= 1u << attachment->direction;
		ret = ret ? ret : failed;
	}
	return ret;
}

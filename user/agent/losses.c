// SPDX-License-Identifier: GPL-2.0-only
#include "agent/losses.h"

#include <errno.h>
#include <string.h>

#include "agent/log.h"
#include "base/util.h"
#include "datapath/instance.h"
#include "datapath/lost.h"

/* -ENOENT: there is no instance. */
static int attach(const char *pin_dir, const char *tunnel)
{
	cleanup(instance_close) struct instance instance = INSTANCE_NONE;
	struct error ignored = {};
	cleanup_fd int lock = -1;

	if (instance_open_locked(pin_dir, tunnel, &instance, &lock, &ignored) || !instance_is_running(&instance))
		return -ENOENT;
	return lost_attach(&instance);
}

/* For want of something: the next try may succeed. */
static bool is_temporary(int ret)
{
	return ret == -ENOMEM || ret == -EAGAIN || ret == -EINTR || ret == -EMFILE || ret == -ENFILE || ret == -ENOBUFS;
}

void losses_keep(struct losses *losses, const char *pin_dir, const char *tunnel)
{
	int ret;

	if (losses->failed || (losses->counted && lost_is_counted_at(pin_dir, tunnel)))
		return;
	ret = attach(pin_dir, tunnel);
	losses->counted = !ret;
	if (!ret || ret == -ENOENT)
		return;
	losses->failed = !is_temporary(ret);
	if (!losses->told)
		log_line(EVENT_PROBLEM, JOURNAL_NOTICE,
			 "cannot count packets that the kernel drops after a redirect: %s", strerror(-ret));
	losses->told = true;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "host/unix_listener.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "host/attributes.h"
#include "host/netlink.h"

struct search {
	uint32_t ino, dev;
	bool found;
};

static int on_socket(const struct nlmsghdr *header, void *data)
{
	struct attributes attributes = attributes_of(header, sizeof(struct unix_diag_msg));
	const struct nlattr *attribute = attributes.of[UNIX_DIAG_VFS];
	struct search *search = data;
	struct unix_diag_vfs vfs;

	if (!attribute || mnl_attr_get_payload_len(attribute) < sizeof(vfs))
		return MNL_CB_OK;
	memcpy(&vfs, mnl_attr_get_payload(attribute), sizeof(vfs));
	search->found |= vfs.udiag_vfs_ino == search->ino && vfs.udiag_vfs_dev == search->dev;
	return MNL_CB_OK;
}

int unix_listener_is_own(const char *path)
{
	cleanup(netlink_close) struct netlink *netlink = NULL;
	struct unix_diag_req *request;
	struct nlmsghdr *header;
	struct search search;
	struct stat st;
	int ret;

	if (stat(path, &st))
		return -errno;
	/* a device number in the kernel's format (MKDEV()) */
	search = (struct search){(uint32_t)st.st_ino, major(st.st_dev) << 20 | minor(st.st_dev), false};
	ret = netlink_open(&netlink, NETLINK_SOCK_DIAG);
	if (ret)
		return ret;
	header = netlink_request(netlink, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(*request));
	request = mnl_nlmsg_get_payload(header);
	*request = (struct unix_diag_req){
		.sdiag_family = AF_UNIX, .udiag_states = 1 << TCP_LISTEN, .udiag_show = UDIAG_SHOW_VFS};
	ret = netlink_ask(netlink, header, on_socket, &search);
	return ret ? ret : search.found;
}

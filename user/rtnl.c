// SPDX-License-Identifier: GPL-2.0-only
/*
 * A socket of rtnetlink, and how a question is put to it, by libmnl.
 */
#include "rtnl_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* Room for a dump's datagram: libmnl's recommendation is smaller than what the kernel sends with many VFs. */
#define BUFFER_SIZE 32768

struct rtnl {
	struct mnl_socket *socket;
	uint32_t seq;
	char buffer[BUFFER_SIZE];
};

int rtnl_open(struct rtnl **rtnl)
{
	struct rtnl *opened = calloc(1, sizeof(*opened));
	int on = 1;

	if (!opened)
		return -ENOMEM;
	opened->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!opened->socket || mnl_socket_bind(opened->socket, 0, MNL_SOCKET_AUTOPID)) {
		int err = errno;

		rtnl_close(&opened);
		return -err;
	}
	/* dumps filtered by the kernel: with 1,000,000 routes it matters; without it we filter ourselves */
	mnl_socket_setsockopt(opened->socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	opened->seq = (uint32_t)time(NULL);
	*rtnl = opened;
	return 0;
}

void rtnl_close(struct rtnl **rtnl)
{
	if (!*rtnl)
		return;
	if ((*rtnl)->socket)
		mnl_socket_close((*rtnl)->socket);
	free(*rtnl);
	*rtnl = NULL;
}

struct nlmsghdr *rtnl_request(struct rtnl *rtnl, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(rtnl->buffer);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++rtnl->seq;
	return header;
}

int rtnl_ask(struct rtnl *rtnl, const struct nlmsghdr *header, mnl_cb_t callback, void *data)
{
	unsigned int port = mnl_socket_get_portid(rtnl->socket);
	bool dump = header->nlmsg_flags & NLM_F_DUMP;
	uint32_t seq = header->nlmsg_seq;
	int ret = MNL_CB_OK;

	if (mnl_socket_sendto(rtnl->socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (ret > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(rtnl->socket, rtnl->buffer, sizeof(rtnl->buffer));

		if (len < 0)
			return -errno;
		ret = mnl_cb_run(rtnl->buffer, len, seq, port, callback, data);
		if (!dump)
			break;
	}
	return ret < 0 ? -errno : 0;
}

int rtnl_ask_again(struct rtnl *rtnl, int (*once)(struct rtnl *rtnl, void *data), void (*reset)(void *data), void *data)
{
	for (int tries = 0;; tries++) {
		int ret = once(rtnl, data);

		if (ret != -EINTR || tries == 10) {
			if (ret)
				reset(data);
			return ret;
		}
		reset(data);
	}
}

int rtnl_fail(int err)
{
	errno = err;
	return MNL_CB_ERROR;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets, requests and answers.
 */
#include "host/netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Room for a dump's datagram: libmnl's recommendation is smaller than what the kernel sends with many VFs. */
#define BUFFER_SIZE 32768

struct netlink {
	struct mnl_socket *socket;
	uint32_t seq;
	size_t fixed; /* of the last request */
	char buffer[BUFFER_SIZE];
};

int netlink_open(struct netlink **netlink, int bus)
{
	struct netlink *opened = calloc(1, sizeof(*opened));
	int on = 1;

	if (!opened)
		return -ENOMEM;
	opened->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!opened->socket || mnl_socket_bind(opened->socket, 0, MNL_SOCKET_AUTOPID)) {
		int err = errno;

		netlink_close(&opened);
		return -err;
	}
	/* the kernel filters dumps: it matters with 1,000,000 routes; otherwise this process filters */
	mnl_socket_setsockopt(opened->socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	opened->seq = (uint32_t)time(NULL);
	*netlink = opened;
	return 0;
}

void netlink_close(struct netlink **netlink)
{
	if (!*netlink)
		return;
	if ((*netlink)->socket)
		mnl_socket_close((*netlink)->socket);
	free(*netlink);
	*netlink = NULL;
}

void netlink_wipe(struct netlink *netlink)
{
	explicit_bzero(netlink->buffer, sizeof(netlink->buffer));
}

struct nlmsghdr *netlink_request(struct netlink *netlink, uint16_t type, uint16_t flags, size_t fixed)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(netlink->buffer);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++netlink->seq;
	mnl_nlmsg_put_extra_header(header, fixed);
	netlink->fixed = fixed;
	return header;
}

struct answer {
	size_t fixed;
	mnl_cb_t callback;
	void *data;
};

static int on_answer(const struct nlmsghdr *header, void *data)
{
	const struct answer *answer = data;

	if (!answer->callback || mnl_nlmsg_get_payload_len(header) < answer->fixed)
		return MNL_CB_OK;
	return answer->callback(header, answer->data);
}

/* Whether the answer ends with this datagram. */
static bool is_end(const struct netlink *netlink, ssize_t len, uint32_t seq)
{
	const struct nlmsghdr *header = (const void *)netlink->buffer;
	int left = (int)len;

	for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left))
		if (header->nlmsg_seq == seq && (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR))
			return true;
	return false;
}

int netlink_ask(struct netlink *netlink, const struct nlmsghdr *header, mnl_cb_t callback, void *data)
{
	unsigned int port = mnl_socket_get_portid(netlink->socket);
	bool dump = header->nlmsg_flags & NLM_F_DUMP, end = false;
	struct answer answer = {netlink->fixed, callback, data};
	uint32_t seq = header->nlmsg_seq;
	int err = 0;

	if (mnl_socket_sendto(netlink->socket, header, header->nlmsg_len) < 0)
		return -errno;
	/* after a failure the rest is read as well, so that the next answer does not begin with it */
	while (!end) {
		ssize_t len = mnl_socket_recvfrom(netlink->socket, netlink->buffer, sizeof(netlink->buffer));

		if (len < 0)
			return -errno;
		end = !dump || is_end(netlink, len, seq);
		if (!err && mnl_cb_run(netlink->buffer, len, seq, port, on_answer, &answer) < 0)
			err = errno > 0 ? errno : EBADMSG; /* libmnl reads it from the message */
	}
	return -err;
}

int netlink_ask_again(struct netlink *netlink, int (*once)(struct netlink *netlink, void *data),
		      void (*reset)(void *data), void *data)
{
	for (int tries = 0;; tries++) {
		int ret = once(netlink, data);

		if (ret != -EINTR || tries == 10) {
			if (ret)
				reset(data);
			return ret;
		}
		reset(data);
	}
}

int netlink_fail(int err)
{
	errno = err;
	return MNL_CB_ERROR;
}

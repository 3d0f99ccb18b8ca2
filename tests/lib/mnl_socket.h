/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A netlink socket that a test replaces: these functions are linked instead of libmnl's. The test defines
 * mnl_socket_sendto() and mnl_socket_recvfrom().
 */
#ifndef WGVIA_TEST_MNL_SOCKET_H
#define WGVIA_TEST_MNL_SOCKET_H

#include <libmnl/libmnl.h>

static char socket_of_test;
static void (*on_close)(void); /* NULL: nothing to do */

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	(void)bus, (void)flags;
	return (struct mnl_socket *)&socket_of_test;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	(void)nl, (void)groups, (void)pid;
	return 0;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	(void)nl, (void)type, (void)buf, (void)len;
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return -1;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *nl)
{
	(void)nl;
	return 0;
}

int mnl_socket_close(struct mnl_socket *nl)
{
	(void)nl;
	if (on_close)
		on_close();
	return 0;
}

#endif

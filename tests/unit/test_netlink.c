// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dumps that the kernel interrupts because its table changed meanwhile: they are requested again, and the second answer
 * contains nothing of the first. This file provides the socket instead of libmnl.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/util.h"
#include "host/rtnl.h"
#include "tests/lib/mnl_socket.h"

/* --- the socket --- */

struct datagram {
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} messages[2];
	size_t count;
};

static struct datagram queue[16];
static size_t first, last;
static uint32_t asked;
static int questions;

/* Appends a datagram to the answer: a link of each ifindex (0: none), or the end. */
static void answer(int a, int b, uint16_t flags)
{
	struct datagram *datagram = &queue[last++];
	int ifindexes[] = {a, b};

	*datagram = (struct datagram){};
	for (size_t i = 0; i < ARRAY_SIZE(ifindexes); i++) {
		struct nlmsghdr *header = &datagram->messages[datagram->count].header;

		if (i && !ifindexes[i])
			break;
		header->nlmsg_len = sizeof(datagram->messages[0]);
		header->nlmsg_type = ifindexes[i] ? RTM_NEWLINK : NLMSG_DONE;
		header->nlmsg_flags = NLM_F_MULTI | flags;
		header->nlmsg_seq = asked;
		datagram->messages[datagram->count++].info.ifi_index = ifindexes[i];
	}
}

/* The first answer is interrupted in its first datagram of three; the second is complete. */
ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t size)
{
	(void)nl;
	asked = ((const struct nlmsghdr *)req)->nlmsg_seq;
	if (!questions++) {
		answer(1, 2, NLM_F_DUMP_INTR);
		answer(3, 4, NLM_F_DUMP_INTR);
		answer(0, 0, NLM_F_DUMP_INTR);
	} else {
		answer(5, 6, 0);
		answer(7, 0, 0);
		answer(0, 0, 0);
	}
	return (ssize_t)size;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	const struct datagram *datagram = &queue[first];
	size_t len = datagram->count * sizeof(datagram->messages[0]);

	(void)nl;
	if (first == last || len > size) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buf, datagram->messages, len);
	first++;
	return (ssize_t)len;
}

/* --- the tests --- */

static void an_interrupted_dump_is_read_to_its_end_and_asked_for_again(void **context)
{
	cleanup(netlink_close) struct netlink *netlink = NULL;
	struct netdevs netdevs = {};

	(void)context;
	assert_int_equal(rtnl_open(&netlink), 0);
	assert_int_equal(rtnl_get_links(netlink, &netdevs), 0);
	assert_int_equal(questions, 2);
	assert_int_equal(first, last);
	assert_int_equal(netdevs.count, 3);
	for (size_t i = 0; i < netdevs.count; i++)
		assert_int_equal(netdevs.all[i].ifindex, 5 + i);
	free(netdevs.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interrupted_dump_is_read_to_its_end_and_asked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The answers of the kernel's WireGuard over netlink, and of one in user space at its socket: peers over several
 * messages, sorted ranges, keys that are not kept, and broken answers. This file provides libmnl's socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"
#include "host/wireguard_read.h"
#include "prefix.h"
#include "tests/lib/mnl_socket.h"

/* --- the kernel's answers --- */

#define PRIVATE "a very private key of 32 bytes.."
#define PRESHARED "a preshared secret of 32 bytes.."

#define DATAGRAMS 5
static char datagrams[DATAGRAMS][4096];
static size_t datagram_count, next_datagram;
static uint32_t asked;
static bool knows_wireguard;
static char *received_at; /* libmnl's buffer */
static size_t received_size;

static struct nlmsghdr *begin(uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(datagrams[datagram_count++]);

	header->nlmsg_type = type;
	header->nlmsg_flags = flags;
	if (type != NLMSG_DONE)
		mnl_nlmsg_put_extra_header(header, sizeof(struct genlmsghdr));
	else
		mnl_nlmsg_put_extra_header(header, sizeof(int));
	return header;
}

static void put_peer(struct nlmsghdr *header, char key, size_t key_len, const char *ranges)
{
	char public_key[WIREGUARD_KEY], *copy = strdup(ranges), *word, *rest = copy;
	struct nlattr *peer = mnl_attr_nest_start(header, 0), *list;

	memset(public_key, key, sizeof(public_key));
	mnl_attr_put(header, WGPEER_A_PUBLIC_KEY, key_len, public_key);
	mnl_attr_put(header, WGPEER_A_PRESHARED_KEY, 32, PRESHARED);
	list = mnl_attr_nest_start(header, WGPEER_A_ALLOWEDIPS);
	while ((word = strsep(&rest, " "))) {
		struct nlattr *range;
		struct prefix prefix;

		if (!*word)
			continue;
		prefix = prefix_from(word);
		range = mnl_attr_nest_start(header, 0);
		mnl_attr_put_u16(header, WGALLOWEDIP_A_FAMILY, prefix.ip.family);
		mnl_attr_put(header, WGALLOWEDIP_A_IPADDR, ip_bits(prefix.ip.family) / 8, prefix.ip.addr);
		mnl_attr_put_u8(header, WGALLOWEDIP_A_CIDR_MASK, prefix.len);
		mnl_attr_nest_end(header, range);
	}
	free(copy);
	mnl_attr_nest_end(header, list);
	mnl_attr_nest_end(header, peer);
}

/* A message with one peer. */
static void put_message(char key, size_t key_len, const char *ranges)
{
	struct nlmsghdr *header = begin(77, NLM_F_MULTI);
	struct nlattr *peers;

	mnl_attr_put(header, WGDEVICE_A_PRIVATE_KEY, 32, PRIVATE);
	peers = mnl_attr_nest_start(header, WGDEVICE_A_PEERS);
	put_peer(header, key, key_len, ranges);
	mnl_attr_nest_end(header, peers);
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t size)
{
	const struct nlmsghdr *header = req;

	(void)nl;
	asked = header->nlmsg_seq;
	if (header->nlmsg_type == GENL_ID_CTRL) {
		struct nlmsghdr *family = mnl_nlmsg_put_header(datagrams[DATAGRAMS - 1]);

		family->nlmsg_type = GENL_ID_CTRL;
		mnl_nlmsg_put_extra_header(family, sizeof(struct genlmsghdr));
		if (knows_wireguard)
			mnl_attr_put_u16(family, CTRL_ATTR_FAMILY_ID, 77);
		next_datagram = DATAGRAMS - 1;
	} else {
		assert_int_equal(header->nlmsg_type, 77);
		next_datagram = 0;
	}
	return (ssize_t)size;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	struct nlmsghdr *header = (void *)datagrams[next_datagram++];

	(void)nl;
	received_at = buf;
	received_size = size;
	header->nlmsg_seq = asked;
	memcpy(buf, header, header->nlmsg_len);
	return header->nlmsg_len;
}

static const struct netdev kernels = {.name = "wg0", .kind = "wireguard", .type = 0xfffe};

static int reset(void **context)
{
	(void)context;
	datagram_count = 0;
	knows_wireguard = true;
	return 0;
}

/* "A: 10.0.0.1/32 B: ...", by the first byte of the key */
static void assert_read(const struct wireguard *wireguard, const char *text)
{
	char *all = NULL, prefix[PREFIX_TEXT_LEN];
	size_t len;
	FILE *out = open_memstream(&all, &len);

	for (size_t i = 0; i < wireguard->peer_count; i++)
		fprintf(out, "%s%c", i ? " " : "", wireguard->peers[i].public_key[WIREGUARD_KEY - 1]);
	for (size_t i = 0; i < wireguard->allowed_count; i++)
		fprintf(out, " %s=%c", prefix_text(&wireguard->allowed[i].prefix, prefix),
			wireguard->peers[wireguard->allowed[i].peer].public_key[0]);
	fclose(out);
	assert_string_equal(all, text);
	free(all);
}

static void assert_kernel(const char *text)
{
	cleanup(wireguard_free) struct wireguard wireguard = {};
	struct error error = {};

	begin(NLMSG_DONE, NLM_F_MULTI);
	assert_int_equal(wireguard_read(&kernels, 0, &wireguard, &error), 0);
	assert_read(&wireguard, text);
}

static void assert_kernel_fails(int ret, const char *text)
{
	struct wireguard wireguard = {};
	struct error error = {};

	begin(NLMSG_DONE, NLM_F_MULTI);
	assert_int_equal(wireguard_read(&kernels, 0, &wireguard, &error), ret);
	assert_string_equal(error.text, text);
	assert_null(wireguard.peers);
	assert_null(wireguard.allowed);
}

static void a_peer_goes_on_in_the_next_message(void **context)
{
	(void)context;
	put_message('A', 32, "10.0.0.9/32 2001:db8::/64 10.0.0.1/32");
	put_message('A', 32, "10.0.0.5/32");
	assert_kernel("A 10.0.0.1/32=A 10.0.0.5/32=A 10.0.0.9/32=A 2001:db8::/64=A");
}

static void peers_without_ranges_are_peers(void **context)
{
	struct nlmsghdr *header;

	(void)context;
	header = begin(77, NLM_F_MULTI);
	mnl_attr_put_u32(header, WGDEVICE_A_FWMARK, 7);
	put_message('A', 32, "");
	put_message('B', 32, "10.0.0.0/8");
	assert_kernel("A B 10.0.0.0/8=B");
}

static bool saw_secret, closed;

/* libmnl's buffer, before it is freed */
static void look_for_secrets(void)
{
	closed = true;
	saw_secret = memmem(received_at, received_size, PRIVATE, strlen(PRIVATE)) ||
		     memmem(received_at, received_size, PRESHARED, strlen(PRESHARED));
}

static void keys_are_wiped(void **context)
{
	(void)context;
	put_message('A', 32, "10.0.0.0/8");
	on_close = look_for_secrets;
	assert_kernel("A 10.0.0.0/8=A");
	on_close = NULL;
	assert_true(closed);
	assert_false(saw_secret);
}

static void a_broken_dump_is_an_error(void **context)
{
	static const char broken[] = "cannot read the peers of 'wg0': unexpected answer from the kernel";
	struct nlmsghdr *header;
	struct nlattr *peers;

	(void)context;
	put_message('A', 31, "10.0.0.0/8");
	assert_kernel_fails(-EBADMSG, broken);

	datagram_count = 0;
	header = begin(77, NLM_F_MULTI);
	peers = mnl_attr_nest_start(header, WGDEVICE_A_PEERS);
	mnl_attr_nest_end(header, mnl_attr_nest_start(header, 0)); /* no key */
	mnl_attr_nest_end(header, peers);
	assert_kernel_fails(-EBADMSG, broken);
}

/* family, length of the address, mask */
static void a_broken_range_is_an_error(void **context)
{
	static const struct {
		uint16_t family;
		size_t size;
		uint8_t len;
	} rows[] = {{AF_INET, 4, 33}, {AF_INET6, 16, 129}, {AF_INET, 16, 8}, {AF_INET6, 4, 8}, {AF_UNIX, 4, 8}, {0}};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nlmsghdr *header;
		struct nlattr *peers, *peer, *list, *range;
		uint8_t bytes[WIREGUARD_KEY] = {};

		datagram_count = 0;
		header = begin(77, NLM_F_MULTI);
		peers = mnl_attr_nest_start(header, WGDEVICE_A_PEERS);
		peer = mnl_attr_nest_start(header, 0);
		mnl_attr_put(header, WGPEER_A_PUBLIC_KEY, sizeof(bytes), bytes);
		list = mnl_attr_nest_start(header, WGPEER_A_ALLOWEDIPS);
		range = mnl_attr_nest_start(header, 0);
		mnl_attr_put_u16(header, WGALLOWEDIP_A_FAMILY, rows[i].family);
		mnl_attr_put(header, WGALLOWEDIP_A_IPADDR, rows[i].size, bytes);
		mnl_attr_put_u8(header, WGALLOWEDIP_A_CIDR_MASK, rows[i].len);
		mnl_attr_nest_end(header, range);
		mnl_attr_nest_end(header, list);
		mnl_attr_nest_end(header, peer);
		mnl_attr_nest_end(header, peers);
		assert_kernel_fails(-EBADMSG, "cannot read the peers of 'wg0': unexpected answer from the kernel");
	}
}

static void a_kernel_without_wireguard_says_so(void **context)
{
	(void)context;
	knows_wireguard = false;
	assert_kernel_fails(-ENOENT, "cannot read the peers of 'wg0': no such file or directory");
}

static void other_interfaces_are_told_from_errors(void **context)
{
	static const struct netdev others[] = {
		{.name = "ens3", .kind = "veth", .type = 1},
		{.name = "eth0", .type = 1},
		{.name = "tap0", .kind = "tun", .type = 1},
		{.name = "no-such-tun", .kind = "tun", .type = 0xfffe}, /* without a socket */
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct wireguard wireguard = {};
		struct error error = {};
		char text[100];

		assert_int_equal(wireguard_read(&others[i], 1000, &wireguard, &error), -EOPNOTSUPP);
		snprintf(text, sizeof(text), "interface '%s' is not a WireGuard interface", others[i].name);
		assert_string_equal(error.text, text);
	}
}

/* --- the socket's --- */

#define KEY_A "4141414141414141414141414141414141414141414141414141414141414141"
#define KEY_B "4242424242424242424242424242424242424242424242424242424242424242"
#define HEAD "private_key=0011223344\nlisten_port=51820\n"

static void answers_at_the_socket(void **context)
{
	static const struct {
		const char *text, *read; /* NULL: broken */
	} rows[] = {
		{"errno=0\n\n", ""},
		{HEAD "errno=0\n\n", ""},
		{HEAD "public_key=" KEY_A "\nallowed_ip=10.0.0.1/32\nallowed_ip=2001:DB8::/32\nerrno=0\n\n",
		 "A 10.0.0.1/32=A 2001:db8::/32=A"},
		{HEAD "public_key=" KEY_A "\npublic_key=" KEY_B "\nendpoint=[fe80::1%eth0]:7\nallowed_ip=0.0.0.0/0\n"
		      "errno=0\n\n",
		 "A B 0.0.0.0/0=B"},
		{"public_key=" KEY_A "\nallowed_ip=10.1.2.3/8\nerrno=0\n\n", "A 10.0.0.0/8=A"}, /* host bits */
		{"public_key=" KEY_A "\nnew_key=of=later\nerrno=0\n\n", "A"},
		{"\n", NULL},
		{"public_key\nerrno=0\n\n", NULL},
		{"public_key=" KEY_A "0\nerrno=0\n\n", NULL},
		{"public_key=41\nerrno=0\n\n", NULL},
		{"public_key=g" KEY_A "\nerrno=0\n\n", NULL},
		{"allowed_ip=10.0.0.0/8\nerrno=0\n\n", NULL}, /* of no peer */
		{"public_key=" KEY_A "\nallowed_ip=10.0.0.0\nerrno=0\n\n", NULL},
		{"public_key=" KEY_A "\nallowed_ip=10.0.0.0/33\nerrno=0\n\n", NULL},
		{"public_key=" KEY_A "\nallowed_ip=10.0.0.0/-1\nerrno=0\n\n", NULL},
		{"public_key=" KEY_A "\nallowed_ip=10.0.0.0/08\nerrno=0\n\n", NULL},
		{"public_key=" KEY_A "\nallowed_ip=10.0.0.0/4294967296\nerrno=0\n\n", NULL},
		{"public_key=" KEY_A "\nallowed_ip=10.0.0.256/32\nerrno=0\n\n", NULL},
		{"public_key=" KEY_A "\nallowed_ip=::/129\nerrno=0\n\n", NULL},
		{"errno=none\n\n", NULL},
		{"errno=0\npublic_key=" KEY_A "\n\n", NULL},
	};

	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		/* whole, and as it comes in two parts */
		for (size_t cut = 0; cut <= strlen(rows[i].text); cut++) {
			cleanup(wireguard_free) struct wireguard wireguard = {};
			struct wireguard_answer answer = {.wireguard = &wireguard};
			char text[600];
			ssize_t taken, rest;

			strcpy(text, rows[i].text);
			taken = wireguard_take_lines(&answer, text, cut);
			rest = taken < 0 ? taken
					 : wireguard_take_lines(&answer, text + taken, strlen(rows[i].text) - taken);
			assert_int_equal(rest < 0 || !answer.is_ended, !rows[i].read);
			if (rows[i].read)
				assert_read(&wireguard, rows[i].read);
		}
}

static void a_zero_byte_is_broken(void **context)
{
	struct wireguard wireguard = {};
	struct wireguard_answer answer = {.wireguard = &wireguard};
	char text[] = "errno=0\0\n\n";

	(void)context;
	assert_int_equal(wireguard_take_lines(&answer, text, sizeof(text) - 1), -EBADMSG);
}

static void an_errno_is_not_taken_for_success(void **context)
{
	struct wireguard wireguard = {};
	struct wireguard_answer answer = {.wireguard = &wireguard};
	char text[] = "errno=-13\n\n"; /* it is written to */

	(void)context;
	assert_int_equal(wireguard_take_lines(&answer, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_true(answer.is_ended);
	assert_int_equal(answer.errnum, 13);
}

/* --- values --- */

static void keys_are_printed_as_by_wg(void **context)
{
	char text[WIREGUARD_KEY_TEXT];
	uint8_t key[WIREGUARD_KEY];

	(void)context;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = 251 * i + 7;
	assert_string_equal(wireguard_key_text(key, text), "BwL9+PPu6eTf2tXQy8bBvLeyraijnpmUj4qFgHt2cWw=");
}

static struct wireguard two_peers(char first, char second)
{
	uint8_t key[2][WIREGUARD_KEY] = {{first}, {second}};
	struct prefix prefix = prefix_from("10.0.0.0/8");
	struct wireguard wireguard = {};

	assert_int_equal(wireguard_add_peer(&wireguard, key[0]), 0);
	assert_int_equal(wireguard_add_peer(&wireguard, key[1]), 0);
	assert_int_equal(wireguard_add_allowed(&wireguard, &prefix.ip, prefix.len), 0);
	return wireguard;
}

static void equal_ones_have_the_same_ranges_at_the_same_peers(void **context)
{
	struct wireguard one = two_peers('A', 'B'), same = two_peers('C', 'B'), other = two_peers('B', 'A');

	(void)context;
	assert_true(wireguard_equal(&one, &same));
	assert_false(wireguard_equal(&one, &other));
	other.allowed_count = 0;
	assert_false(wireguard_equal(&one, &other));
	wireguard_free(&one);
	wireguard_free(&same);
	wireguard_free(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_peer_goes_on_in_the_next_message, reset),
		cmocka_unit_test_setup(peers_without_ranges_are_peers, reset),
		cmocka_unit_test_setup(keys_are_wiped, reset),
		cmocka_unit_test_setup(a_broken_dump_is_an_error, reset),
		cmocka_unit_test_setup(a_broken_range_is_an_error, reset),
		cmocka_unit_test_setup(a_kernel_without_wireguard_says_so, reset),
		cmocka_unit_test(other_interfaces_are_told_from_errors),
		cmocka_unit_test(answers_at_the_socket),
		cmocka_unit_test(a_zero_byte_is_broken),
		cmocka_unit_test(an_errno_is_not_taken_for_success),
		cmocka_unit_test(keys_are_printed_as_by_wg),
		cmocka_unit_test(equal_ones_have_the_same_ranges_at_the_same_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

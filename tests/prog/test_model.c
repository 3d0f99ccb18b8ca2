// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real programs compared with the model: random and mutated packets, random maps, all directions. They must agree
 * on verdict, action, next hop, counters, mark and every byte of the packet. A disagreement prints everything that is
 * needed to reproduce it.
 *
 *   test_model [PACKETS [SEED]]    or WGVIA_MODEL_PACKETS, WGVIA_MODEL_SEED
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "config/state.h"
#include "datapath/index/index.h"
#include "index/index_lines.h"
#include "model.h"
#include "packets.h"
#include "programs.h"

#define PACKETS_PER_CONFIG 4000
#define LEAST_PER_VERDICT 300 /* in a million packets */
#define LEAST_LOWERED 100
#define ANCHORS 6
#define TC_INDEX 0x7776
#define TC_INDEX_BACK 0x7762
#define MAGIC 0x77677600u

enum form {
	FORM_L2,
	FORM_ETHER,
	FORM_L3,
	FORM_NO_CHECK_MTU,
	FORM_STACK,
	FORM_COUNT
}; /* the last one also without link header */

static struct programs programs[FORM_COUNT];
static struct model_config config;
static bool can_set_ingress;
static uint32_t cpu, passes; /* of the egress programs, which share the count */
static struct wgvia_counter expected[WGVIA_COUNTERS];
static uint8_t anchors[2][ANCHORS][16];
static uint64_t indexes;
static const uint8_t named_mac[6] = {2, 0, 0, 0, 0xaa, 1};
static uint64_t packets_wanted = 1000000, seed, state;

/* xorshift64*, Vigna 2014 */
static uint32_t draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull >> 32;
}

static uint32_t below(uint32_t limit)
{
	return draw() % limit;
}

static bool one_in(uint32_t count)
{
	return !below(count);
}

static void fill_random(void *data, uint32_t len)
{
	uint8_t *bytes = data;

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = draw();
}

/* A prefix around an anchor, long ones more often than short ones. */
static unsigned int draw_prefix(bool v6, uint8_t addr[16])
{
	unsigned int width = v6 ? 128 : 32, bits;

	if (one_in(12))
		bits = below(width + 1);
	else if (one_in(2))
		bits = width - below(5);
	else
		bits = width - below(width * 5 / 8);
	memcpy(addr, anchors[v6][below(ANCHORS)], 16);
	for (unsigned int i = bits; i < 128; i++)
		addr[i / 8] &= ~(0x80 >> i % 8);
	return bits;
}

/* Adds or subtracts one at the last byte of the address, with carry. */
static void step(bool v6, uint8_t addr[16], int by)
{
	for (int i = v6 ? 15 : 3; i >= 0; i--) {
		addr[i] += by;
		if (addr[i] != (by > 0 ? 0 : 0xff))
			break;
	}
}

/* The first or last address of a prefix, one before or past it, or one inside. */
static void draw_near(bool v6, const uint8_t prefix[16], unsigned int bits, uint8_t addr[16])
{
	uint32_t where = below(6);

	memcpy(addr, prefix, 16);
	if (where >= 2)
		for (unsigned int i = bits; i < (v6 ? 128u : 32u); i++)
			if (where < 4 || one_in(2))
				addr[i / 8] |= 0x80 >> i % 8;
	if (where == 1)
		step(v6, addr, -1);
	if (where == 2)
		step(v6, addr, 1);
}

static void draw_address(bool v6, uint8_t addr[16])
{
	unsigned int i;

	switch (below(8)) {
	case 0:
		fill_random(addr, 16);
		break;
	case 1:
		memcpy(addr, anchors[v6][below(ANCHORS)], 16);
		break;
	case 2:
	case 3:
	case 4:
		i = below(config.prefix_count[v6]);
		draw_near(v6, config.prefixes[v6][i].addr, config.prefixes[v6][i].bits, addr);
		break;
	default:
		i = below(config.bypass_count[v6]);
		draw_near(v6, config.bypasses[v6][i].addr, config.bypasses[v6][i].bits, addr);
		break;
	}
}

static uint8_t latest[2][2][16]; /* addresses, by family */

/* Often the latest ones of that family, in either order, so that kept decisions are used. */
static void draw_pair(bool v6, uint8_t source[16], uint8_t destination[16])
{
	bool swapped = one_in(2);

	if (one_in(2)) {
		draw_address(v6, latest[v6][0]);
		draw_address(v6, latest[v6][1]);
	}
	memcpy(source, latest[v6][swapped], 16);
	memcpy(destination, latest[v6][!swapped], 16);
}

static void draw_gateway(bool v6, struct model_prefix *prefix)
{
	static const uint32_t good[] = {DEVICE_LAN, DEVICE_LAN, DEVICE_JUMBO, DEVICE_NARROW};

	prefix->flags = 0;
	prefix->ifindex = devices[good[below(4)]].ifindex;
	prefix->family = v6 || one_in(3) ? 10 : 2;
	fill_random(prefix->next_hop, 16); /* so that it distinguishes the gateways */
	if (prefix->family == 2)
		prefix->next_hop[0] = 1 + below(100);
	else
		prefix->next_hop[0] = 0x20;
	if (!one_in(4))
		return;
	switch (below(7)) {
	case 0:
		prefix->ifindex = 0;
		break;
	case 1:
		prefix->ifindex = devices[DEVICE_TUNNEL + below(DEVICE_COUNT - DEVICE_TUNNEL)].ifindex;
		break;
	case 2:
		prefix->family = 2; /* valid or not */
		break;
	case 3:
		prefix->family = below(12);
		break;
	case 4:
		prefix->flags = one_in(2) ? WGVIA_GATEWAY_DOWN : draw();
		break;
	case 5:
		prefix->next_hop[0] = below(3) * 0x7f + below(2);
		if (prefix->next_hop[0] == 0xfe && !one_in(4))
			prefix->next_hop[1] = 0x80 + below(0x40);
		break;
	case 6:
		memset(prefix->next_hop, 0, 4 + below(13));
		break;
	}
}

/* Replaces half of the prefix maps that fit into an index by an equivalent index. */
static void put_index(bool v6)
{
	uint32_t which = v6 ? INDEX_IPV6 : INDEX_IPV4;
	struct state indexed = {.counting = WGVIA_COUNT_PREFIXES};
	struct index_image image;

	programs_set_index(&programs[0], which, NULL, 0);
	for (unsigned int i = 0; i < config.prefix_count[v6]; i++) {
		const struct model_prefix *prefix = &config.prefixes[v6][i];
		struct wgvia_gateway value = {.ifindex = prefix->ifindex,
					      .family = prefix->family,
					      .flags = prefix->flags,
					      .counter = prefix->counter};
		struct prefix from = {{v6 ? AF_INET6 : AF_INET, {}}, prefix->bits};

		memcpy(from.ip.addr, prefix->addr, v6 ? 16 : 4);
		memcpy(value.addr, prefix->next_hop, 16);
		assert_int_equal(state_add_gateway(&indexed, &from, &value), 0);
	}
	state_sort(&indexed);
	if (one_in(2) && !index_make(&indexed, v6 ? AF_INET6 : AF_INET, 0, &image)) {
		programs_set_index(&programs[0], which, image.lines, image.count);
		free(image.lines);
		indexes++;
	}
	state_free(&indexed);
}

static void put_maps(void)
{
	struct wgvia_bpf *skel = programs[0].skel;

	programs_clear_maps(&programs[0]);
	for (int v6 = 0; v6 <= 1; v6++) {
		struct wgvia_key6 key; /* begins like struct wgvia_key4 */
		int prefixes = bpf_map__fd(v6 ? skel->maps.prefixes6 : skel->maps.prefixes4);
		int bypasses = bpf_map__fd(v6 ? skel->maps.bypass6 : skel->maps.bypass4);

		for (unsigned int i = 0; i < config.prefix_count[v6]; i++) {
			const struct model_prefix *prefix = &config.prefixes[v6][i];
			struct wgvia_gateway value = {.ifindex = prefix->ifindex,
						      .family = prefix->family,
						      .flags = prefix->flags,
						      .counter = prefix->counter};

			memcpy(value.addr, prefix->next_hop, 16);
			key.prefixlen = prefix->bits;
			memcpy(key.addr, prefix->addr, 16);
			assert_int_equal(bpf_map_update_elem(prefixes, &key, &value, BPF_NOEXIST), 0);
		}
		for (unsigned int i = 0; i < config.bypass_count[v6]; i++) {
			const struct model_bypass *bypass = &config.bypasses[v6][i];
			struct wgvia_bypass value = {bypass->verdict, bypass->flags};

			key.prefixlen = bypass->bits;
			memcpy(key.addr, bypass->addr, 16);
			assert_int_equal(bpf_map_update_elem(bypasses, &key, &value, BPF_NOEXIST), 0);
		}
	}
	programs_set_meta(&programs[0], (struct wgvia_meta){.on_fail = config.on_fail,
							    .ret = config.ret,
							    .outside = config.outside,
							    .mss = config.mss});
	programs_forget(&programs[0]);
	put_index(false);
	put_index(true);
	programs_keep_decisions(&programs[0], one_in(2));
}

/* Whether one of the first prefixes has this length. */
static bool has_length(bool v6, unsigned int count, unsigned int bits)
{
	for (unsigned int i = 0; i < count; i++)
		if (config.prefixes[v6][i].bits == bits)
			return true;
	return false;
}

/* Off, auto, valid MSS values and those around them. */
static uint32_t draw_mss_setting(void)
{
	static const uint32_t edges[] = {0, 2, 535, 536, 537, 1220, 1360, 1460, 65494, 65495, 65496, 0x10218};

	return one_in(2) ? WGVIA_MSS_AUTO : one_in(3) ? edges[below(12)] : 500 + below(900);
}

/* --- counters by prefix: numbers below NUMBERS, each of several prefixes, and numbers that have no place --- */

#define NUMBERS 8

static struct wgvia_prefix_counter expected_by_prefix[NUMBERS];
static uint64_t counted_by_prefix[2];

static void expect_prefix(const struct model_result *model)
{
	struct wgvia_prefix_counter *sum;
	struct wgvia_counter *counter;

	if (!model->counted || model->counted->counter >= NUMBERS)
		return;
	sum = &expected_by_prefix[model->counted->counter];
	counter = model->counted_back ? &sum->back : &sum->out;
	counter->packets += model->packets;
	counter->bytes += model->bytes;
	counted_by_prefix[model->counted_back]++;
}

/* Whether the programs have counted the same; all numbers where `number` is none. */
static bool prefixes_agree(uint32_t number)
{
	for (uint32_t i = 0; i < NUMBERS; i++) {
		struct wgvia_prefix_counter now;

		if (number < NUMBERS && i != number)
			continue;
		now = programs_prefix_counter(&programs[0], i);
		if (memcmp(&now, &expected_by_prefix[i], sizeof(now)) != 0) {
			expected_by_prefix[i] = now;
			return false;
		}
	}
	return true;
}

static void draw_config(void)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		unsigned int wanted = 1 + below(MODEL_ENTRIES), n = 0, lengths = 0;
		bool few = one_in(2);

		for (int i = 0; i < ANCHORS; i++) {
			uint8_t *anchor = anchors[v6][i];

			/* so that most can be shown without link header: see prefixes[] in test_decisions.c */
			fill_random(anchor, 16);
			if (v6 && one_in(2))
				memset(anchor + 6, 0, below(10));
			if (i < ANCHORS - 1)
				memcpy(anchor, v6 ? "\x20\x01\x0d\xb8\x86\xdd" : "\x08", v6 ? 6 : 2);
		}
		for (unsigned int i = 0; i < wanted; i++) {
			struct model_prefix *new = &config.prefixes[v6][n];
			bool twice = false;

			new->bits = draw_prefix(v6, new->addr);
			for (unsigned int j = 0; j < n; j++)
				twice |= config.prefixes[v6][j].bits == new->bits &&
					 !memcmp(config.prefixes[v6][j].addr, new->addr, v6 ? 16 : 4);
			if (few && !has_length(v6, n, new->bits) && lengths++ >= INDEX_TABLES)
				continue;
			draw_gateway(v6, new);
			new->counter = one_in(8) ? WGVIA_PREFIX_CHUNK + draw() % 0x7ffff000 : below(NUMBERS);
			n += !twice;
		}
		config.prefix_count[v6] = n;

		wanted = 1 + below(MODEL_ENTRIES);
		n = 0;
		for (unsigned int i = 0; i < wanted; i++) {
			static const uint32_t verdicts[] = {WGVIA_LOCAL,  WGVIA_SCOPE,	WGVIA_TUNNEL,	 WGVIA_TUNNEL,
							    WGVIA_TUNNEL, WGVIA_BYPASS, WGVIA_REDIRECTED};
			struct model_bypass *new = &config.bypasses[v6][n];
			bool twice = false;

			new->bits = draw_prefix(v6, new->addr);
			/* a prefix that contains nearly everything would hide all that comes after */
			if (new->bits < 16)
				continue;
			for (unsigned int j = 0; j < n; j++)
				twice |= config.bypasses[v6][j].bits == new->bits &&
					 !memcmp(config.bypasses[v6][j].addr, new->addr, v6 ? 16 : 4);
			new->verdict = one_in(10) ? below(20) : verdicts[below(7)];
			new->flags = one_in(4) ? below(8) : 0;
			n += !twice;
		}
		if (!n) {
			config.bypasses[v6][0] = (struct model_bypass){.bits = v6 ? 128 : 32, .verdict = WGVIA_LOCAL};
			n = 1;
		}
		config.bypass_count[v6] = n;
	}
	config.on_fail = below(3);
	config.ret = below(4); /* the last value is invalid, and counts as the first */
	config.outside = below(3);
	config.mss = draw_mss_setting();
	put_maps();
}

/* Payload lengths: short ones, and those around the devices' MTUs. */
static uint32_t draw_len(uint32_t header, bool gso)
{
	uint32_t mtu;

	if (gso && one_in(2))
		return 1200 + below(2000);
	if (!one_in(4))
		return below(64);
	switch (below(4)) {
	case 0:
		return below(3000);
	case 1:
		return (one_in(2) ? 576 : 1280) - header - 2 + below(5);
	default:
		mtu = devices[DEVICE_TUNNEL + below(4)].mtu;
		return mtu > 3000 ? below(2500) : mtu - header - 2 + below(5);
	}
}

static uint8_t draw_hop_limit(void)
{
	static const uint8_t usual[] = {64, 64, 64, 64, 63, 1, 0, 2, 255, 255, 128, 127};

	return one_in(8) ? draw() : usual[below(sizeof(usual))];
}

static uint8_t draw_protocol(bool v6)
{
	static const uint8_t usual[] = {6, 6, 17, 17, 1, 58, 58, 44, 0, 43, 60, 59};

	(void)v6;
	return one_in(8) ? draw() : usual[below(sizeof(usual))];
}

/* An option, or something similar, in at most `room` bytes, which is at least one; returns its length. */
static uint32_t draw_option(bool is_mss, uint8_t *at, uint32_t room)
{
	static const uint8_t kinds[][2] = {{2, 4}, {1, 1}, {1, 1}, {3, 3}, {4, 2}, {5, 10}, {8, 10}, {0, 1}};
	const uint8_t *kind = kinds[is_mss ? 0 : one_in(6) ? below(8) : 1 + below(6)];
	uint32_t mss = 1210 + below(300), len = kind[1];

	if (len > room && !one_in(4)) {
		at[0] = 1;
		return 1;
	}
	fill_random(at, room);
	at[0] = one_in(16) ? draw() : kind[0];
	if (room > 1 && len > 1)
		at[1] = one_in(24) ? below(room + 3) : len;
	if (room > 3 && kind[0] == 2 && one_in(2)) {
		at[2] = mss >> 8;
		at[3] = mss;
	}
	return len < room ? len : room;
}

/* Makes a TCP segment of `len` bytes, usually a SYN, with options. */
static void draw_syn(bool v6, uint8_t *ip, uint32_t header, uint32_t len)
{
	static const uint8_t flags[] = {0x02, 0x12, 0xc2, 0x10, 0x06, 0x18};
	uint32_t options = len < 20 ? 0 : 4 * below(len > 60 ? 11 : (len - 20) / 4 + 1), sum;
	uint8_t *tcp = ip + header;

	ip[v6 ? 6 : 9] = IPPROTO_TCP;
	if (!v6 && !one_in(8))
		ip[6] = ip[7] = 0;
	if (len < 20)
		return;
	tcp[12] = (one_in(16) ? below(16) : 5 + options / 4) << 4;
	tcp[13] = one_in(3) ? flags[below(6)] : flags[below(2)];
	for (uint32_t at = 0, place = 1 + below(4); at < options;)
		at += draw_option(!--place, tcp + 20 + at, options - at);
	tcp[16] = tcp[17] = 0;
	sum = packets_tcp_checksum(v6 ? 6 : 4, ip, tcp, len);
	tcp[16] = sum >> 8;
	tcp[17] = sum;
}

/* A valid packet, after 14 bytes of link header. Returns its length. */
static uint32_t draw_sound(bool v6, bool gso, uint8_t *frame)
{
	uint8_t *ip = frame + LINK_LEN, source[16], destination[16];
	uint32_t header = v6 ? 40 : 20, len;

	if (!v6 && one_in(5))
		header += 4 * below(11);
	len = draw_len(header, gso);
	memset(ip, 0, header);
	fill_random(ip + header, len < 80 ? len : 80);
	if (one_in(2))
		ip[header] = 130 + below(10); /* neighbour discovery, and types around it */
	if (one_in(2))
		ip[header + 12] = 0x50;
	if (v6) {
		ip[0] = 0x60 | below(16);
		ip[4] = len >> 8;
		ip[5] = len;
		ip[6] = draw_protocol(v6);
		ip[7] = draw_hop_limit();
		draw_pair(v6, ip + 8, ip + 24);
		if (one_in(3))
			draw_syn(v6, ip, header, len);
		return LINK_LEN + header + len;
	}
	ip[0] = 0x40 | header / 4;
	ip[1] = draw();
	ip[2] = (header + len) >> 8;
	ip[3] = header + len;
	fill_random(ip + 4, 4);
	ip[8] = draw_hop_limit();
	ip[9] = draw_protocol(v6);
	draw_pair(v6, source, destination);
	memcpy(ip + 12, source, 4);
	memcpy(ip + 16, destination, 4);
	fill_random(ip + 20, header - 20);
	if (one_in(3))
		draw_syn(v6, ip, header, len);
	len += header;
	header = packets_checksum(ip, header / 4);
	ip[10] = header >> 8;
	ip[11] = header;
	if (one_in(32)) /* around the carry */
		packets_choose_checksum(ip, one_in(2) ? 0xfeff : 0xff00);
	return LINK_LEN + len;
}

static uint32_t mutate(bool v6, uint8_t *frame, uint32_t len)
{
	uint8_t *ip = frame + LINK_LEN;
	uint32_t claim;

	switch (below(8)) {
	case 0: /* flip bits in the headers */
	case 1:
		for (uint32_t i = 1 + below(4); i--;)
			ip[below(v6 ? 44 : 24)] ^= 1 << below(8);
		return len;
	case 2: /* random bytes in the headers */
		for (uint32_t i = 1 + below(4); i--;)
			ip[below(v6 ? 44 : 24)] = draw();
		return len;
	case 3: /* cut */
		return one_in(2) ? LINK_LEN + below(len - LINK_LEN + 1) : LINK_LEN + below(44);
	case 4: /* padding, or a slightly wrong length */
		fill_random(frame + len, 60);
		return len + below(60);
	case 5:
		claim = (v6 ? ip[4] << 8 | ip[5] : ip[2] << 8 | ip[3]) - 4 + below(9);
		if (one_in(3))
			claim = one_in(2) ? 0 : below(80);
		ip[v6 ? 4 : 2] = claim >> 8;
		ip[v6 ? 5 : 3] = claim;
		return len;
	case 6: /* version and header length */
		ip[0] = draw();
		return len;
	default: /* random bytes only */
		fill_random(ip, 60);
		return LINK_LEN + below(60);
	}
}

static void draw_link_header(bool v6, struct model_packet *packet, uint8_t *frame)
{
	memcpy(frame, packet->device_mac, 6);
	if (one_in(16))
		fill_random(frame, 6);
	else if (one_in(32))
		memset(frame, 0xff, 6);
	else if (one_in(32))
		frame[below(6)] ^= 1 << below(8);
	packet->named = one_in(2);
	if (packet->named)
		memcpy(frame + 6, named_mac, 6);
	else
		fill_random(frame + 6, 6);
	frame[12] = v6 ? 0x86 : 0x08;
	frame[13] = v6 ? 0xdd : 0x00;
	if (one_in(40)) {
		static const uint16_t types[] = {0x0806, 0x8100, 0x88a8, 60, 0x0800, 0x86dd, 0xffff};
		uint16_t type = one_in(4) ? draw() : types[below(7)];

		frame[12] = type >> 8;
		frame[13] = type;
	}
}

/* Any size, or one with which segments of the usual headers just fit a device or just do not. */
static uint32_t draw_gso_size(bool v6)
{
	static const enum device near[] = {DEVICE_TUNNEL, DEVICE_LAN, DEVICE_NARROW};
	uint32_t headers = (v6 ? 40 : 20) + (one_in(3) ? 8 : 20);

	if (one_in(4))
		return 1 + below(3000);
	if (one_in(2))
		return 500 + below(1000);
	return devices[near[below(3)]].mtu - headers - 2 + below(5);
}

static void draw_egress_context(struct model_packet *packet, const uint8_t *frame, bool l3)
{
	static const uint32_t in[] = {DEVICE_NONE, DEVICE_TUNNEL, DEVICE_LAN, DEVICE_JUMBO, DEVICE_FOREIGN};

	packet->ingress_ifindex = can_set_ingress ? devices[in[below(5)]].ifindex : 0;
	packet->redirected = packet->pass - 1 - (one_in(4) ? below(3) : 0);
	packet->redirected_to = one_in(4) ? devices[in[below(5)]].ifindex : packet->ifindex;
	if (one_in(2))
		return;
	packet->tc_index = one_in(8) ? draw() : one_in(4) ? TC_INDEX_BACK : TC_INDEX;
	packet->cb[0] = MAGIC | (one_in(8) ? draw() & 0xff : below(9));
	if (one_in(8))
		packet->cb[0] ^= 1u << below(32);
	packet->cb[2] = 0;
	if (!one_in(8))
		memcpy(&packet->cb[1], frame, 6);
	else if (one_in(2))
		packet->cb[1] = 0;
	if (one_in(4))
		packet->cb[1 + below(2)] ^= 1u << below(32);
	if (!one_in(8))
		packet->cb[3] = packet->pass - (one_in(2) ? 1 : below(4));
	packet->cb[2] = (packet->cb[2] & 0xffff) | (one_in(8) ? cpu ^ 1u << below(16) : cpu) << 16;
	packet->cb[4] = packet->len - (l3 || one_in(8) ? 0 : LINK_LEN);
	if (one_in(16))
		packet->cb[4] ^= 1u << below(32);
}

static enum form draw_packet(struct model_packet *packet, uint8_t *frame)
{
	static const uint32_t lans[] = {DEVICE_LAN, DEVICE_LAN, DEVICE_JUMBO, DEVICE_NARROW, DEVICE_FOREIGN};
	uint32_t way = below(20);
	enum form form = below(FORM_COUNT);
	enum device device = DEVICE_TUNNEL;
	bool v6 = one_in(2), gso = one_in(4), l3;

	memset(packet, 0, sizeof(*packet));
	packet->direction = way < 10 ? WGVIA_OUT : way < 15 ? WGVIA_BACK : WGVIA_EGRESS;
	if (packet->direction != WGVIA_OUT)
		device = lans[below(5)];
	packet->ifindex = devices[device].ifindex;
	memcpy(packet->device_mac, devices[device].mac, 6);
	draw_link_header(v6, packet, frame);
	packet->len = draw_sound(v6, gso, frame);
	if (one_in(5))
		packet->len = mutate(v6, frame, packet->len);
	packet->data = frame;
	l3 = programs[form].options.l3;
	if (l3) {
		packet->len -= LINK_LEN;
		if (packet->len < LINK_LEN)
			packet->len = LINK_LEN;
		packet->data += LINK_LEN;
		if (!one_in(40)) /* so that a test run takes it for IP */
			memcpy(frame + LINK_LEN + 12, v6 ? "\x86\xdd" : "\x08", 2);
	}
	if (gso)
		packet->gso_size = draw_gso_size(v6);
	/* too short for a test run, see least_len() in programs.c; truncation would make it no GSO packet */
	if (packet->len < 60)
		packet->gso_size = 0;
	fill_random(packet->cb, sizeof(packet->cb));
	packet->cpu = cpu;
	if (packet->direction == WGVIA_EGRESS) {
		packet->pass = ++passes;
		draw_egress_context(packet, packet->data, l3);
	}
	if (one_in(50) && !l3)
		packet->vlan = 1 + below(4000);
	else if (one_in(50) && !l3 && frame[12] == (v6 ? 0x86 : 0x08)) /* a priority tag */
		packet->vlan = 0x2000 * (1 + below(7));
	config.l3 = l3;
	config.ether = form == FORM_ETHER;
	config.stack = form == FORM_STACK;
	config.no_mtu = form == FORM_NO_CHECK_MTU || !programs_can_check_mtu();
	return form;
}

/* A firewall's handling of a bounced packet: it comes back with two hops less. */
static bool draw_return(struct model_packet *packet, const struct model_result *model, uint8_t *frame)
{
	uint8_t *ip = frame + LINK_LEN;
	bool v6 = frame[12] == 0x86;
	uint8_t *hop_limit = ip + (v6 ? 7 : 8);

	if (model->verdict != WGVIA_BOUNCED || packet->came_back || config.l3 || *hop_limit < 4 || one_in(2))
		return false;
	*hop_limit -= 2;
	if (!v6)
		packets_choose_checksum(ip, ip[10] << 8 | ip[11]);
	packet->came_back = true;
	return true;
}

static const char *const directions[] = {"out", "back", "egress"};
static const char *const words[] = {
#define WORD(name, word) [WGVIA_##name] = word,
	WGVIA_VERDICTS(WORD)[MODEL_UNCOUNTED] = "uncounted",
};

static const char *address(bool v6, const uint8_t *addr)
{
	static char text[4][INET6_ADDRSTRLEN];
	static int next;

	next = (next + 1) % 4;
	return inet_ntop(v6 ? AF_INET6 : AF_INET, addr, text[next], sizeof(text[next]));
}

static void print_config(void)
{
	printf("# form: %s%s, tunnel is ifindex %u, on_fail %u, outside %u, mss %u\n",
	       config.l3      ? "no link header"
	       : config.ether ? "Ethernet tunnel"
			      : "link header",
	       config.no_mtu ? ", no MTU helper" : "", config.tunnel_ifindex, config.on_fail, config.outside,
	       config.mss);
	for (unsigned int i = 0; i < config.device_count; i++)
		printf("# device %u: MTU %u%s\n", config.devices[i].ifindex, config.devices[i].mtu,
		       config.devices[i].for_gateways ? ", for gateways" : "");
	for (int v6 = 0; v6 <= 1; v6++) {
		for (unsigned int i = 0; i < config.prefix_count[v6]; i++) {
			const struct model_prefix *p = &config.prefixes[v6][i];

			printf("# prefix %s/%u: device %u, next hop %s of family %u, flags %#x\n", address(v6, p->addr),
			       p->bits, p->ifindex, address(p->family == 10, p->next_hop), p->family, p->flags);
		}
		for (unsigned int i = 0; i < config.bypass_count[v6]; i++) {
			const struct model_bypass *b = &config.bypasses[v6][i];

			printf("# bypass %s/%u: %s (%u)\n", address(v6, b->addr), b->bits,
			       b->verdict < MODEL_UNCOUNTED ? words[b->verdict] : "?", b->verdict);
		}
	}
}

/* The TCP checksum of a packet after a link header, as a receiver computes it. */
static uint16_t tcp_checksum(const uint8_t *frame)
{
	const uint8_t *ip = frame + LINK_LEN;
	bool v6 = ip[0] >> 4 == 6;
	uint32_t header = v6 ? 40 : ip[0] % 16 * 4;
	uint32_t len = ip[v6 ? 4 : 2] << 8 | ip[v6 ? 5 : 3];

	return packets_tcp_checksum(v6 ? 6 : 4, ip, ip + header, v6 ? len : len - header);
}

/* NULL if program and model agree, otherwise what differs. */
static const char *compare(const struct programs *p, const struct model_packet *packet,
			   const struct model_result *model, const struct run *run, bool is_last)
{
	const struct recorded *recorded = (const void *)p->recorded;
	bool counts = model->counted && model->counted->counter < NUMBERS;

	if (run->action != model->action)
		return "action";
	if (memcmp(p->counters, expected, sizeof(expected)) != 0)
		return "counters";
	if ((counts || is_last) && !prefixes_agree(is_last ? NUMBERS : model->counted->counter))
		return "the prefix's counter";
	if (recorded->calls != model->redirected)
		return "redirect";
	if (model->redirected && (recorded->ifindex != model->ifindex || recorded->has_next_hop != model->has_next_hop))
		return "device";
	if (model->has_next_hop &&
	    (recorded->family != model->family || memcmp(recorded->addr, model->next_hop, 16) != 0))
		return "next hop";
	if (run->out.len != model->len || memcmp(run->out.data, model->data, model->len) != 0)
		return "bytes";
	if (model->lowered && tcp_checksum(run->out.data) != tcp_checksum(packet->data - (config.l3 ? LINK_LEN : 0)))
		return "checksum";
	if (memcmp(run->cb, model->cb, sizeof(model->cb)) != 0)
		return "mark";
	return NULL;
}

static void print_disagreement(const char *what, uint64_t number, const struct programs *p,
			       const struct model_packet *packet, const struct model_result *model,
			       const struct run *run)
{
	const struct recorded *r = (const void *)p->recorded;

	printf("# DISAGREEMENT about %s: packet %llu, seed %llu, %s\n", what, (unsigned long long)number,
	       (unsigned long long)seed, directions[packet->direction]);
	printf("# model: verdict %s, action %d, %llu packets, %llu bytes, device %u, next hop %s of family %u\n",
	       words[model->verdict], model->action, (unsigned long long)model->packets,
	       (unsigned long long)model->bytes, model->ifindex, address(model->family == 10, model->next_hop),
	       model->family);
	printf("# program: action %d, redirect called %u times, device %u, next hop %s of family %u\n", run->action,
	       r->calls, r->ifindex, address(r->family == 10, r->addr), r->family);
	for (int i = 0; i < (int)WGVIA_COUNTERS; i++)
		if (memcmp(&p->counters[i], &expected[i], sizeof(expected[i])) != 0)
			printf("# counter %s/%s: %lld packets, %lld bytes more than in the model\n",
			       directions[i / WGVIA_VERDICT_COUNT], words[i % WGVIA_VERDICT_COUNT],
			       (long long)(p->counters[i].packets - expected[i].packets),
			       (long long)(p->counters[i].bytes - expected[i].bytes));
	printf("# return %u, named %d, came back %d, stack %d\n", config.ret, packet->named, packet->came_back,
	       config.stack);
	printf("# ifindex %u, came in by %u, gso_size %u, tc_index %#x, VLAN %u, pass %08x of CPU %u after %08x to ifindex %u\n",
	       packet->ifindex, packet->ingress_ifindex, packet->gso_size, packet->tc_index, packet->vlan, packet->pass,
	       packet->cpu, packet->redirected, packet->redirected_to);
	for (int j = 0; j < 5; j++)
		printf("# cb[%d] %08x -> %08x, model %08x\n", j, packet->cb[j], run->cb[j], model->cb[j]);
	packets_print("packet", packet->data, packet->len);
	packets_print("model's", model->data, model->len);
	packets_print("program's", run->out.data, run->out.len);
	print_config();
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t seen[WGVIA_DIRECTION_COUNT][MODEL_UNCOUNTED + 1], lowered[WGVIA_DIRECTION_COUNT];

static void program_and_model_agree(void **unused)
{
	static struct model_packet packet;
	static struct model_result model;
	static uint8_t buffer[MODEL_FRAME_MAX];
	static struct frame frame;
	static struct run run;
	struct programs *p = NULL;
	unsigned int disagreements = 0, further = 0;
	double start = now();
	uint64_t i;

	(void)unused;
	printf("# %llu packets, seed %llu\n", (unsigned long long)packets_wanted, (unsigned long long)seed);
	for (i = 0; i < packets_wanted && disagreements < 3; i++) {
		const char *what;
		int error;

		if (i % PACKETS_PER_CONFIG == 0) {
			/* so that one configuration can be reproduced without those before it */
			state = (seed + i / PACKETS_PER_CONFIG) * 0x9e3779b97f4a7c15ull | 1;
			for (int j = 0; j < 8; j++)
				draw();
			memset(latest, 0, sizeof(latest));
			draw_config();
			passes = one_in(2) ? draw() : -below(1000); /* the latter wraps around */
		}
		p = i % PACKETS_PER_CONFIG && draw_return(&packet, &model, buffer)
			    ? p
			    : &programs[draw_packet(&packet, buffer)];
		p->skel->bss->sender_wanted = 0;
		frame.len = packet.len;
		memcpy(frame.data, packet.data, packet.len);
		run.ifindex = packet.ifindex;
		run.ingress_ifindex = packet.ingress_ifindex;
		run.gso_size = packet.gso_size;
		run.tc_index = packet.tc_index;
		run.vlan = packet.vlan;
		memcpy(run.cb, packet.cb, sizeof(run.cb));
		memset((void *)p->recorded, 0, sizeof(*p->recorded));
		if (packet.direction == WGVIA_EGRESS)
			programs_set_passes(p, &(struct programs_passes){packet.pass - 1, packet.redirected,
									 packet.redirected_to, 0});
		error = programs_run(p, packet.direction, &frame, &run);
		model_decide(&config, &packet, &model);
		seen[packet.direction][model.verdict]++;
		lowered[packet.direction] += model.lowered;
		further += model.redirected && model.verdict == MODEL_UNCOUNTED;
		if (model.verdict != MODEL_UNCOUNTED) {
			expected[WGVIA_COUNTER(packet.direction, model.verdict)].packets += model.packets;
			expected[WGVIA_COUNTER(packet.direction, model.verdict)].bytes += model.bytes;
		}
		if (p->options.count)
			expect_prefix(&model);
		what = error ? strerror(-error)
			     : compare(p, &packet, &model, &run, i % PACKETS_PER_CONFIG == PACKETS_PER_CONFIG - 1);
		if (what) {
			print_disagreement(what, i, p, &packet, &model, &run);
			memcpy(expected, p->counters, sizeof(expected));
			disagreements++;
		}
	}
	printf("# %llu packets in %.1f s\n", (unsigned long long)i, now() - start);
	for (int d = 0; d < WGVIA_DIRECTION_COUNT; d++)
		for (int v = 0; v <= MODEL_UNCOUNTED; v++)
			if (seen[d][v])
				printf("# %-6s %-10s %9llu\n", directions[d], words[v], (unsigned long long)seen[d][v]);
	printf("# MSS lowered: out %llu, back %llu, egress %llu\n", (unsigned long long)lowered[WGVIA_OUT],
	       (unsigned long long)lowered[WGVIA_BACK], (unsigned long long)lowered[WGVIA_EGRESS]);
	printf("# egress further tries %u, indexes %llu\n", further, (unsigned long long)indexes);
	printf("# counted by prefix: out %llu, back %llu\n", (unsigned long long)counted_by_prefix[0],
	       (unsigned long long)counted_by_prefix[1]);
	for (int back = 0; back <= 1; back++)
		assert_in_range(counted_by_prefix[back], packets_wanted / 1000, packets_wanted);
	assert_true(indexes >= packets_wanted / PACKETS_PER_CONFIG / 4);
	assert_int_equal(disagreements, 0);
	for (int d = 0; d < WGVIA_DIRECTION_COUNT; d++)
		assert_in_range(lowered[d], packets_wanted * LEAST_LOWERED / 1000000, packets_wanted);
	assert_in_range(further, packets_wanted * LEAST_PER_VERDICT / 1000000, packets_wanted);
}

static void every_verdict_occurred(void **unused)
{
	static const uint32_t reachable[WGVIA_DIRECTION_COUNT] = {
		[WGVIA_OUT] = (1 << (WGVIA_REDIRECTED + 1)) - 1,
		[WGVIA_BACK] = 1 << WGVIA_HOP_LIMIT | 1 << WGVIA_TOO_BIG | 1 << WGVIA_NO_GATEWAY | 1 << WGVIA_RETURNED |
			       1 << WGVIA_BOUNCED | 1 << WGVIA_DIRECT | 1 << WGVIA_REFUSED | 1 << MODEL_UNCOUNTED,
		[WGVIA_EGRESS] = 1 << WGVIA_TOO_BIG | 1 << WGVIA_NO_GATEWAY | 1 << WGVIA_RETARGETED |
				 1 << WGVIA_REFUSED | 1 << MODEL_UNCOUNTED,
	};
	uint64_t least = packets_wanted * LEAST_PER_VERDICT / 1000000;

	(void)unused;
	if (!programs_can_check_mtu()) {
		printf("# SKIP too_big does not occur on a kernel without bpf_check_mtu()\n");
		skip();
	}
	for (int d = 0; d < WGVIA_DIRECTION_COUNT; d++)
		for (int v = 0; v <= MODEL_UNCOUNTED; v++) {
			if (reachable[d] & 1u << v)
				assert_in_range(seen[d][v], least, packets_wanted);
			else
				assert_int_equal(seen[d][v], 0);
		}
}

static void name_sender(void)
{
	const uint32_t source = WGVIA_SENDER_NAMED;
	struct wgvia_sender key = {};

	memcpy(key.mac, named_mac, sizeof(key.mac));
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(programs[0].skel->maps.senders), &key, &source, BPF_ANY), 0);
}

static int set_up(void **unused)
{
	static const struct programs_options options[FORM_COUNT] = {
		[FORM_ETHER] = {.tunnel_ether = true},
		[FORM_L3] = {.l3 = true},
		[FORM_NO_CHECK_MTU] = {.l3 = true, .no_check_mtu = true},
		[FORM_STACK] = {.stack = true},
	};

	(void)unused;
	programs_namespace();
	cpu = programs_stay_on_a_cpu();
	programs_sysctl("/proc/sys/net/ipv4/ip_forward", "0");
	for (int form = 0; form < FORM_COUNT; form++) {
		struct programs_options o = options[form];

		o.record = true;
		o.flat_counters = true;
		o.count = form != FORM_NO_CHECK_MTU; /* that one counts nothing by prefix */
		o.maps_of = programs[0].skel;
		programs_load(&programs[form], &o);
	}
	can_set_ingress = programs_can_set_ingress(&programs[0]);
	name_sender();
	memset((void *)programs[0].counters, 0, sizeof(expected));
	printf("# kernel: bpf_check_mtu() %s, ingress devices in test runs %s\n",
	       programs_can_check_mtu() ? "yes" : "no", can_set_ingress ? "yes" : "no");
	for (int i = DEVICE_TUNNEL; i < DEVICE_COUNT; i++)
		config.devices[config.device_count++] = (struct model_device){
			.ifindex = devices[i].ifindex,
			.mtu = devices[i].mtu,
			.for_gateways = i != DEVICE_TUNNEL && i != DEVICE_FOREIGN && i != DEVICE_GONE,
		};
	config.tunnel_ifindex = devices[DEVICE_TUNNEL].ifindex;
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	for (int form = FORM_COUNT; form--;)
		programs_unload(&programs[form]);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_and_model_agree),
		cmocka_unit_test(every_verdict_occurred),
	};
	const char *count = argc > 1 ? argv[1] : getenv("WGVIA_MODEL_PACKETS");
	const char *chosen = argc > 2 ? argv[2] : getenv("WGVIA_MODEL_SEED");

	programs_need_root();
	if (count)
		packets_wanted = strtoull(count, NULL, 10);
	if (chosen)
		seed = strtoull(chosen, NULL, 10);
	else if (getrandom(&seed, 4, 0) != 4)
		seed = time(NULL);
	return cmocka_run_group_tests_name("model", tests, set_up, tear_down);
}

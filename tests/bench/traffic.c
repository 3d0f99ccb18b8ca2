/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets and their sources; see traffic.h.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floors.h"
#include "lane.h"
#include "traffic.h"

/* A bijection of 32-bit numbers, or of their low bits: multiplication by an odd factor. */
static uint32_t spread(uint32_t number)
{
	return number * 0x9e3779b1u;
}

void traffic_prefix(int family, uint32_t number, uint8_t addr[16])
{
	uint32_t bits;

	memset(addr, 0, 16);
	if (family == 4) { /* 2^20 of length 28 in 10.0.0.0/8 */
		bits = htonl(10u << 24 | (spread(number) & 0xfffff) << 4);
		memcpy(addr, &bits, 4);
	} else { /* 2^32 of length 40 in fd00::/8 */
		bits = htonl(spread(number));
		addr[0] = 0xfd;
		memcpy(addr + 1, &bits, 4);
	}
}

/* xorshift64, Marsaglia */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* One of 16 hosts in any of the prefixes. */
static void draw_source(struct traffic *traffic, uint8_t *ip)
{
	uint64_t drawn = draw(&traffic->state);
	uint32_t prefix = ((drawn >> 32) * traffic->prefixes) >> 32;
	uint8_t addr[16];
	uint16_t check;

	traffic_prefix(traffic->family, prefix, addr);
	if (traffic->family == 6) {
		addr[15] = drawn & 15;
		memcpy(ip + 8, addr, 16);
		return;
	}
	addr[3] |= drawn & 15;
	memcpy(ip + 12, addr, 4);
	memset(ip + 10, 0, 2);
	check = htons(packets_checksum(ip, 5));
	memcpy(ip + 10, &check, 2);
}

/*
 * Without a checksum: WireGuard marks authenticated packets as checked (CHECKSUM_UNNECESSARY), which is impossible on a
 * tun device; nothing here may verify it (nf_conntrack_checksum).
 */
static void set_udp(struct frame *frame, bool back, uint32_t len)
{
	const uint16_t client = htons(40000), service = htons(4500),
		       header[] = {back ? service : client, back ? client : service, htons(len), 0};

	memcpy(frame->data + frame->len - len, header, sizeof(header));
}

void traffic_build(struct traffic *traffic, int family, bool back, const char *sources, const uint8_t mac[6])
{
	const char *client = family == 4 ? "10.6.0.10" : "2001:db8:1::10";
	const char *service = family == 4 ? "192.0.2.3" : "2001:db8:2::3";
	const char *outside = family == 4 ? "172.16.6.10" : "2001:db8:66::10";
	uint32_t udp_len = FLOORS_PACKET_LEN - (family == 4 ? 20 : 40);
	struct packet_spec spec = {
		.family = family,
		.source = back ? service : client,
		.destination = back ? client : service,
		.payload = SET(udp_len),
	};

	if (!strcmp(sources, "outside"))
		spec.source = outside;
	packets_build(&spec, mac, &traffic->frame);
	memcpy(traffic->frame.data + 6, lane_firewall_mac, 6); /* whoever else sends it back, it is bounced */
	set_udp(&traffic->frame, back, udp_len);
	traffic->family = family;
	traffic->ethernet = back;
	traffic->prefixes = strtoul(sources, NULL, 10);
	traffic->state = 88172645463325252ull;
}

void traffic_send(struct traffic *traffic, int fd, uint32_t count)
{
	uint8_t *ip = traffic->frame.data + LINK_LEN, *begin = traffic->ethernet ? traffic->frame.data : ip;
	ssize_t len = traffic->frame.data + traffic->frame.len - begin;

	while (count--) {
		if (traffic->prefixes)
			draw_source(traffic, ip);
		if (write(fd, begin, len) != len) {
			perror("wire: cannot inject");
			exit(1);
		}
	}
}

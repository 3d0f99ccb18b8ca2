/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets and their sources; see traffic.h. Drawing is repeatable: two runs send the same.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "floors.h"
#include "traffic.h"

#define DRAWN (1u << 20)
#define KINDS 16

/* A bijection of 32-bit numbers, or of their lowest bits: an odd factor. */
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

static void draw_source(int family, uint32_t prefixes, uint64_t *state, uint8_t addr[16])
{
	uint64_t host = draw(state);

	traffic_prefix(family, (draw(state) >> 32) % prefixes, addr);
	if (family == 4)
		addr[3] |= host & 15;
	else
		memcpy(addr + 8, &host, 8);
}

static void set_source(uint8_t *ip, int family, const struct source *source)
{
	if (family == 4) {
		memcpy(ip + 12, source->addr, 4);
		memcpy(ip + 10, &source->check, 2);
	} else {
		memcpy(ip + 8, source->addr, 16);
	}
}

static void set_check(const struct frame *frame, struct source *source)
{
	uint8_t header[20];

	memcpy(header, frame->data + LINK_LEN, sizeof(header));
	source->check = 0;
	set_source(header, 4, source);
	source->check = htons(packets_checksum(header, sizeof(header) / 4));
}

static struct source *allocate(uint32_t count)
{
	struct source *list = calloc(count, sizeof(*list));

	if (!list) {
		perror("sources");
		exit(1);
	}
	return list;
}

/* The same sources are the same memory, so that rows that are compared read the same. */
static const struct sources *find_sources(const struct frame *frame, int family, bool back, const char *name)
{
	static struct {
		char key[32];
		struct sources sources;
	} known[KINDS];
	uint32_t prefixes = strtoul(name, NULL, 10);
	uint64_t state = 88172645463325252ull;
	struct sources *sources;
	char key[32];
	int i;

	snprintf(key, sizeof(key), "%d %d %s", family, back, name);
	for (i = 0; i < KINDS && known[i].key[0]; i++)
		if (!strcmp(known[i].key, key))
			return &known[i].sources;
	if (i == KINDS) {
		fprintf(stderr, "wire: more than %d kinds of sources\n", KINDS);
		exit(1);
	}
	strcpy(known[i].key, key);
	sources = &known[i].sources;
	sources->mask = prefixes ? DRAWN - 1 : 0;
	sources->list = allocate(sources->mask + 1);
	for (uint32_t n = 0; n <= sources->mask; n++) {
		if (prefixes)
			draw_source(family, prefixes, &state, sources->list[n].addr);
		else
			memcpy(sources->list[n].addr, frame->data + LINK_LEN + (family == 4 ? 12 : 8),
			       family == 4 ? 4 : 16);
		if (family == 4)
			set_check(frame, &sources->list[n]);
	}
	return sources;
}

/*
 * A checksum that is not made: WireGuard hands up what it has authenticated as checked (CHECKSUM_UNNECESSARY), which a
 * tun device cannot be told; nobody here may look at it (nf_conntrack_checksum).
 */
static void set_udp(struct frame *frame, uint32_t len)
{
	const uint16_t header[] = {htons(40000), htons(4500), htons(len), 0};

	memcpy(frame->data + frame->len - len, header, sizeof(header));
}

void traffic_build(struct traffic *traffic, int family, bool back, const char *sources, const uint8_t mac[6])
{
	const char *client = family == 4 ? "10.6.0.10" : "2001:db8:1::10";
	const char *service = family == 4 ? "192.0.2.3" : "2001:db8:2::3";
	const char *outside = family == 4 ? "172.16.6.10" : "2001:db8:66::10";
	struct packet_spec spec = {
		.family = family,
		.source = back ? service : client,
		.destination = back ? client : service,
		.payload = SET(FLOORS_PACKET_LEN - (family == 4 ? 20 : 40)),
	};

	if (!strcmp(sources, "outside"))
		spec.source = outside;
	packets_build(&spec, mac, &traffic->frame);
	set_udp(&traffic->frame, FLOORS_PACKET_LEN - (family == 4 ? 20 : 40));
	traffic->ethernet = back;
	traffic->ipv4 = family == 4;
	traffic->sources = find_sources(&traffic->frame, family, back, sources);
	traffic->next = 0;
}

void traffic_send(struct traffic *traffic, int fd, uint32_t count)
{
	uint8_t *ip = traffic->frame.data + LINK_LEN, *begin = traffic->ethernet ? traffic->frame.data : ip;
	ssize_t len = traffic->frame.data + traffic->frame.len - begin;
	const struct sources *sources = traffic->sources;

	while (count--) {
		set_source(ip, traffic->ipv4 ? 4 : 6, &sources->list[traffic->next++ & sources->mask]);
		if (write(fd, begin, len) != len) {
			perror("wire: cannot inject");
			exit(1);
		}
	}
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets for test runs; see packets.h. They are built as described even if the description contradicts itself: most of
 * these tests are about that.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"

int packets_address(const char *text, uint8_t addr[16], uint32_t *prefixlen)
{
	char copy[INET6_ADDRSTRLEN + 5];
	char *slash;
	int family;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	memset(addr, 0, 16);
	family = strchr(copy, ':') ? 6 : 4;
	if (inet_pton(family == 6 ? AF_INET6 : AF_INET, copy, addr) != 1) {
		fprintf(stderr, "a test's address is wrong: %s\n", text);
		exit(1);
	}
	if (prefixlen)
		*prefixlen = slash ? strtoul(slash, NULL, 10) : family == 6 ? 128 : 32;
	return family;
}

static uint32_t add_bytes(uint32_t sum, const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

uint16_t packets_checksum(const void *data, unsigned int words)
{
	return fold(add_bytes(0, data, words * 4));
}

uint16_t packets_tcp_checksum(int family, const uint8_t *ip, const uint8_t *tcp, uint32_t len)
{
	uint32_t sum = add_bytes(6 /* IPPROTO_TCP */ + len, tcp, len);

	return fold(family == 4 ? add_bytes(sum, ip + 12, 8) : add_bytes(sum, ip + 8, 32));
}

static void put16(uint8_t *at, unsigned int value)
{
	at[0] = value >> 8;
	at[1] = value;
}

void packets_choose_checksum(uint8_t *ip, uint16_t checksum)
{
	unsigned int rest;

	memset(ip + 4, 0, 2);
	memset(ip + 10, 0, 2);
	/* the negated rest of the sum: RFC 1071 */
	rest = packets_checksum(ip, ip[0] & 15) + (~checksum & 0xffff);
	put16(ip + 4, rest + (rest >> 16));
	put16(ip + 10, packets_checksum(ip, ip[0] & 15));
}

/* Fills what comes after the IP headers: a TCP, UDP or ICMP header as far as there is room, then a pattern. */
static void build_payload(const struct packet_spec *spec, int protocol, uint8_t *at, int len)
{
	for (int i = 0; i < len; i++)
		at[i] = 0xa0 + i * 7;
	if ((protocol == 6 || spec->tcp_flags) && len > 12)
		at[12] = GET(spec->tcp_words, 5 + spec->option_len / 4) << 4;
	if (len > 13 && spec->tcp_flags)
		at[13] = spec->tcp_flags - 1;
	if (len >= 20 + spec->option_len)
		memcpy(at + 20, spec->options, spec->option_len);
	if (protocol == 17 && len >= 8)
		put16(at + 4, len);
	if ((protocol == 1 || protocol == 58) && len)
		at[0] = GET(spec->icmp_type, 8);
}

static void choose_tcp_checksum(const struct packet_spec *spec, const uint8_t *ip, uint8_t *tcp, int len)
{
	if (!spec->tcp_flags || len < 20)
		return;
	put16(tcp + 16, 0);
	put16(tcp + 16, packets_tcp_checksum(spec->family, ip, tcp, len));
}

static uint8_t *build4(const struct packet_spec *spec, uint8_t *ip, int payload)
{
	int ihl = GET(spec->ihl, 5), header_len = (ihl < 5 ? 5 : ihl) * 4;
	int protocol = GET(spec->protocol, 17);
	int len = header_len + payload;
	uint8_t addr[16];

	ip[0] = GET(spec->version, 4) << 4 | (ihl & 15);
	put16(ip + 2, GET(spec->total_length, len + spec->claim));
	put16(ip + 4, 0x1234);
	put16(ip + 6, GET(spec->fragment, 0));
	ip[8] = GET(spec->hop_limit, 64);
	ip[9] = protocol;
	packets_address(spec->source, addr, NULL);
	memcpy(ip + 12, addr, 4);
	packets_address(spec->destination, addr, NULL);
	memcpy(ip + 16, addr, 4);
	memset(ip + 20, 1 /* no operation */, header_len - 20);
	put16(ip + 10, packets_checksum(ip, header_len / 4));
	if (spec->checksum)
		packets_choose_checksum(ip, spec->checksum - 1);
	build_payload(spec, protocol, ip + header_len, payload);
	choose_tcp_checksum(spec, ip, ip + header_len, payload);
	return ip + len;
}

static uint8_t *build6(const struct packet_spec *spec, uint8_t *ip, int payload)
{
	uint8_t *next = ip + 6, *at = ip + 40;
	int protocol = GET(spec->protocol, 17);

	ip[0] = GET(spec->version, 6) << 4;
	ip[3] = 0x42;
	ip[7] = GET(spec->hop_limit, 64);
	packets_address(spec->source, ip + 8, NULL);
	packets_address(spec->destination, ip + 24, NULL);
	for (unsigned int i = 0; i < sizeof(spec->extensions) && spec->extensions[i]; i++) {
		*next = spec->extensions[i] - 1;
		next = at;
		if (spec->extensions[i] == SET(44))
			put16(at + 2, GET(spec->fragment, 0) << 3);
		at += 8;
	}
	*next = protocol;
	build_payload(spec, protocol, at, payload);
	choose_tcp_checksum(spec, ip, at, payload);
	at += payload;
	put16(ip + 4, GET(spec->total_length, at - ip - 40 + spec->claim));
	return at;
}

void packets_build(const struct packet_spec *spec, const uint8_t mac[6], struct frame *frame)
{
	static const uint8_t macs[][6] = {
		[MAC_OTHER] = {0x02, 0x99, 0x99, 0x99, 0x99, 0x99},
		[MAC_BROADCAST] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		[MAC_MULTICAST] = {0x33, 0x33, 0, 0, 0, 1},
	};
	uint8_t *ip = frame->data + LINK_LEN, *end;
	int payload = GET(spec->payload, 20 + spec->option_len);

	memset(frame->data, 0, sizeof(frame->data));
	memcpy(frame->data, spec->mac == MAC_DEVICE ? mac : macs[spec->mac], 6);
	memcpy(frame->data + 6, (uint8_t[]){2, 0, 0, 0, 0xaa, spec->sender ? spec->sender : 1}, 6);
	put16(frame->data + 12, GET(spec->ethertype, spec->family == 4 ? 0x0800 : 0x86dd));
	end = spec->family == 4 ? build4(spec, ip, payload) : build6(spec, ip, payload);
	if (spec->cut && end > ip + GET(spec->cut, 0))
		end = ip + GET(spec->cut, 0);
	frame->len = end - frame->data + spec->padding;
	if (frame->len > FRAME_MAX) {
		fprintf(stderr, "a test's packet is too long: %u\n", frame->len);
		exit(1);
	}
}

void packets_print(const char *title, const void *data, uint32_t len)
{
	const uint8_t *bytes = data;

	printf("# %s, %u bytes:\n", title, len);
	for (uint32_t i = 0; i < len; i++) {
		if (i % 32 == 0)
			printf("#  ");
		printf("%s%02x%s", i % 4 ? "" : " ", bytes[i], i % 32 == 31 || i + 1 == len ? "\n" : "");
	}
}

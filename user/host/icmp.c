// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing and reading echo packets and ICMP errors.
 */
#include "host/icmp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <string.h>

#include "base/util.h"
#include "host/datagram.h"

const char *const refusal_words[REFUSAL_COUNT] = {
	[REFUSAL_NO_ROUTE] = "no route",     [REFUSAL_NO_HOST] = "host unreachable",
	[REFUSAL_PROHIBITED] = "prohibited", [REFUSAL_EXPIRED] = "time exceeded",
	[REFUSAL_OTHER] = "unreachable",
};
static_assert(REFUSAL_OTHER == REFUSAL_COUNT - 1, "refusal_words");

static const struct {
	uint8_t family, type;
	int code; /* -1: any other code */
	enum refusal refusal;
} refusals[] = {
	{AF_INET, ICMP_DEST_UNREACH, ICMP_NET_UNREACH, REFUSAL_NO_ROUTE},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_NET_UNKNOWN, REFUSAL_NO_ROUTE},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, REFUSAL_NO_HOST},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_HOST_UNKNOWN, REFUSAL_NO_HOST},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_NET_ANO, REFUSAL_PROHIBITED},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_HOST_ANO, REFUSAL_PROHIBITED},
	{AF_INET, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, REFUSAL_PROHIBITED},
	/* what rules send without an explicit choice: the echo protocol has no ports */
	{AF_INET, ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, REFUSAL_PROHIBITED},
	{AF_INET, ICMP_DEST_UNREACH, -1, REFUSAL_OTHER},
	{AF_INET, ICMP_TIME_EXCEEDED, -1, REFUSAL_EXPIRED},
	{AF_INET6, ICMPV6_DEST_UNREACH, ICMPV6_NOROUTE, REFUSAL_NO_ROUTE},
	{AF_INET6, ICMPV6_DEST_UNREACH, ICMPV6_REJECT_ROUTE, REFUSAL_NO_ROUTE},
	{AF_INET6, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH, REFUSAL_NO_HOST},
	{AF_INET6, ICMPV6_DEST_UNREACH, ICMPV6_ADM_PROHIBITED, REFUSAL_PROHIBITED},
	{AF_INET6, ICMPV6_DEST_UNREACH, ICMPV6_POLICY_FAIL, REFUSAL_PROHIBITED},
	{AF_INET6, ICMPV6_DEST_UNREACH, ICMPV6_PORT_UNREACH, REFUSAL_PROHIBITED},
	{AF_INET6, ICMPV6_DEST_UNREACH, -1, REFUSAL_OTHER},
	{AF_INET6, ICMPV6_TIME_EXCEED, -1, REFUSAL_EXPIRED},
};

/* RFC 4861; <netinet/icmp6.h> conflicts with the kernel's headers. */
#define ND_REDIRECT 137
#define ND_OPT_REDIRECTED_HEADER 4

/*
 * Echo headers and errors of both families have the same layout: type, code, checksum, and 4 more bytes (id and seq).
 */
struct icmp_header {
	uint8_t type, code;
	uint16_t check, id, seq;
};
static_assert(sizeof(struct icmp_header) == ICMP_ECHO_HEADER, "icmp_header");

static uint8_t echo_type(uint8_t family, bool reply)
{
	if (family == AF_INET)
		return reply ? ICMP_ECHOREPLY : ICMP_ECHO;
	return reply ? ICMPV6_ECHO_REPLY : ICMPV6_ECHO_REQUEST;
}

size_t icmp_make_echo(const struct icmp_echo *echo, uint8_t packet[ICMP_ECHO_MAX])
{
	/* identifies the sender for whoever sees it in a capture */
	struct {
		struct icmp_header header;
		uint64_t token;
		char text[ICMP_ECHO_PAYLOAD - sizeof(uint64_t)];
	} body = {{.type = echo_type(echo->from.family, echo->reply), .id = htons(echo->id), .seq = htons(echo->seq)},
		  htobe64(echo->token),
		  "wgvia"};
	bool four = echo->from.family == AF_INET;
	uint8_t protocol = four ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	size_t header = four ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	uint32_t sum = four ? 0 : datagram_pseudo_sum(&echo->from, &echo->to, protocol, sizeof(body));

	static_assert(sizeof(body) == ICMP_ECHO_HEADER + ICMP_ECHO_PAYLOAD, "the body has no holes");
	body.header.check = datagram_checksum(sum, &body, sizeof(body));
	datagram_put_header(packet, header + sizeof(body), &echo->from, &echo->to, protocol, echo->hop_limit);
	memcpy(packet + header, &body, sizeof(body));
	return header + sizeof(body);
}

/* Returns the offset of the end of the ICMP header; 0: there is none. */
static size_t read_icmp(uint8_t family, const uint8_t *packet, size_t len, struct icmp_echo *echo,
			struct icmp_header *icmp)
{
	uint8_t protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	size_t at = datagram_read_header(family, packet, len, protocol, &echo->from, &echo->to, &echo->hop_limit);

	if (!at || len < at + sizeof(*icmp))
		return 0;
	memcpy(icmp, packet + at, sizeof(*icmp));
	echo->id = ntohs(icmp->id);
	echo->seq = ntohs(icmp->seq);
	echo->reply = icmp->type == echo_type(family, true);
	return at + sizeof(*icmp);
}

static bool is_echo(uint8_t family, const struct icmp_header *icmp)
{
	return icmp->type == echo_type(family, false) || icmp->type == echo_type(family, true);
}

/* The echo packet that is quoted at `packet`. */
static bool read_quoted(uint8_t family, const uint8_t *packet, size_t len, struct icmp_echo *echo)
{
	struct icmp_header quoted;

	*echo = (struct icmp_echo){};
	return read_icmp(family, packet, len, echo, &quoted) && is_echo(family, &quoted);
}

/*
 * A redirect's next hop, and the offset of the packet that it quotes; 0: it quotes none. `at` is the end of its ICMP
 * header.
 */
static size_t read_redirect(uint8_t family, const uint8_t *packet, size_t len, size_t at, struct ip *better)
{
	better->family = family;
	if (family == AF_INET) {
		memcpy(better->addr, packet + at - 4, 4); /* RFC 792: in the ICMP header */
		return at;
	}
	if (len < at + 32) /* RFC 4861, 4.5: the target, the destination, options in units of 8 bytes */
		return 0;
	memcpy(better->addr, packet + at, 16);
	for (at += 32; len >= at + 8 && packet[at + 1]; at += (size_t)packet[at + 1] * 8)
		if (packet[at] == ND_OPT_REDIRECTED_HEADER)
			return at + 8;
	return 0;
}

bool icmp_read(uint8_t family, const uint8_t *packet, size_t len, struct icmp_message *message)
{
	struct icmp_message read = {};
	struct icmp_header icmp;
	size_t at = read_icmp(family, packet, len, &read.echo, &icmp);
	uint64_t token;

	if (!at)
		return false;
	read.by = read.echo.from;
	if (is_echo(family, &icmp)) {
		if (len < at + ICMP_ECHO_PAYLOAD)
			return false;
		memcpy(&token, packet + at, sizeof(token));
		read.echo.token = be64toh(token);
		*message = read;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (refusals[i].family != family || refusals[i].type != icmp.type ||
		    (refusals[i].code >= 0 && refusals[i].code != icmp.code))
			continue;
		read.refused = true;
		read.refusal = refusals[i].refusal;
		break;
	}
	if (!read.refused && icmp.type == (family == AF_INET ? ICMP_REDIRECT : ND_REDIRECT)) {
		at = read_redirect(family, packet, len, at, &read.better);
		read.redirected = at;
	}
	if ((!read.refused && !read.redirected) || !read_quoted(family, packet + at, len - at, &read.echo))
		return false;
	*message = read;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Headers and checksums.
 */
#include "host/datagram.h"

#include <arpa/inet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <string.h>

static uint32_t add_words(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | (i + 1 < len ? bytes[i + 1] : 0);
	return sum;
}

uint16_t datagram_checksum(uint32_t sum, const void *data, size_t len)
{
	sum = add_words(sum, data, len);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

uint32_t datagram_pseudo_sum(const struct ip *from, const struct ip *to, uint8_t protocol, size_t len)
{
	return add_words(add_words(len + protocol, from->addr, sizeof(from->addr)), to->addr, sizeof(to->addr));
}

size_t datagram_put_header(void *packet, size_t len, const struct ip *from, const struct ip *to, uint8_t protocol,
			   uint8_t hop_limit)
{
	if (from->family == AF_INET) {
		struct iphdr ip = {
			.version = 4, .ihl = 5, .ttl = hop_limit, .protocol = protocol, .tot_len = htons(len)};

		memcpy(&ip.saddr, from->addr, 4);
		memcpy(&ip.daddr, to->addr, 4);
		memcpy(packet, &ip, sizeof(ip));
		ip.check = datagram_checksum(0, packet, sizeof(ip));
		memcpy(packet, &ip, sizeof(ip));
		return sizeof(ip);
	} else {
		struct ipv6hdr ip = {.version = 6,
				     .nexthdr = protocol,
				     .hop_limit = hop_limit,
				     .payload_len = htons(len - sizeof(ip))};

		memcpy(&ip.saddr, from->addr, 16);
		memcpy(&ip.daddr, to->addr, 16);
		memcpy(packet, &ip, sizeof(ip));
		return sizeof(ip);
	}
}

size_t datagram_read_header(uint8_t family, const uint8_t *packet, size_t len, uint8_t protocol, struct ip *from,
			    struct ip *to, uint8_t *hop_limit)
{
	from->family = to->family = family;
	if (family == AF_INET) {
		struct iphdr ip;

		if (len < sizeof(ip))
			return 0;
		memcpy(&ip, packet, sizeof(ip));
		if (ip.version != 4 || ip.ihl < 5 || ip.protocol != protocol || ntohs(ip.frag_off) & 0x1fff)
			return 0;
		memcpy(from->addr, &ip.saddr, 4);
		memcpy(to->addr, &ip.daddr, 4);
		*hop_limit = ip.ttl;
		return (size_t)ip.ihl * 4;
	} else {
		struct ipv6hdr ip;

		if (len < sizeof(ip))
			return 0;
		memcpy(&ip, packet, sizeof(ip));
		if (ip.version != 6 || ip.nexthdr != protocol)
			return 0;
		memcpy(from->addr, &ip.saddr, 16);
		memcpy(to->addr, &ip.daddr, 16);
		*hop_limit = ip.hop_limit;
		return sizeof(ip);
	}
}

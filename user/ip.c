// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and prefixes as values.
 */
#include "ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

unsigned int ip_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

struct ip ip_mask(struct ip ip, unsigned int len)
{
	for (unsigned int i = 0; i < sizeof(ip.addr); i++) {
		unsigned int kept = len > i * 8 ? len - i * 8 : 0;

		if (kept < 8)
			ip.addr[i] &= (uint8_t)(0xff00 >> kept);
	}
	return ip;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

bool ip_is_multicast(const struct ip *ip)
{
	return ip->family == AF_INET ? (ip->addr[0] & 0xf0) == 0xe0 : ip->addr[0] == 0xff;
}

bool ip_is_link_local(const struct ip *ip)
{
	return ip->family == AF_INET6 && ip->addr[0] == 0xfe && (ip->addr[1] & 0xc0) == 0x80;
}

bool ip_is_unspecified(const struct ip *ip)
{
	static const uint8_t zero[16];

	return !memcmp(ip->addr, zero, sizeof(zero));
}

bool ip_is_loopback(const struct ip *ip)
{
	if (ip->family == AF_INET)
		return ip->addr[0] == 127;
	return !memcmp(ip->addr, &in6addr_loopback, sizeof(ip->addr));
}

bool prefix_contains(const struct prefix *prefix, const struct ip *ip)
{
	struct ip masked = ip_mask(*ip, prefix->len);

	return ip_equal(&prefix->ip, &masked);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->len <= inner->len && prefix_contains(outer, &inner->ip);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order;

	if (a->ip.family != b->ip.family)
		return a->ip.family < b->ip.family ? -1 : 1;
	order = memcmp(a->ip.addr, b->ip.addr, sizeof(a->ip.addr));
	return order ? order : a->len - b->len;
}

bool prefixes_overlap(const struct prefixes *sorted, const struct prefix *to)
{
	size_t first = 0, end = sorted->count;

	/* the first that is not before `to`; the one before it may cover `to` */
	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (prefix_compare(&sorted->all[middle], to) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return (first < sorted->count && prefix_overlaps(&sorted->all[first], to)) ||
	       (first && prefix_overlaps(&sorted->all[first - 1], to));
}

struct prefix prefix_of_ip(const struct ip *ip)
{
	return (struct prefix){*ip, ip_bits(ip->family)};
}

const char *ip_text(const struct ip *ip, char *text)
{
	if (!inet_ntop(ip->family, ip->addr, text, IP_TEXT_LEN))
		strcpy(text, "?");
	return text;
}

const char *prefix_text(const struct prefix *prefix, char *text)
{
	ip_text(&prefix->ip, text);
	sprintf(text + strlen(text), "/%u", prefix->len);
	return text;
}

const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_LEN])
{
	snprintf(text, MAC_TEXT_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return text;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and prefixes as values.
 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
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

static struct ip last_of(const struct prefix *prefix)
{
	struct ip last = prefix->ip;

	for (unsigned int bit = prefix->len; bit < ip_bits(last.family); bit++)
		last.addr[bit / 8] |= 0x80 >> bit % 8;
	return last;
}

/* Each of the three has its addresses side by side. */
bool prefix_stays_on_link(const struct prefix *prefix)
{
	const struct ip *first = &prefix->ip, last = last_of(prefix);

	return (ip_is_multicast(first) && ip_is_multicast(&last)) ||
	       (ip_is_link_local(first) && ip_is_link_local(&last)) || (ip_is_loopback(first) && ip_is_loopback(&last));
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

static const struct prefix *prefix_at(const void *table, size_t size, size_t i)
{
	return (const void *)((const char *)table + i * size);
}

size_t prefix_first(const void *table, size_t count, size_t size, const struct prefix *prefix)
{
	size_t first = 0, end = count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;

		if (prefix_compare(prefix_at(table, size, middle), prefix) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

size_t prefix_inside(const void *table, size_t count, size_t size, const struct prefix *prefix, size_t *first)
{
	size_t begin = prefix_first(table, count, size, prefix), inside = begin, end = count;

	while (inside < end) {
		size_t middle = inside + (end - inside) / 2;

		if (prefix_covers(prefix, prefix_at(table, size, middle)))
			inside = middle + 1;
		else
			end = middle;
	}
	*first = begin;
	return inside - begin;
}

static int compare(const void *a, const void *b)
{
	return prefix_compare(a, b);
}

void prefixes_sort(struct prefixes *prefixes)
{
	if (prefixes->count)
		qsort(prefixes->all, prefixes->count, sizeof(*prefixes->all), compare);
}

void prefixes_reduce(struct prefixes *prefixes)
{
	size_t kept = 0;

	prefixes_sort(prefixes);
	for (size_t i = 0; i < prefixes->count; i++)
		if (!kept || !prefix_covers(&prefixes->all[kept - 1], &prefixes->all[i]))
			prefixes->all[kept++] = prefixes->all[i];
	prefixes->count = kept;
}

bool prefixes_overlap(const struct prefixes *reduced, const struct prefix *to)
{
	size_t first = prefix_first(reduced->all, reduced->count, sizeof(*reduced->all), to);

	return (first < reduced->count && prefix_covers(to, &reduced->all[first])) || prefixes_cover(reduced, to);
}

bool prefixes_cover(const struct prefixes *reduced, const struct prefix *to)
{
	size_t first = prefix_first(reduced->all, reduced->count, sizeof(*reduced->all), to);

	/* one that covers `to` is equal to it, or the last one before it: none is inside another */
	return (first < reduced->count && !prefix_compare(&reduced->all[first], to)) ||
	       (first && prefix_covers(&reduced->all[first - 1], to));
}

const struct prefix *prefixes_longest(const struct prefixes *sorted, const struct prefix *to)
{
	for (int len = to->len; len >= 0; len--) {
		struct prefix one = {ip_mask(to->ip, len), len};
		size_t first = prefix_first(sorted->all, sorted->count, sizeof(one), &one);

		if (first < sorted->count && !prefix_compare(&sorted->all[first], &one))
			return &sorted->all[first];
	}
	return NULL;
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

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses and prefixes as values of either family: text form, order, containment. No I/O.
 */
#ifndef WGVIA_IP_H
#define WGVIA_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPV6_MIN_MTU 1280 /* RFC 8200, 5: below that, the kernel switches IPv6 off at a device */

#define IP_TEXT_LEN 46	   /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT_LEN 50 /* and "/128" */

struct ip {
	uint8_t family;	  /* AF_INET or AF_INET6; 0: none */
	uint8_t addr[16]; /* network order; IPv4 in the first four bytes, the rest 0 */
};

struct prefix {
	struct ip ip; /* host bits are 0 */
	uint8_t len;
};

/* 32 or 128. */
unsigned int ip_bits(uint8_t family);
/* Clears all bits behind the first `len`. */
struct ip ip_mask(struct ip ip, unsigned int len);
bool ip_equal(const struct ip *a, const struct ip *b);
bool ip_is_multicast(const struct ip *ip);
/* fe80::/10. Linux forwards 169.254.0.0/16 like any other network (ip_route_input_slow()). */
bool ip_is_link_local(const struct ip *ip);
bool ip_is_loopback(const struct ip *ip);
bool ip_is_unspecified(const struct ip *ip);

bool prefix_contains(const struct prefix *prefix, const struct ip *ip);
/* Whether all its addresses are multicast, all link-local or all loopback: Linux forwards nothing from these. */
bool prefix_stays_on_link(const struct prefix *prefix);
/* Whether every address of `inner` is in `outer`. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
/* IPv4 before IPv6, then by address, shorter before longer: for qsort() and for merging two sorted arrays. */
int prefix_compare(const struct prefix *a, const struct prefix *b);

/*
 * Searches in a table of `count` entries of `size` bytes that begin with their prefix, and are in the order of
 * prefix_compare(). The entries that `prefix` covers stand together there: the first one's index is the index of the
 * first entry that is not before `prefix`. prefix_inside() returns their number, which may be 0.
 */
size_t prefix_first(const void *table, size_t count, size_t size, const struct prefix *prefix);
size_t prefix_inside(const void *table, size_t count, size_t size, const struct prefix *prefix, size_t *first);

struct prefixes {
	struct prefix *all;
	size_t count;
};
void prefixes_sort(struct prefixes *prefixes);
/* Puts them in order, and removes those that another one covers. */
void prefixes_reduce(struct prefixes *prefixes);
/* Whether `to` has an address in common with one of `reduced`; whether one of them covers `to`. */
bool prefixes_overlap(const struct prefixes *reduced, const struct prefix *to);
bool prefixes_cover(const struct prefixes *reduced, const struct prefix *to);
/* The longest one of `sorted` that covers `to`; NULL: none. */
const struct prefix *prefixes_longest(const struct prefixes *sorted, const struct prefix *to);

/* The whole host: /32 or /128. */
struct prefix prefix_of_ip(const struct ip *ip);

/* Into `text`, which has room for IP_TEXT_LEN or PREFIX_TEXT_LEN bytes; returned for use in printf(). */
const char *ip_text(const struct ip *ip, char *text);
const char *prefix_text(const struct prefix *prefix, char *text);

#define MAC_TEXT_LEN 18
const char *mac_text(const uint8_t mac[6], char text[MAC_TEXT_LEN]);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iproute2's syntax: the meaning of a command `ip route ...` or `ip rule ...`, as a value. It accepts what iproute2
 * accepts, including abbreviations, and runs nothing.
 */
#ifndef WGVIA_IPROUTE_H
#define WGVIA_IPROUTE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define IPROUTE_TABLE 64

enum iproute_object { IPROUTE_OTHER, IPROUTE_ROUTE, IPROUTE_RULE };
enum iproute_action { IPROUTE_LOOK, IPROUTE_ADD, IPROUTE_DELETE, IPROUTE_FLUSH };

struct iproute {
	enum iproute_object object; /* IPROUTE_OTHER: neither, or not `ip`; then nothing else is set */
	enum iproute_action action;
	uint8_t family;		   /* AF_INET or AF_INET6 */
	char table[IPROUTE_TABLE]; /* a name or a decimal number; for the kernel's own tables a name; "": not given */
	struct prefix prefix;	   /* a route's destination, a rule's source; family 0: not given */
	struct prefix to;	   /* a rule's destination; family 0: not given */
	const char *type;	   /* a route's, unless it is unicast: "throw" */
	struct ip via;
	char dev[IFNAMSIZ];    /* a route's */
	uint32_t preference;   /* a route's metric, a rule's preference; 0: not given */
	const char *extra;     /* an additional word that selects or changes something: "fwmark", "nexthop" */
	const char *not_clear; /* a word that iproute2 would refuse, or that is unknown here */
};

/* The pointers in the result point into `list`. */
struct iproute iproute_read(char *const *list, size_t count);
/*
 * A prefix of the family; 0 means either. Host bits are cleared, because the kernel ignores them. "default" without a
 * known family gets family 0.
 */
bool iproute_prefix(const char *text, uint8_t family, struct prefix *prefix);
/* A table's name in the canonical form for comparison; false: too long. */
bool iproute_table(const char *word, char table[IPROUTE_TABLE]);
/* "main", "local", "default", or none: not a table of the recipe. */
bool iproute_table_is_kernels(const char *table);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iproute2's words: what a command `ip route ...` or `ip rule ...` says, as a value. It takes what iproute2 takes, that
 * is abbreviations too, and runs nothing.
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
	enum iproute_object object; /* IPROUTE_OTHER: neither, or no `ip`; nothing else is set then */
	enum iproute_action action;
	uint8_t family;		   /* AF_INET or AF_INET6 */
	char table[IPROUTE_TABLE]; /* a name, or a number in decimal; the kernel's own by their names; "": none given */
	struct prefix prefix;	   /* a route's destination, a rule's source; family 0: none given */
	struct prefix to;	   /* a rule's destination; family 0: none given */
	const char *type;	   /* a route's, where it is not unicast: "throw" */
	struct ip via;
	char dev[IFNAMSIZ];    /* a route's */
	uint32_t preference;   /* a route's metric, a rule's preference; 0: none given */
	const char *extra;     /* a word that selects or changes something besides: "fwmark", "nexthop" */
	const char *not_clear; /* a word that iproute2 would refuse, or that is not known here */
};

/* The pointers in the value point to `words`. */
struct iproute iproute_read(char *const *list, size_t count);
/*
 * A prefix of the family, any where it is 0. Host bits go, as the kernel compares without them; "default", where the
 * family is not known, is of family 0.
 */
bool iproute_prefix(const char *text, uint8_t family, struct prefix *prefix);
/* A table's name in the one form that tables are compared in; false: too long. */
bool iproute_table(const char *word, char table[IPROUTE_TABLE]);
/* "main", "local", "default", or none: not one that the recipe has made. */
bool iproute_table_is_kernels(const char *table);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internal to ruleset_nft*.c: JSON of nft, the meaning of its conditions, and additional data from the kernel.
 */
#ifndef WGVIA_RULESET_NFT_H
#define WGVIA_RULESET_NFT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "check/ruleset_condition.h"

/* "FAMILY TABLE NAME", of a chain or a map, as a key in a JSON object. Truncated if it is too long for nftables. */
#define RULESET_NFT_KEY 600
void ruleset_nft_key(char key[RULESET_NFT_KEY], const char *family, const char *table, const char *name);

/* A member; NULL if it is missing, or if `object` has another type. The text version returns "" then. */
struct json_object *nft_member(struct json_object *object, const char *name);
const char *nft_text(struct json_object *object, const char *name);
/* The number of items; 0 if the value is not an array. */
size_t nft_items(struct json_object *array);

/* VALUE, or the VALUE of {"elem": {"val": VALUE, ...}}, which is an element with a comment, a counter, or a timeout. */
struct json_object *nft_value(struct json_object *element);

/*
 * The condition that the expression `left` ("iifname" ...) has the value `right`, or one of its set, or compares to it
 * with an operator other than "==": "!=", "in", "<" ...
 */
struct condition nft_condition(const struct traffic *traffic, struct json_object *left, const char *op,
			       struct json_object *right);
/* Whether that matches exactly what is invalid to connection tracking. */
bool nft_is_invalid(struct json_object *left, struct json_object *right);

/* The output of `nft -j ARGUMENTS`, at most `limit` bytes; NULL if nft is not installed, or prints nothing or more. */
struct json_object *nft_ask(const char *arguments, size_t limit);
/* The array of elements of a "set" or "map" of a rule's table, by name; NULL: unknown. `known` caches the answers. */
struct json_object *nft_ask_elements(struct json_object *known, struct json_object *rule, const char *type,
				     const char *name);

/* Whether the kernel has a chain of nftables at a hook. */
bool ruleset_nft_kernel_has_chains(void);
/* Whether the kernel refuses to report them because this process lacks CAP_NET_ADMIN. */
bool ruleset_nft_kernel_is_refused(void);
/* An object with an array of device names for each chain at a device's hook. The caller releases it. */
struct json_object *ruleset_nft_kernel_devices(void);

#endif

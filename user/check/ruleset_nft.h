/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the files ruleset_nft*.c alone: JSON of nft, what single conditions in it mean, and what the kernel adds.
 */
#ifndef WGVIA_RULESET_NFT_H
#define WGVIA_RULESET_NFT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "check/ruleset_condition.h"

/* "FAMILY TABLE NAME", of a chain or a map: a key in a JSON object. Truncated where it is too long for nftables. */
#define RULESET_NFT_KEY 600
void ruleset_nft_key(char key[RULESET_NFT_KEY], const char *family, const char *table, const char *name);

/* A member; NULL where it is missing, or where `object` is of another type. As text: "" then. */
struct json_object *nft_member(struct json_object *object, const char *name);
const char *nft_text(struct json_object *object, const char *name);
/* The number of items; 0 if the value is not an array. */
size_t nft_items(struct json_object *array);

/* VALUE, or what {"elem": {"val": VALUE, ...}} holds, an element with a comment, a counter, a timeout. */
struct json_object *nft_value(struct json_object *element);

/*
 * The condition that the expression `left` ("iifname" ...) has the value `right`, or one of its set, or what another
 * operator than "==" says: "!=", "in", "<" ...
 */
struct condition nft_condition(const struct traffic *traffic, struct json_object *left, const char *op,
			       struct json_object *right);
/* Whether that is about what is invalid to connection tracking, and about nothing else. */
bool nft_is_invalid(struct json_object *left, struct json_object *right);

/* What `nft -j ARGUMENTS` prints, of at most `limit` bytes; NULL where nft is not installed, or prints none or more. */
struct json_object *nft_ask(const char *arguments, size_t limit);
/*
 * The elements of a "set" or "map" of a rule's table by name, an array; NULL: they are not known. `known` holds those
 * that have been asked for.
 */
struct json_object *nft_ask_elements(struct json_object *known, struct json_object *rule, const char *type,
				     const char *name);

/* Whether the kernel has a chain of nftables at a hook. */
bool ruleset_nft_kernel_has_chains(void);
/* Whether the kernel refuses to report them to this process, which lacks CAP_NET_ADMIN. */
bool ruleset_nft_kernel_is_refused(void);
/* An object with an array of device names for each chain at a device's hook. The caller's to put. */
struct json_object *ruleset_nft_kernel_devices(void);

#endif

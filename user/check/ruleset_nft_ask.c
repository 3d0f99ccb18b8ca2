// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests to nft. The elements of a set are requested by its name, and only if a rule refers to it, because sets may
 * be large.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check/ruleset_nft.h"

/* A larger set or map is not evaluated. */
#define MAX_ELEMENTS (4 << 20)

struct json_object *nft_ask(const char *arguments, size_t limit)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *all = NULL;
	char buffer[16384];
	FILE *nft;
	size_t len, sum = 0;

	snprintf(buffer, sizeof(buffer), "PATH=$PATH:/usr/sbin:/sbin exec nft -j %s 2>/dev/null", arguments);
	nft = popen(buffer, "re");
	while (nft && tokener && !all && sum <= limit && (len = fread(buffer, 1, sizeof(buffer), nft))) {
		all = json_tokener_parse_ex(tokener, buffer, (int)len);
		sum += len;
	}
	if (nft)
		pclose(nft);
	if (tokener)
		json_tokener_free(tokener);
	return all;
}

/* Names that nft accepts and that have no special meaning to a shell. */
static bool is_plain(const char *name)
{
	return *name && *name != '-' &&
	       !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")];
}

struct json_object *nft_ask_elements(struct json_object *known, struct json_object *rule, const char *type,
				     const char *name)
{
	const char *family = nft_text(rule, "family"), *table = nft_text(rule, "table");
	struct json_object *elements = NULL, *all, *list;
	char key[RULESET_NFT_KEY], arguments[RULESET_NFT_KEY + 16];

	ruleset_nft_key(key, family, table, name);
	if (json_object_object_get_ex(known, key, &elements))
		return elements;
	if (!is_plain(family) || !is_plain(table) || !is_plain(name))
		return NULL;
	snprintf(arguments, sizeof(arguments), "list %s %s", type, key);
	all = nft_ask(arguments, MAX_ELEMENTS);
	list = nft_member(all, "nftables");
	for (size_t i = 0; i < nft_items(list); i++) {
		struct json_object *set = nft_member(json_object_array_get_idx(list, i), type);

		if (set)
			elements = nft_member(set, "elem") ? json_object_get(nft_member(set, "elem"))
							   : json_object_new_array();
	}
	json_object_put(all);
	json_object_object_add(known, key, elements);
	return elements;
}

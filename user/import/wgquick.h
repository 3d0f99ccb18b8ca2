/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lines of a wg-quick file that determine routing: hooks, Table, addresses. It reads them as wg-quick(8) does,
 * passes on no key, and does not know what a hook does.
 */
#ifndef WGVIA_WGQUICK_H
#define WGVIA_WGQUICK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum wgquick_key {
	WGQUICK_TABLE,
	WGQUICK_PRE_UP,
	WGQUICK_POST_UP,
	WGQUICK_PRE_DOWN,
	WGQUICK_POST_DOWN,
	WGQUICK_HOOK_END, /* import replaces lines with the keys above */
	WGQUICK_ADDRESS = WGQUICK_HOOK_END,
	WGQUICK_ALLOWED_IPS,
	WGQUICK_SAVE_CONFIG,
	WGQUICK_KEY_COUNT
};
extern const char *const wgquick_keys[WGQUICK_KEY_COUNT];

struct wgquick_line {
	unsigned int line; /* from 1 */
	enum wgquick_key key;
	bool misplaced; /* wg-quick ignores the key in this section */
	char *value;	/* without comment and surrounding blanks */
};

/*
 * The lines with these keys, in the file's order. The caller frees the array with wgquick_free(), on failure as well. A
 * file that is not text is refused.
 */
int wgquick_read(const char *text, size_t len, struct wgquick_line **lines, size_t *count, struct error *error);
void wgquick_free(struct wgquick_line *lines, size_t count);
/*
 * Whether it contains text in the format of WireGuard's keys, private or not, as in wg(8): 43 characters of base64 and
 * '='.
 */
bool wgquick_holds_key(const char *text, size_t len);

#endif

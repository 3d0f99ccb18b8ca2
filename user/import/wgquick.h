/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A wg-quick file's lines, as far as they say what is routed where: hooks, Table, addresses. It reads them the way
 * wg-quick(8) does, hands on no key, and does not know what a hook does.
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
	WGQUICK_HOOK_END, /* above are the lines that import puts new ones in the place of */
	WGQUICK_ADDRESS = WGQUICK_HOOK_END,
	WGQUICK_ALLOWED_IPS,
	WGQUICK_SAVE_CONFIG,
	WGQUICK_KEY_COUNT
};
extern const char *const wgquick_keys[WGQUICK_KEY_COUNT];

struct wgquick_line {
	unsigned int line; /* from 1 */
	enum wgquick_key key;
	bool misplaced; /* wg-quick does not take the key in this section */
	char *value;	/* without comment and blanks around it */
};

/*
 * The lines with these keys, in the file's order; the array is the caller's to free by wgquick_free(), on failure too.
 * What is no text is refused.
 */
int wgquick_read(const char *text, size_t len, struct wgquick_line **lines, size_t *count, struct error *error);
void wgquick_free(struct wgquick_line *lines, size_t count);
/* What looks like one of WireGuard's keys, private or not, as wg(8) writes them: 43 characters of base64 and '='. */
bool wgquick_holds_key(const char *text, size_t len);

#endif

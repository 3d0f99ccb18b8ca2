/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attributes of a netlink message. One that is shorter than its type is as one that is not there.
 */
#ifndef WGVIA_ATTRIBUTES_H
#define WGVIA_ATTRIBUTES_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/* By type, those of higher types left out; NULL: it is not there. */
struct attributes {
	const struct nlattr *of[64];
};

/* `fixed`: the size of the header before the attributes. A shorter message has no attributes. */
struct attributes attributes_of(const struct nlmsghdr *header, size_t fixed);
/* Those inside an attribute; none where that is NULL. */
struct attributes attributes_in(const struct nlattr *attribute);
struct attributes attributes_at(const void *payload, size_t len);

/* `attribute` may be NULL, and then, or where it is too short, the value is `otherwise`. */
uint8_t attribute_u8(const struct nlattr *attribute, uint8_t otherwise);
uint32_t attribute_u32(const struct nlattr *attribute, uint32_t otherwise);
/* Copies a text, cut to size - 1 bytes; nothing where the attribute is NULL. */
void attribute_text(const struct nlattr *attribute, char *text, size_t size);
/* An address of that family; missing bytes are zero. */
struct ip attribute_ip(const struct nlattr *attribute, uint8_t family);

#endif

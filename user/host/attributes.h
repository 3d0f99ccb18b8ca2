/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attributes of a netlink message. An attribute that is too short for its type is treated as missing.
 */
#ifndef WGVIA_ATTRIBUTES_H
#define WGVIA_ATTRIBUTES_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

/* By type, without types that are too high; NULL: missing. */
struct attributes {
	const struct nlattr *of[64];
};

/* `fixed`: the size of the header before the attributes. A shorter message has no attributes. */
struct attributes attributes_of(const struct nlmsghdr *header, size_t fixed);
/* Those inside an attribute; none if that is NULL. */
struct attributes attributes_in(const struct nlattr *attribute);
struct attributes attributes_at(const void *payload, size_t len);

/* The value, or `otherwise` if `attribute` is NULL or too short. */
uint8_t attribute_u8(const struct nlattr *attribute, uint8_t otherwise);
uint32_t attribute_u32(const struct nlattr *attribute, uint32_t otherwise);
/* Copies a text, truncated to size - 1 bytes; does nothing if the attribute is NULL. */
void attribute_text(const struct nlattr *attribute, char *text, size_t size);
/* An address of that family; missing bytes are zero. */
struct ip attribute_ip(const struct nlattr *attribute, uint8_t family);

#endif

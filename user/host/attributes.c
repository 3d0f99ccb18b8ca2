// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading attributes within their bounds.
 */
#include "host/attributes.h"

#include <string.h>

#include "base/util.h"

static int gather(const struct nlattr *attribute, void *data)
{
	struct attributes *attributes = data;

	if (mnl_attr_get_type(attribute) < ARRAY_SIZE(attributes->of))
		attributes->of[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

struct attributes attributes_of(const struct nlmsghdr *header, size_t fixed)
{
	struct attributes attributes = {};

	if (mnl_nlmsg_get_payload_len(header) >= fixed)
		mnl_attr_parse(header, fixed, gather, &attributes);
	return attributes;
}

struct attributes attributes_in(const struct nlattr *attribute)
{
	struct attributes attributes = {};

	if (attribute)
		mnl_attr_parse_nested(attribute, gather, &attributes);
	return attributes;
}

struct attributes attributes_at(const void *payload, size_t len)
{
	struct attributes attributes = {};

	mnl_attr_parse_payload(payload, len, gather, &attributes);
	return attributes;
}

uint8_t attribute_u8(const struct nlattr *attribute, uint8_t otherwise)
{
	return attribute && mnl_attr_get_payload_len(attribute) >= 1 ? mnl_attr_get_u8(attribute) : otherwise;
}

uint32_t attribute_u32(const struct nlattr *attribute, uint32_t otherwise)
{
	return attribute && mnl_attr_get_payload_len(attribute) >= sizeof(uint32_t) ? mnl_attr_get_u32(attribute)
										    : otherwise;
}

void attribute_text(const struct nlattr *attribute, char *text, size_t size)
{
	size_t len;

	if (!attribute)
		return;
	len = strnlen(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute));
	if (len > size - 1)
		len = size - 1;
	memcpy(text, mnl_attr_get_payload(attribute), len);
	text[len] = '\0';
}

struct ip attribute_ip(const struct nlattr *attribute, uint8_t family)
{
	size_t len = mnl_attr_get_payload_len(attribute);
	struct ip ip = {.family = family};

	memcpy(ip.addr, mnl_attr_get_payload(attribute), len < ip_bits(family) / 8 ? len : ip_bits(family) / 8);
	return ip;
}

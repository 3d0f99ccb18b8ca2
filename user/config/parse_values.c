// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single words to values. A message names the valid values and shows the offending word.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/abi_words.h"
#include "config/parse.h"
#include "config/words.h"

int parse_ip(const char *text, struct ip *ip, struct error *error)
{
	struct ip result = {};

	if (inet_pton(AF_INET, text, result.addr) == 1) {
		result.family = AF_INET;
	} else if (inet_pton(AF_INET6, text, result.addr) == 1) {
		result.family = AF_INET6;
		if (!memcmp(result.addr, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12))
			return error_usage(error, "'%s' is an IPv4-mapped address, which no packet carries", text);
	} else if (strchr(text, '/')) {
		return error_usage(error, "'%s' is not a valid address: it has a prefix length", text);
	} else {
		return error_usage(error, "'%s' is not an IPv4 or IPv6 address", text);
	}
	*ip = result;
	return 0;
}

/* A decimal number of at most three digits, without leading zero or other characters; otherwise -1. */
static int parse_len(const char *text)
{
	int len = 0;

	if (!*text || strlen(text) > 3 || (text[0] == '0' && text[1]))
		return -1;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -1;
		len = len * 10 + *text - '0';
	}
	return len;
}

int parse_prefix(const char *text, struct prefix *prefix, struct error *error)
{
	char address[IP_TEXT_LEN], right[PREFIX_TEXT_LEN];
	const char *slash = strchr(text, '/');
	size_t address_len = slash ? (size_t)(slash - text) : strlen(text);
	struct prefix result = {};
	struct ip ip = {};
	int len;

	if (address_len >= sizeof(address))
		return error_usage(error, "'%s' is not a valid prefix: ADDRESS/LENGTH is needed", text);
	memcpy(address, text, address_len);
	address[address_len] = '\0';
	if (parse_ip(address, &ip, error)) {
		bool mapped = strstr(error->text, "mapped");

		return error_usage(error,
				   mapped ? "'%s' is an IPv4-mapped prefix, which no packet has as its source"
					  : "'%s' is not a valid prefix: ADDRESS/LENGTH is needed",
				   text);
	}
	len = slash ? parse_len(slash + 1) : (int)ip_bits(ip.family);
	if (len < 0 || len > (int)ip_bits(ip.family))
		return error_usage(error, "'%s' has no valid length: 0 to %u is needed for IPv%d", text,
				   ip_bits(ip.family), ip.family == AF_INET ? 4 : 6);
	result = (struct prefix){ip_mask(ip, len), len};
	if (!ip_equal(&result.ip, &ip))
		return error_usage(error, "'%s' has host bits set: do you mean '%s'?", text,
				   prefix_text(&result, right));
	*prefix = result;
	return 0;
}

int parse_ifname(const char *text, char name[IFNAMSIZ], struct error *error)
{
	size_t len = strlen(text);

	if (len >= IFNAMSIZ)
		return error_usage(error, "'%s' is not a valid interface name: %d characters at most", text,
				   IFNAMSIZ - 1);
	if (!len || !strcmp(text, ".") || !strcmp(text, ".."))
		return error_usage(error, "'%s' is not a valid interface name", text);
	for (const char *c = text; *c; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
			return error_usage(error, "'%s' is not a valid interface name: no '/', ':' or white space",
					   text);
	strncpy(name, text, IFNAMSIZ); /* pads with zeros */
	return 0;
}

int parse_mode(const char *text, enum wgvia_mode *mode, struct error *error)
{
	int value = word_find(mode_words, WORDS_MODE, text);

	if (value < 0)
		return error_usage(error, "'%s' is not a valid mode: fast or stack", text);
	*mode = value;
	return 0;
}

int parse_outside(const char *text, enum wgvia_outside *outside, struct error *error)
{
	int value = word_find(outside_words, WORDS_OUTSIDE, text);

	if (value < 0)
		return error_usage(error, "'%s' is not a valid action for outside: pass or drop", text);
	*outside = value;
	return 0;
}

int parse_counting(const char *text, enum wgvia_counting *counting, struct error *error)
{
	int value = word_find(counting_words, WORDS_COUNTING, text);

	if (value < 0)
		return error_usage(error, "'%s' is not valid for counters: prefix or off", text);
	*counting = value;
	return 0;
}

int parse_mss(const char *text, uint32_t *mss, struct error *error)
{
	struct error ignored = {};
	unsigned int number = WGVIA_MSS_OFF;

	if (!strcmp(text, "auto"))
		number = WGVIA_MSS_AUTO;
	else if (strcmp(text, "off") != 0 && parse_number("mss", text, WGVIA_MSS_MIN, WGVIA_MSS_MAX, &number, &ignored))
		return error_usage(error, "'%s' is not a valid MSS: auto, off, or %u to %u", text, WGVIA_MSS_MIN,
				   WGVIA_MSS_MAX);
	*mss = number;
	return 0;
}

int parse_on_fail(const char *text, enum wgvia_on_fail *on_fail, struct error *error)
{
	int value = word_find(on_fail_words, WORDS_ON_FAIL, text);

	if (value < 0)
		return error_usage(error, "'%s' is not a valid action for on-fail: drop or pass", text);
	*on_fail = value;
	return 0;
}

int parse_return(const char *text, enum wgvia_return *ret, struct error *error)
{
	int value = word_find(return_words, WORDS_RETURN, text);

	if (value < 0)
		return error_usage(error, "'%s' is not an action for return: via, any or drop", text);
	*ret = value;
	return 0;
}

bool parse_mac(const char *text, uint8_t mac[6])
{
	int end = 0;

	return strlen(text) == 17 &&
	       sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		      &mac[5], &end) == 6 &&
	       end == 17 && strspn(text, "0123456789abcdefABCDEF:") == 17;
}

int parse_number(const char *keyword, const char *text, unsigned int min, unsigned int max, unsigned int *number,
		 struct error *error)
{
	unsigned long value = 0;
	const char *digit = text;

	while (isdigit((unsigned char)*digit) && value <= max)
		value = value * 10 + *digit++ - '0';
	if (!*text || *digit || value < min || value > max)
		return error_usage(error, "%s '%s' is not a number from %u to %u", keyword, text, min, max);
	*number = value;
	return 0;
}

int parse_seconds(const char *keyword, const char *text, unsigned int min, unsigned int max, unsigned int *milliseconds,
		  struct error *error)
{
	const char *point = strchr(text, '.'), *digit = text;
	unsigned long value = 0;
	int decimals = 3;

	for (; *digit && value <= max; digit++) {
		if (digit == point && digit > text && digit[1])
			continue;
		if (!isdigit((unsigned char)*digit) || (point && digit > point && !decimals--))
			break;
		value = value * 10 + *digit - '0';
	}
	for (int scale = point ? decimals : 3; scale > 0 && value <= max; scale--)
		value *= 10;
	if (!*text || *digit || value < min || value > max)
		return error_usage(error, "%s '%s' is not a number of seconds from %g to %g", keyword, text,
				   min / 1000.0, max / 1000.0);
	*milliseconds = value;
	return 0;
}

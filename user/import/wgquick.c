// SPDX-License-Identifier: GPL-2.0-only
/*
 * Follows wg-quick's parse_options(): keys in any case, '#' begins a comment anywhere, only [Interface] has hooks.
 */
#include "import/wgquick.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

const char *const wgquick_keys[WGQUICK_KEY_COUNT] = {
	[WGQUICK_TABLE] = "Table",
	[WGQUICK_PRE_UP] = "PreUp",
	[WGQUICK_POST_UP] = "PostUp",
	[WGQUICK_PRE_DOWN] = "PreDown",
	[WGQUICK_POST_DOWN] = "PostDown",
	[WGQUICK_ADDRESS] = "Address",
	[WGQUICK_ALLOWED_IPS] = "AllowedIPs",
	[WGQUICK_SAVE_CONFIG] = "SaveConfig",
};
static_assert(WGQUICK_SAVE_CONFIG == WGQUICK_KEY_COUNT - 1, "wgquick_keys");

enum section { SECTION_OTHER, SECTION_INTERFACE, SECTION_PEER };

struct span {
	const char *start;
	size_t len;
};

static struct span trim(struct span span)
{
	while (span.len && isspace((unsigned char)*span.start)) {
		span.start++;
		span.len--;
	}
	while (span.len && isspace((unsigned char)span.start[span.len - 1]))
		span.len--;
	return span;
}

static bool span_is(struct span span, const char *word)
{
	return span.len == strlen(word) && !strncasecmp(span.start, word, span.len);
}

static int check_text(struct span line, unsigned int number, struct error *error)
{
	if (line.len && line.start[line.len - 1] == '\r')
		line.len--;
	for (size_t i = 0; i < line.len; i++)
		if (iscntrl((unsigned char)line.start[i]) && line.start[i] != '\t')
			return error_refuse(error, "line %u is not text: it holds a control character (0x%02x)", number,
					    (unsigned char)line.start[i]);
	return 0;
}

/* Processes one line; `line` excludes the line end. */
static int take_line(struct span line, unsigned int number, enum section *section, struct wgquick_line **lines,
		     size_t *count)
{
	const char *comment = memchr(line.start, '#', line.len), *equals;
	struct wgquick_line *result;
	struct span key, value;
	int which = 0;

	key = value = (struct span){line.start, comment ? (size_t)(comment - line.start) : line.len};
	equals = memchr(line.start, '=', key.len);
	if (equals) {
		key.len = (size_t)(equals - line.start);
		value = (struct span){equals + 1, value.len - key.len - 1};
	}
	key = trim(key);
	if (key.len && *key.start == '[')
		*section = span_is(key, "[Interface]") ? SECTION_INTERFACE
			   : span_is(key, "[Peer]")    ? SECTION_PEER
						       : SECTION_OTHER;
	while (which < WGQUICK_KEY_COUNT && !span_is(key, wgquick_keys[which]))
		which++;
	if (which == WGQUICK_KEY_COUNT)
		return 0;
	result = array_grow(lines, count, sizeof(*result));
	if (!result)
		return -ENOMEM;
	value = trim(value);
	result->line = number;
	result->key = which;
	result->misplaced = *section != (which == WGQUICK_ALLOWED_IPS ? SECTION_PEER : SECTION_INTERFACE);
	result->value = strndup(value.start, value.len);
	return result->value ? 0 : -ENOMEM;
}

int wgquick_read(const char *text, size_t len, struct wgquick_line **lines, size_t *count, struct error *error)
{
	enum section section = SECTION_OTHER;
	unsigned int number = 0;
	int ret = 0;

	*lines = NULL;
	*count = 0;
	while (len && !ret) {
		const char *end = memchr(text, '\n', len);
		struct span line = {text, end ? (size_t)(end - text) : len};

		number++;
		text += line.len + !!end;
		len -= line.len + !!end;
		ret = check_text(line, number, error);
		if (ret)
			return ret;
		ret = take_line(line, number, &section, lines, count);
	}
	return ret ? error_system(error, -ret, "cannot read the file") : 0;
}

bool wgquick_holds_key(const char *text, size_t len)
{
	size_t run = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] && strchr("\"'\\", text[i])) /* the shell removes quotes anywhere in a word */
			continue;
		if (text[i] == '=' && run >= 43)
			return true;
		run = isalnum((unsigned char)text[i]) || text[i] == '+' || text[i] == '/' ? run + 1 : 0;
	}
	return false;
}

void wgquick_free(struct wgquick_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(lines[i].value);
	free(lines);
}

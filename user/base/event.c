// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events as values.
 */
#include "base/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

#define WORD(name, word, id) word,
const char *const event_words[EVENT_KIND_COUNT] = {EVENT_KINDS(WORD)};

#define MESSAGE_ID(name, word, id) id,
const char *const event_message_ids[EVENT_KIND_COUNT] = {EVENT_KINDS(MESSAGE_ID)};

struct event event_make(enum event_kind kind, const char *priority, const char *tunnel, const char *format, ...)
{
	struct event event = {.kind = kind, .priority = priority, .tunnel = tunnel};
	va_list args;

	va_start(args, format);
	if (vasprintf(&event.text, format, args) < 0)
		event.text = NULL;
	va_end(args);
	if (event.text)
		error_keep_on_one_line(event.text);
	return event;
}

void event_free(struct event *event)
{
	free(event->text);
	for (size_t i = 0; i < event->field_count; i++)
		free(event->fields[i].text);
	*event = (struct event){};
}

void event_add_text(struct event *event, const char *name, const char *text)
{
	char *copy = event->field_count < EVENT_FIELDS ? strdup(text) : NULL;

	if (copy)
		event->fields[event->field_count++] = (struct event_field){.name = name, .text = copy};
}

void event_add_number(struct event *event, const char *name, uint64_t number)
{
	if (event->field_count < EVENT_FIELDS)
		event->fields[event->field_count++] = (struct event_field){.name = name, .number = number};
}

const char *event_find_text(const struct event *event, const char *name)
{
	for (size_t i = 0; i < event->field_count; i++)
		if (!strcmp(event->fields[i].name, name))
			return event->fields[i].text;
	return NULL;
}

const char *event_priority_word(const char *priority)
{
	static const char *const words[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
	size_t number = priority[1] - '0';

	return number < ARRAY_SIZE(words) ? words[number] : "debug";
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * One datagram for each event.
 */
#include "agent/journal_socket.h"

#include <ctype.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/util.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* "NAME=VALUE", or with the length in between if the value has several lines. */
static void add(FILE *out, const char *name, const char *value)
{
	uint64_t len = htole64(strlen(value));

	if (!strchr(value, '\n')) {
		fprintf(out, "%s=%s\n", name, value);
		return;
	}
	fprintf(out, "%s\n", name);
	fwrite(&len, sizeof(len), 1, out);
	fprintf(out, "%s\n", value);
}

/* WGVIA_STATE for "state"; a next hop, which is "via" in JSON, becomes GATEWAY for readers of logs. */
static void add_field(FILE *out, const struct event_field *field)
{
	char name[64] = "WGVIA_", number[24];
	size_t len = strlen(name);

	snprintf(name + len, sizeof(name) - len, "%s", strcmp(field->name, "via") ? field->name : "gateway");
	for (char *letter = name + len; *letter; letter++)
		*letter = (char)toupper((unsigned char)*letter);
	snprintf(number, sizeof(number), "%" PRIu64, field->number);
	add(out, name, field->text ? field->text : number);
}

static void add_event(FILE *out, const struct event *event)
{
	char priority[] = {event->priority[1], '\0'};
	cleanup_free char *message = NULL;

	if (asprintf(&message, "%s: %s", event->tunnel, event->text ? event->text : "") < 0)
		message = NULL;
	add(out, "MESSAGE", message ? message : "");
	add(out, "PRIORITY", priority);
	add(out, "SYSLOG_IDENTIFIER", "wgvia");
	add(out, "MESSAGE_ID", event_message_ids[event->kind]);
	add(out, "WGVIA_INTERFACE", event->tunnel);
	add(out, "WGVIA_EVENT", event_words[event->kind]);
	for (size_t i = 0; i < event->field_count; i++)
		add_field(out, &event->fields[i]);
}

bool journal_send(const struct event *event)
{
	static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
	cleanup_free char *text = NULL;
	cleanup_fd int fd = -1;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return false;
	add_event(out, event);
	if (fclose(out))
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd >= 0 &&
	       sendto(fd, text, len, MSG_NOSIGNAL, (const struct sockaddr *)&address, sizeof(address)) == (ssize_t)len;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event: something that happened to an instance, as a line of text and as fields. It is created once, at its source;
 * the agent's log, the journal and `wgvia monitor` are renderings of it.
 */
#ifndef WGVIA_EVENT_H
#define WGVIA_EVENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * X(constant, word, MESSAGE_ID of the journal, object of the event). Words and IDs are an interface for scripts,
 * documented in wgvia(8). The last digits of an ID number the kinds.
 */
#define EVENT_KINDS(X)                                                                                                 \
	X(INSTANCE, "instance", "c1d7a6c4f0c94d6f9d2b6f5e3a870001")                                                    \
	X(AGENT, "agent", "c1d7a6c4f0c94d6f9d2b6f5e3a870002")                                                          \
	X(RELOAD, "reload", "c1d7a6c4f0c94d6f9d2b6f5e3a870003")                                                        \
	X(GATEWAY, "gateway", "c1d7a6c4f0c94d6f9d2b6f5e3a870004")                                                      \
	X(FAILOVER, "failover", "c1d7a6c4f0c94d6f9d2b6f5e3a870005")                                                    \
	X(TUNNEL, "tunnel", "c1d7a6c4f0c94d6f9d2b6f5e3a870006")                                                        \
	X(ATTACHMENT, "attachment", "c1d7a6c4f0c94d6f9d2b6f5e3a870007")                                                \
	X(SETTING, "setting", "c1d7a6c4f0c94d6f9d2b6f5e3a870008")                                                      \
	X(SOURCE, "source", "c1d7a6c4f0c94d6f9d2b6f5e3a870009")                                                        \
	X(PREFIX, "prefix", "c1d7a6c4f0c94d6f9d2b6f5e3a87000a")                                                        \
	X(BYPASS, "bypass", "c1d7a6c4f0c94d6f9d2b6f5e3a87000b")                                                        \
	X(ADDRESS, "address", "c1d7a6c4f0c94d6f9d2b6f5e3a87000c")                                                      \
	X(ROUTE, "route", "c1d7a6c4f0c94d6f9d2b6f5e3a87000d")                                                          \
	X(ACCEPT, "accept", "c1d7a6c4f0c94d6f9d2b6f5e3a87000e")                                                        \
	X(PROBLEM, "problem", "c1d7a6c4f0c94d6f9d2b6f5e3a87000f")                                                      \
	X(LOST, "lost", "c1d7a6c4f0c94d6f9d2b6f5e3a870010")

#define EVENT_MEMBER(name, word, id) EVENT_##name,
enum event_kind { EVENT_KINDS(EVENT_MEMBER) EVENT_KIND_COUNT };

extern const char *const event_words[EVENT_KIND_COUNT];
extern const char *const event_message_ids[EVENT_KIND_COUNT];

#define EVENT_FIELDS 8

struct event_field {
	const char *name; /* a string constant, with the characters of a JSON key */
	char *text;	  /* NULL: the value is `number` */
	uint64_t number;
};

struct event {
	enum event_kind kind;
	const char *priority; /* one of those in base/journal.h */
	const char *tunnel;   /* the caller's */
	char *text;	      /* NULL if out of memory, also for a field */
	struct event_field fields[EVENT_FIELDS];
	size_t field_count;
};

/* An event with its text. Free it with event_free(), which also serves cleanup(). */
struct event event_make(enum event_kind kind, const char *priority, const char *tunnel, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void event_free(struct event *event);

/* Adds a field; the caller must not add more than EVENT_FIELDS, further ones are ignored. */
void event_add_text(struct event *event, const char *name, const char *text);
void event_add_number(struct event *event, const char *name, uint64_t number);
/* NULL: the event has no such text field. */
const char *event_find_text(const struct event *event, const char *name);

/* The name that journalctl and syslog(3) use: "warning" for "<4>". */
const char *event_priority_word(const char *priority);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An event: what has happened to an instance, as a line of text and as fields. It is made once, where it happens; the
 * agent's log, the journal and `wgvia monitor` are forms of it.
 */
#ifndef WGVIA_EVENT_H
#define WGVIA_EVENT_H

#include <stddef.h>
#include <stdint.h>

/*
 * X(constant, word, MESSAGE_ID of the journal, what it is about). Words and IDs are the interface of scripts: wgvia(8)
 * has them. The last digits of an ID count the kinds.
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
	const char *name; /* a string constant, in the letters of a JSON key */
	char *text;	  /* NULL: `number` it is */
	uint64_t number;
};

struct event {
	enum event_kind kind;
	const char *priority; /* one of base/journal.h's */
	const char *tunnel;   /* the caller's */
	char *text;	      /* NULL where memory was lacking, as with a field */
	struct event_field fields[EVENT_FIELDS];
	size_t field_count;
};

/* An event with its text. It is event_free()'s to free, for cleanup(), too. */
struct event event_make(enum event_kind kind, const char *priority, const char *tunnel, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void event_free(struct event *event);

/* Adds a field; what is beyond EVENT_FIELDS is a mistake of the caller's, and left out. */
void event_add_text(struct event *event, const char *name, const char *text);
void event_add_number(struct event *event, const char *name, uint64_t number);
/* NULL: the event has no such text. */
const char *event_find_text(const struct event *event, const char *name);

/* "<4>" as journalctl and syslog(3) call it: "warning". */
const char *event_priority_word(const char *priority);

#endif

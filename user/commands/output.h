/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output: a command builds it once, as a JSON value, which is rendered here as JSON or as text.
 */
#ifndef WGVIA_OUTPUT_H
#define WGVIA_OUTPUT_H

#include <json-c/json.h>
#include <stdint.h>

#include "base/context.h"
#include "base/netdev.h"
#include "host/rtnl.h"
#include "wgvia_abi.h"

typedef struct json_object json;

/* For cleanup(). */
void print_release(json **value);

/* Adds a member to an object. Out of memory ends the program, because nothing must be undone while output is built. */
void print_add(json *object, const char *name, json *value);
void print_add_text(json *object, const char *name, const char *text);
void print_add_number(json *object, const char *name, uint64_t number);
void print_add_bool(json *object, const char *name, bool value);
/* Member "time": `time` is in ns since 1970; the member has seconds with six decimals. */
void print_add_time(json *object, uint64_t time);
/* The present time for print_add_time(). */
uint64_t print_realtime(void);
void print_append(json *array, json *value);
void print_append_text(json *array, const char *text);
json *print_object(void);
json *print_array(void);

/* Creates the element with that index of an array. */
typedef json *(*print_maker)(void *data, size_t index);
/*
 * An array whose elements are created one by one when they are printed, for up to 100,000 elements: as values, all at
 * once, they would take kilobytes each. `data` must live as long as the array: see print_keep().
 */
json *print_rows(size_t count, print_maker make, void *data);
/* Passes `data` to the object, which calls `release` with it when it is freed. */
void print_keep(json *object, void *data, void (*release)(void *data));
/* Calls `visit` with each element of the array, of either kind. */
void print_visit(const json *array, void (*visit)(const json *element, void *data), void *data);
/* As above, without data. */
void print_each(const json *array, void (*text)(const json *element));

/* Read members for the text form; a missing member is "" or 0. */
const char *print_text(const json *object, const char *name);
uint64_t print_number(const json *object, const char *name);
bool print_bool(const json *object, const char *name);
json *print_member(const json *object, const char *name);

/* Copies the members of another object, which are texts and numbers, in printed form. */
void print_add_members(json *object, const json *other);

/* {"state": ..., "lladdr": ...} */
json *print_neighbour(const struct neighbour *neighbour);
/* Members "dev" and "ifindex". */
void print_add_device(json *object, const struct netdevs *netdevs, uint32_t ifindex);
/* Member "via", and those of its device, the same wherever a gateway is printed. */
void print_add_hop(json *object, const struct wgvia_hop *hop, const struct netdevs *netdevs);

/* One line of JSON, of a stream, without the line end; valid as long as `value`. */
const char *print_line_text(const json *value);
/* The same, printed. */
void print_line(const json *value);
/*
 * Prints `values`, an array with one element per instance: as JSON (`single`: only the element), or by `text` for each.
 */
void print_instances(const struct context *context, json *values, bool single,
		     void (*text)(const struct context *context, const json *value));

#endif

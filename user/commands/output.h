/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output: a command builds it once, as a JSON value, and this renders it, as JSON or as text.
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

/* Members of an object; out of memory ends the program, as there is nothing to undo when output is built. */
void print_add(json *object, const char *name, json *value);
void print_add_text(json *object, const char *name, const char *text);
void print_add_number(json *object, const char *name, uint64_t number);
void print_add_bool(json *object, const char *name, bool value);
/* Member "time": seconds since 1970, with six decimals, of ns since then. */
void print_add_time(json *object, uint64_t time);
/* Now, for it. */
uint64_t print_realtime(void);
void print_append(json *array, json *value);
void print_append_text(json *array, const char *text);
json *print_object(void);
json *print_array(void);

/* Makes the element of that index of an array. */
typedef json *(*print_maker)(void *data, size_t index);
/*
 * An array whose elements are made one by one when they are printed, for what there may be 100,000 of: as values, all
 * at once, they would take kilobytes each. `data` has to live as long as the array: see print_keep().
 */
json *print_rows(size_t count, print_maker make, void *data);
/* Hands `data` over to the object, at whose end `release` is called with it. */
void print_keep(json *object, void *data, void (*release)(void *data));
/* Calls `visit` with each element of the array, of either kind. */
void print_visit(const json *array, void (*visit)(const json *element, void *data), void *data);
/* As above, without data. */
void print_each(const json *array, void (*text)(const json *element));

/* Reading them back for the text form; a member that is not there is "" or 0. */
const char *print_text(const json *object, const char *name);
uint64_t print_number(const json *object, const char *name);
bool print_bool(const json *object, const char *name);
json *print_member(const json *object, const char *name);

/* Members of another object that holds texts and numbers, as they are printed. */
void print_add_members(json *object, const json *other);

/* {"state": ..., "lladdr": ...} */
json *print_neighbour(const struct neighbour *neighbour);
/* Members "dev" and "ifindex". */
void print_add_device(json *object, const struct netdevs *netdevs, uint32_t ifindex);
/* Member "via", and those of its device: a gateway has them wherever it is printed. */
void print_add_hop(json *object, const struct wgvia_hop *hop, const struct netdevs *netdevs);

/* A line of JSON, of a stream, without its end; lives as long as `value`. */
const char *print_line_text(const json *value);
/* The same, printed. */
void print_line(const json *value);
/*
 * Prints `values`, an array with one element an instance: as JSON (`single`: the element alone), or by `text` for each.
 */
void print_instances(const struct context *context, json *values, bool single,
		     void (*text)(const struct context *context, const json *value));

#endif

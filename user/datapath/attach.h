/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One program at one device: a tcx link if the kernel supports them (6.6), otherwise our own filter at clsact. A pin in
 * the instance's folder represents each: tcx_DIRECTION_IFINDEX is the link itself, clsact_DIRECTION_IFINDEX_HANDLE is
 * the filter's program. This file never touches links, filters or qdiscs of others.
 */
#ifndef WGVIA_ATTACH_H
#define WGVIA_ATTACH_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wgvia_abi.h"

/* All our filters have the same priority. Each instance has its own handle, so that several can share a device. */
#define ATTACH_PRIORITY 0x7776

enum attach_kind { ATTACH_TCX, ATTACH_CLSACT };
extern const char *const attach_kind_words[];

struct attachment {
	enum attach_kind kind;
	enum wgvia_direction direction;
	uint32_t ifindex;
	uint32_t handle;  /* clsact: the tunnel's ifindex at the time when the filter was created */
	bool alive;	  /* it is attached to its device, and runs the program of the pin */
	bool moved;	  /* tcx: it runs at its device, which moved to another network namespace */
	uint32_t link_id; /* tcx */
	uint32_t at;	  /* tcx: the present ifindex of its device; 0: it is detached */
	uint32_t prog_id;
};

/*
 * Whether the folder has a pin for a device with that ifindex. It is called for each device that is removed, so it
 * opens nothing.
 */
bool attach_has_pin(const char *folder, uint32_t ifindex);
/*
 * The attachments that the pins in an instance's folder represent. The caller frees the array. 0 or -errno, with
 * nothing changed.
 */
int attach_list(const char *folder, struct attachment **all, size_t *count);

/*
 * Renames pins: a device that returns from another network namespace may have a new ifindex, and still has our links. 0
 * or -errno.
 */
int attach_rename(const char *folder);

/* WGVIA_ATTACH, for tests: "tcx" or "clsact" forces that kind. Otherwise tcx if the kernel supports it. */
int attach_choose_kind(int prog_fd, enum attach_kind *kind, struct error *error);

/*
 * The handle of an instance's filters: the tunnel's ifindex. If there is no tunnel yet (0), a number derived from its
 * name, because the filters may share a device with those of another such instance.
 */
uint32_t attach_handle(uint32_t tunnel_ifindex, const char *tunnel);
/* For messages: "if7" if the device no longer exists. */
void attach_device_name(uint32_t ifindex, char name[IFNAMSIZ]);
/* Attaches the program after all others, and pins it; a filter needs the qdisc. */
int attach_add(const char *folder, const struct attachment *point, int prog_fd, struct error *error);
/* Replaces the attached program, atomically for packets. */
int attach_replace(const char *folder, const struct attachment *attachment, int prog_fd, struct error *error);
/*
 * The attached program, for restoring it: an fd or -errno. A link does not provide its program: -EPERM without
 * CAP_SYS_ADMIN.
 */
int attach_get_program(const char *folder, const struct attachment *attachment);
/* Detaches it if it is still ours, and unpins it. The pin stays if that fails. */
int attach_remove(const char *folder, const struct attachment *attachment);
/* Removes all attachments and qdiscs that the folder represents. On failure, the folder still represents the rest. */
int attach_remove_all(const char *folder);

/*
 * For errors of bpf_obj_get(): the path is missing, or is a folder or a file that is not a pin. Other errors do not
 * prove anything.
 */
bool attach_is_no_pin(int err);

/* A program or filter that is not ours. */
struct attach_other {
	const char *kind; /* "tcx program" or "filter" */
	uint32_t prog_id; /* 0: unknown, or not BPF */
	char name[64];	  /* empty: unknown; reading the name of a tcx program takes CAP_SYS_ADMIN */
};
enum attach_side { ATTACH_BEFORE, ATTACH_AFTER };
/* Lists what the kernel runs on that side of this attachment: into `others`, at most `max`; returns the number. */
size_t attach_list_others(const struct attachment *attachment, enum attach_side side, struct attach_other *others,
			  size_t max);

#endif

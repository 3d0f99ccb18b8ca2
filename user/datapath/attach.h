/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One program at one device: a tcx link where the kernel has them (6.6), a filter of our own at clsact elsewhere. Each
 * is told by a pin in the instance's folder: tcx_DIRECTION_IFINDEX, the link itself, or
 * clsact_DIRECTION_IFINDEX_HANDLE, the filter's program. It touches nobody else's link, filter or qdisc.
 */
#ifndef WGVIA_ATTACH_H
#define WGVIA_ATTACH_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wgvia_abi.h"

/* One priority for all our filters; each instance has a handle of its own, so that several can share a device. */
#define ATTACH_PRIORITY 0x7776

enum attach_kind { ATTACH_TCX, ATTACH_CLSACT };
extern const char *const attach_kind_words[];

struct attachment {
	enum attach_kind kind;
	enum wgvia_direction direction;
	uint32_t ifindex;
	uint32_t handle;  /* clsact; the tunnel's ifindex when the filter was made */
	bool alive;	  /* it stands at its device and runs the program that the pin tells of */
	bool moved;	  /* tcx: it runs at its device, which is in another network namespace now */
	uint32_t link_id; /* tcx */
	uint32_t at;	  /* tcx: the ifindex that its device has now; 0: it is detached */
	uint32_t prog_id;
};

/* Whether the folder has a pin for a device of that ifindex: asked for each device that goes, so nothing is opened. */
bool attach_has_pin(const char *folder, uint32_t ifindex);
/* What the pins in an instance's folder tell of. The array is the caller's to free. 0 or -errno, with nothing changed.
 */
int attach_list(const char *folder, struct attachment **all, size_t *count);

/*
 * A device that comes back from another network namespace may have another ifindex than before, with our links: their
 * pins get its names. 0 or -errno.
 */
int attach_rename(const char *folder);

/*
 * WGVIA_ATTACH, for tests: "tcx" or "clsact" for that one alone. Otherwise tcx where the kernel has it.
 */
int attach_choose_kind(int prog_fd, enum attach_kind *kind, struct error *error);

/*
 * The handle of an instance's filters: the tunnel's ifindex or, where that is 0 because there is no tunnel yet, a
 * number made from its name, for the filters may share a device with another such instance's.
 */
uint32_t attach_handle(uint32_t tunnel_ifindex, const char *tunnel);
/* For messages: "if7" where the device has gone. */
void attach_device_name(uint32_t ifindex, char name[IFNAMSIZ]);
/* Attaches the program behind all others and pins it; a filter needs the qdisc. */
int attach_add(const char *folder, const struct attachment *point, int prog_fd, struct error *error);
/* Puts the program in the place of the one that is there, in one step for the packets. */
int attach_replace(const char *folder, const struct attachment *attachment, int prog_fd, struct error *error);
/*
 * The program that is attached, for putting it back; an fd or -errno. A link does not give its program: -EPERM without
 * CAP_SYS_ADMIN.
 */
int attach_get_program(const char *folder, const struct attachment *attachment);
/* Detaches it where it is ours still, and unpins it; the pin stays where that fails. */
int attach_remove(const char *folder, const struct attachment *attachment);
/* All that the folder tells of, attachments and qdiscs; what is left when it fails is told of by the folder still. */
int attach_remove_all(const char *folder);

/* Of bpf_obj_get(): there is no pin, but nothing, a folder, or somebody's file; other errors say nothing about it. */
bool attach_is_no_pin(int err);

/* A program or filter that is not ours. */
struct attach_other {
	const char *kind; /* "tcx program" or "filter" */
	uint32_t prog_id; /* 0: not known, or no BPF */
	char name[64];	  /* empty: not known, it takes CAP_SYS_ADMIN to read that of a tcx program */
};
enum attach_side { ATTACH_BEFORE, ATTACH_AFTER };
/* What the kernel runs on that side of this attachment: into `others`, `max` at most; returns how many. */
size_t attach_list_others(const struct attachment *attachment, enum attach_side side, struct attach_other *others,
			  size_t max);

#endif

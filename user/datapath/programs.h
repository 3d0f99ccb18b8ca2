/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs of an instance: loaded into the kernel on its maps, or found by their pins, which spares the verifier's
 * time. Opening a program by its id takes CAP_SYS_ADMIN on every kernel, which the agent does not have.
 */
#ifndef WGVIA_PROGRAMS_H
#define WGVIA_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "datapath/instance.h"

struct bpf_program;
struct state;
struct wgvia_bpf;

enum program { PROGRAM_OUT, PROGRAM_BACK, PROGRAM_BACK_L3, PROGRAM_EGRESS, PROGRAM_EGRESS_L3, PROGRAM_COUNT };

/* The program that belongs at such a point. */
enum program program_at(enum wgvia_direction direction, bool l3);

/*
 * Programs that a process holds, all of one build and on the maps of one instance. Who keeps them keeps them and their
 * maps in the kernel.
 */
struct programs {
	uint64_t build;		/* programs_build() */
	uint32_t maps;		/* id of the map `meta` that they use */
	int fds[PROGRAM_COUNT]; /* -1: not held */
};

#define PROGRAMS_NONE {.fds = {[0 ... PROGRAM_COUNT - 1] = -1}}

void programs_close(struct programs *programs); /* for cleanup(), too */

/* The object of this program, configured for a kind of tunnel. The caller destroys it. NULL with errno. */
struct wgvia_bpf *programs_open(bool tunnel_is_l3, enum wgvia_mode mode, enum wgvia_counting counting);
/* A number that tells code and configuration apart from any other. Before loading. */
uint64_t programs_build(const struct wgvia_bpf *skeleton);
/* Loads the programs on the instance's maps, which are made where the instance has none. */
int programs_load(struct wgvia_bpf *skeleton, struct instance *instance, struct error *error);

/* One of the object's. */
struct bpf_program *programs_find(const struct wgvia_bpf *skeleton, enum program which);

/* Holds what was loaded, on the maps of `instance`, and nothing else any more. 0 or -errno. */
int programs_take(struct programs *programs, const struct wgvia_bpf *skeleton, uint64_t build,
		  const struct instance *instance);
/* Whether it is the program of that id. */
bool programs_is(int fd, uint32_t id);
/* Whether what is held is the instance's. */
bool programs_fit(const struct programs *programs, const struct instance *instance);
/*
 * Holds what is pinned in the instance's folder, besides what is held already, where the instance is of this build.
 * Where another program is attached than the one that is held, or that one is of another build or for other maps,
 * everything that is held is let go first.
 */
void programs_learn(struct programs *programs, uint64_t build, const struct instance *instance,
		    const struct netdevs *netdevs);

/* Pins what is held beside the instance's programs, which it is to replace. 0, or negative with `error` set. */
int programs_pin(const struct programs *programs, const struct instance *instance, struct error *error);
/* What programs_pin() has pinned replaces what was pinned before. 0 or -errno. */
int programs_keep_pins(const struct instance *instance);
/* Removes what programs_pin() has pinned. */
void programs_unpin(const char *folder);
/* The program that is attached there, by its pin where it has one: see attach_get_program(). */
int programs_get(const struct instance *instance, const struct attachment *attachment);

/* Whether the kernel's programs can ask for the MTU of a device (bpf_check_mtu(), 5.12): 1, 0 or -errno. */
int programs_probe_check_mtu(void);
/* Refuses a state that this kernel's programs cannot carry out: `mss auto` without bpf_check_mtu(). */
int programs_check(const struct state *state, struct error *error);

/* libbpf's own output: 0 none, 1 warnings, 2 everything and the verifier's log. */
void programs_set_verbose(int level);

#endif

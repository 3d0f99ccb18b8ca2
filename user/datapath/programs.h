/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The programs of an instance: loaded into the kernel with the instance's maps, or found by their pins, which saves the
 * verifier's time. Opening a program by its id takes CAP_SYS_ADMIN on every kernel; the agent does not have it.
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

/* The program for such a point. */
enum program program_at(enum wgvia_direction direction, bool l3);

/*
 * Programs that a process holds, all of one build, with the maps of one instance. The kernel keeps them and their maps
 * for as long as they are held.
 */
struct programs {
	uint64_t build;		/* programs_build() */
	uint32_t maps;		/* id of their map `meta` */
	int fds[PROGRAM_COUNT]; /* -1: not held */
};

#define PROGRAMS_NONE {.fds = {[0 ... PROGRAM_COUNT - 1] = -1}}

void programs_close(struct programs *programs); /* also for cleanup() */

/*
 * This program's object, configured for a kind of tunnel, a mode and what is counted. The caller destroys it. NULL with
 * errno set.
 */
struct wgvia_bpf *programs_open(bool tunnel_is_l3, enum wgvia_mode mode, enum wgvia_counting counting);
/* A number that identifies code and configuration. Call it before loading. */
uint64_t programs_build(const struct wgvia_bpf *skeleton);
/* Loads the programs with the instance's maps, which are created if the instance has none. */
int programs_load(struct wgvia_bpf *skeleton, struct instance *instance, struct error *error);

/* One of the object's. */
struct bpf_program *programs_find(const struct wgvia_bpf *skeleton, enum program which);

/* Holds only the loaded programs from now on, with the maps of `instance`. 0 or -errno. */
int programs_take(struct programs *programs, const struct wgvia_bpf *skeleton, uint64_t build,
		  const struct instance *instance);
/* Whether the program has that id. */
bool programs_is(int fd, uint32_t id);
/* Whether the held programs belong to the instance. */
bool programs_fit(const struct programs *programs, const struct instance *instance);
/*
 * Adds the programs that are pinned in the instance's folder, if the instance is of this build. First releases all held
 * ones if another program is attached than the one held, or if they are of another build or for other maps.
 */
void programs_learn(struct programs *programs, uint64_t build, const struct instance *instance,
		    const struct netdevs *netdevs);

/* Pins the held programs beside the instance's programs, which they are to replace. 0, or negative with `error` set. */
int programs_pin(const struct programs *programs, const struct instance *instance, struct error *error);
/* Replaces the previous pins by those of programs_pin(). 0 or -errno. */
int programs_keep_pins(const struct instance *instance);
/* Removes the pins of programs_pin(). */
void programs_unpin(const char *folder);
/* The program that is attached there, by its pin if it has one: see attach_get_program(). */
int programs_get(const struct instance *instance, const struct attachment *attachment);

/* Whether the kernel has bpf_check_mtu() (5.12), to get the MTU of a device: 1, 0 or -errno. */
int programs_probe_check_mtu(void);
/* Refuses a state that this kernel's programs cannot implement: `mss auto` without bpf_check_mtu(). */
int programs_check(const struct state *state, struct error *error);

/* libbpf's own output: 0 none, 1 warnings, 2 everything, including the verifier's log. */
void programs_set_verbose(int level);

#endif

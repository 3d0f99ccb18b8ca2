/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network namespaces: entering one, and telling them apart. Mounts, and with them the bpffs, stay the caller's.
 */
#ifndef WGVIA_NETNS_H
#define WGVIA_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Which network namespace it is. Inode numbers of removed namespaces are used again at once, by the next container say.
 * Cookies are not, but a kernel before 5.14 has none, and an older wgvia has not written one down.
 */
struct netns {
	uint64_t inode;
	uint64_t cookie; /* 0: not known */
};

/*
 * Enters the network namespace that the word names: a path, if there is a '/' in it; else a name of `ip netns`; else,
 * if it is made of digits, the process with this PID. 0, or negative with `error` set.
 */
int netns_enter(const char *word, struct error *error);

/* The one that this process is in. */
struct netns netns_own(void);
/* Whether they are the same, as far as is known of both. */
bool netns_is_same(const struct netns *a, const struct netns *b);

/*
 * Whether a namespace is in use by a name below /run/netns or by a process that can be seen: into `word`, what
 * netns_enter() takes. Seeing other users' processes takes CAP_SYS_PTRACE. `*sure`: the cookies say so; else only the
 * inode numbers do.
 */
bool netns_find(const struct netns *netns, char *word, size_t size, bool *sure);

#endif

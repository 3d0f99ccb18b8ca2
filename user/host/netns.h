/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network namespaces: entering and identifying them. The mount namespace, and with it the bpffs, does not change.
 */
#ifndef WGVIA_NETNS_H
#define WGVIA_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * The identity of a network namespace. The kernel reuses inode numbers of removed namespaces at once, for example for
 * the next container. It does not reuse cookies, but a kernel before 5.14 has none, and an older wgvia did not store
 * one.
 */
struct netns {
	uint64_t inode;
	uint64_t cookie; /* 0: unknown */
};

/*
 * Enters the network namespace that the word names: a path, if it contains '/'; else a name of `ip netns`; else, if it
 * consists of digits, the process with this PID. 0, or negative with `error` set.
 */
int netns_enter(const char *word, struct error *error);

/* The namespace of this process. */
struct netns netns_own(void);
/* Whether they are the same, as far as both are known. */
bool netns_is_same(const struct netns *a, const struct netns *b);

/*
 * Whether a namespace is in use, by a name below /run/netns or by a process that is visible. `word` gets what
 * netns_enter() accepts. To see other users' processes takes CAP_SYS_PTRACE. `*sure`: the cookies match; otherwise only
 * the inode numbers do.
 */
bool netns_find(const struct netns *netns, char *word, size_t size, bool *sure);

#endif

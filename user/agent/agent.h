/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent: keeps one instance true while the host and the gateways change. It is killed at any moment without harm:
 * what it did stands in the kernel, and another one takes over.
 */
#ifndef WGVIA_AGENT_H
#define WGVIA_AGENT_H

#include "base/context.h"
#include "config/parse.h"

/* Runs until SIGTERM or SIGINT. 0, or negative with context->error set where it cannot begin. */
int agent_run(struct context *context, const struct run_words *words);

#endif

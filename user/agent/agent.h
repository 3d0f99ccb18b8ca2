/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The agent: keeps one instance in sync while the host and the gateways change. It can be killed at any moment without
 * harm: the result of its work is in the kernel, and the next agent takes over.
 */
#ifndef WGVIA_AGENT_H
#define WGVIA_AGENT_H

#include "base/context.h"
#include "config/parse.h"

/* Runs until SIGTERM or SIGINT. 0, or negative with context->error set if it cannot start. */
int agent_run(struct context *context, const struct run_words *words);

#endif

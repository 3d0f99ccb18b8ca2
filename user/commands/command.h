/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands; table.c lists them.
 */
#ifndef WGVIA_COMMAND_H
#define WGVIA_COMMAND_H

#include "base/context.h"

/* Gets the words after the command's own. 0, or negative with context->error set; output is already printed. */
typedef int (*command_function)(struct context *context, int argc, char **argv);

int cmd_up(struct context *context, int argc, char **argv);
int cmd_apply(struct context *context, int argc, char **argv);
int cmd_save(struct context *context, int argc, char **argv);
int cmd_down(struct context *context, int argc, char **argv);
int cmd_route(struct context *context, int argc, char **argv);
int cmd_bypass(struct context *context, int argc, char **argv);
int cmd_show(struct context *context, int argc, char **argv);
int cmd_check(struct context *context, int argc, char **argv);
int cmd_health(struct context *context, int argc, char **argv);
int cmd_explain(struct context *context, int argc, char **argv);
int cmd_trace(struct context *context, int argc, char **argv);
int cmd_monitor(struct context *context, int argc, char **argv);
int cmd_run(struct context *context, int argc, char **argv);
int cmd_import(struct context *context, int argc, char **argv);
int cmd_stats(struct context *context, int argc, char **argv);

#endif

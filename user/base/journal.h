/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the journal reads what this process writes to stderr. Lines for it begin with their priority, one of
 * sd-daemon(3)'s, instead of the program's name, which the journal adds itself.
 */
#ifndef WGVIA_JOURNAL_H
#define WGVIA_JOURNAL_H

#include <stdbool.h>

#define JOURNAL_ERR "<3>"
#define JOURNAL_WARNING "<4>"
#define JOURNAL_NOTICE "<5>"
#define JOURNAL_INFO "<6>"

/* By $JOURNAL_STREAM (systemd.exec(5)), which names the stream, so that a redirection elsewhere is noticed. */
bool stderr_is_journal(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the journal reads this process's stderr. If so, lines begin with their priority (sd-daemon(3)) instead of the
 * program's name, which the journal adds itself.
 */
#ifndef WGVIA_JOURNAL_H
#define WGVIA_JOURNAL_H

#include <stdbool.h>

#define JOURNAL_ERR "<3>"
#define JOURNAL_WARNING "<4>"
#define JOURNAL_NOTICE "<5>"
#define JOURNAL_INFO "<6>"

/* Compares stderr with the stream in $JOURNAL_STREAM (systemd.exec(5)), so that a redirection is noticed. */
bool stderr_is_journal(void);

#endif

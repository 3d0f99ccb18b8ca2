/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors as values: every room writes the line for the user, only main() prints it.
 */
#ifndef WGVIA_ERROR_H
#define WGVIA_ERROR_H

#include <stddef.h>
#include <stdint.h>

#define ERROR_TEXT_MAX 512

struct error {
	int status;		   /* exit status: 1 refused by the system, 2 usage error */
	char text[ERROR_TEXT_MAX]; /* "cannot attach to 'wg0': no such device"; empty: no error */
	char hint[512];		   /* what to do about it; may be empty */
};

/*
 * Sets the text, without the cause, and returns -`errnum`. If errnum is not 0, its description is appended. For EPERM
 * and EACCES the hint names the missing capabilities of those that BPF needs.
 */
int error_system(struct error *error, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sets the text of a refusal that contains its own cause; returns -EINVAL. */
int error_refuse(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets the text of a usage error; returns -EINVAL. */
int error_usage(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts words in front of the text of an error that is set: the place where the error was found. */
void error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Keeps a message on one line, whatever an argument contains: control characters become '?'. */
void error_keep_on_one_line(char *text);
/* Adds a hint to an error that is set. */
void error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same hint for an operation that needs other capabilities (bits of base/permissions.h); `errnum` as above. */
void error_permissions(struct error *error, uint64_t needed, int errnum);

#define MORE_TEXT_LEN 32
/* " and 3 more" after the first of `count`; empty if there is only one. Returns `text`. */
const char *more_text(size_t count, char text[MORE_TEXT_LEN]);

#endif

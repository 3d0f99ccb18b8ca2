/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What went wrong, as a value: every room writes the line that the user will read, main alone prints it.
 */
#ifndef WGVIA_ERROR_H
#define WGVIA_ERROR_H

#include <stddef.h>
#include <stdint.h>

#define ERROR_TEXT_MAX 512

struct error {
	int status;		   /* exit status: 1 refused by the system, 2 bad usage */
	char text[ERROR_TEXT_MAX]; /* "cannot attach to 'wg0': no such device"; empty: no error */
	char hint[512];		   /* what to do about it; may be empty */
};

/*
 * Sets the text, without the cause, and returns -`errnum`; the cause is appended in words where errnum is not 0. Where
 * it is EPERM or EACCES, the hint names the capabilities that BPF takes and that are missing.
 */
int error_system(struct error *error, int errnum, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Sets the text of a refusal whose cause is in the text itself; returns -EINVAL. */
int error_refuse(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets the text of a usage error; returns -EINVAL. */
int error_usage(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts words before the text of an error that is set: where it was found. */
void error_prefix(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A message is one line, whatever an argument holds: control characters become '?'. */
void error_keep_on_one_line(char *text);
/* Adds a hint to an error that is set. */
void error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same hint for an operation that takes other capabilities, base/permissions.h's bits; `errnum` as above. */
void error_permissions(struct error *error, uint64_t needed, int errnum);

#define MORE_TEXT_LEN 32
/* " and 3 more" behind the first of `count`; empty where it is the only one. Returns `text`. */
const char *more_text(size_t count, char text[MORE_TEXT_LEN]);

#endif

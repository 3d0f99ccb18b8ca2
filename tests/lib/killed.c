/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a command and kills it, for tests of the leftovers of an interrupted command.
 *
 *	killed MICROSECONDS COMMAND [WORD...]		SIGKILL after that time
 *
 * Exit status: 137 if it was killed, else the command's own. A shell's `sleep & kill` is too coarse for commands that
 * take some milliseconds: it misses them, or hits only their end.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS_SIGNALED 128
#define STATUS_NOT_RUN 127

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "killed: %s: %s\n", what, strerror(errno));
	exit(STATUS_NOT_RUN);
}

static pid_t start(char **command, const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(command[0], command);
	die(command[0]);
}

int main(int argc, char **argv)
{
	char *end = argv[0];
	unsigned long us = argc > 2 ? strtoul(argv[1], &end, 10) : 0;
	struct timespec time = {us / 1000000, us % 1000000 * 1000};
	sigset_t child, before;
	int status;
	pid_t pid;

	if (argc < 3 || *end) {
		fprintf(stderr, "usage: killed MICROSECONDS COMMAND [WORD...]\n");
		return 2;
	}
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	pid = start(argv + 2, &before);
	if (sigtimedwait(&child, NULL, &time) < 0)
		kill(pid, SIGKILL); /* a child that was not waited for: its process id cannot be reused */
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFSIGNALED(status) ? STATUS_SIGNALED + WTERMSIG(status) : WEXITSTATUS(status);
}

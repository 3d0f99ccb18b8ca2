// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia: global options, the choice of the command, and the one place that prints an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "pins.h"
#include "programs.h"
#include "util.h"

static const struct {
	const char *name;
	command_function function;
	const char *usage;
	const char *description;
} commands[] = {
	{"up", cmd_up,
	 "IFACE [from PREFIX [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]...]...\n"
	 "                     [bypass PREFIX]... [mode fast|stack] [on-fail drop|pass]\n"
	 "                     [return via|any|drop [also ADDRESS [dev DEV]|MAC]...]",
	 "send what comes from PREFIX via the firewall"},
	{"apply", cmd_apply, "[-c|--dry-run] IFACE FILE|-",
	 "make it what the file says, a statement of up a line; -c tells the difference alone"},
	{"save", cmd_save, "IFACE", "print what is running as such a file"},
	{"down", cmd_down, "IFACE", "take away what up made"},
	{"route", cmd_route, "add|replace|del IFACE from PREFIX [via ADDRESS] [dev DEV] [or ADDRESS [dev DEV]]...",
	 "change one prefix of a running instance"},
	{"bypass", cmd_bypass, "add|del IFACE PREFIX", "change the list of destinations that are left alone"},
	{"run", cmd_run, "IFACE [FILE] [interval SECONDS] [hold SECONDS] [tries N]",
	 "stay and keep the instance true: devices, addresses, gateways that fail"},
	{"show", cmd_show, "[IFACE]", "what is attached, prefixes, gateways, bypass list"},
	{"explain", cmd_explain, "IFACE from ADDRESS to ADDRESS [len N] [hop-limit N] [dir in|out]",
	 "tell where this packet goes, and why; nothing is sent"},
	{"check", cmd_check, "IFACE [--probe]",
	 "tell what is wrong or risky on this host, and what to do about it;\n"
	 "           --probe sends packets by the firewall and back, too"},
	{"trace", cmd_trace, "IFACE [from PREFIX] [to PREFIX] [verdict V]... [count N]",
	 "show decisions as they are made"},
	{"stats", cmd_stats, "[IFACE] [--watch [SECONDS] | --prometheus]", "packets and bytes by verdict"},
	{"import", cmd_import, "FILE [IFACE]",
	 "read a wg-quick file with a second routing table, print what takes its place"},
};

static void usage(FILE *out)
{
	fprintf(out, "Usage: wgvia [-j] [-n NAME] [--pin-dir DIR] [-v] COMMAND ...\n\n"
		     "Sends everything from a WireGuard tunnel's prefix via the firewall.\n\nCommands:\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-7s %s\n           %s\n", commands[i].name, commands[i].usage,
			commands[i].description);
	fprintf(out, "\nOptions:\n"
		     "  -j, --json         print JSON\n"
		     "  -n, --netns NAME   work in the network namespace NAME (of 'ip netns')\n"
		     "      --pin-dir DIR  keep the pins below DIR [" PINS_DEFAULT "]\n"
		     "  -v, --verbose      more output; twice: libbpf's and the verifier's too\n"
		     "  -V, --version      print the version\n"
		     "  -h, --help         print this\n\n"
		     "'wgvia up IFACE' alone takes the prefixes from the interface's addresses and the gateway\n"
		     "from the default route. With prefixes named the interface need not exist yet.\n"
		     "Exit status: 0 done, 1 refused by the system, 2 bad usage.\n");
}

/* The network namespace alone: the mounts, and with them the bpffs, stay those of the caller. */
static int enter_netns(const char *name, struct error *error)
{
	char path[PINS_PATH_MAX];
	cleanup_fd int fd = -1;

	if (strchr(name, '/') || !*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return error_usage(error, "'%s' is no name of a network namespace", name);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		return error_system(error, errno, "cannot enter the network namespace '%s'", name);
	return 0;
}

static int run(struct context *context, const char *netns, int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int ret;

		if (strcmp(argv[0], commands[i].name) != 0)
			continue;
		ret = netns ? enter_netns(netns, &context->error) : 0;
		return ret ? ret : commands[i].function(context, argc - 1, argv + 1);
	}
	error_usage(&context->error, "unknown command '%s'", argv[0]);
	error_hint(&context->error, "'wgvia --help' lists the commands");
	return -EINVAL;
}

static int finish(const struct error *error)
{
	fprintf(stderr, "wgvia: %s\n", error->text);
	if (error->hint[0])
		fprintf(stderr, "hint: %s\n", error->hint);
	return error->status;
}

int main(int argc, char **argv)
{
	enum { OPTION_PIN_DIR = 256 };
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"netns", required_argument, NULL, 'n'},
		{"verbose", no_argument, NULL, 'v'},
		{"pin-dir", required_argument, NULL, OPTION_PIN_DIR},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{},
	};
	struct context context = {.pin_dir = PINS_DEFAULT};
	const char *netns = NULL;
	int option;

	opterr = 0; /* one line of our own instead */
	while ((option = getopt_long(argc, argv, "+:jn:vVh", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			context.json = true;
			break;
		case 'n':
			netns = optarg;
			break;
		case OPTION_PIN_DIR:
			context.pin_dir = optarg;
			break;
		case 'v':
			context.verbose++;
			break;
		case 'V':
			printf("wgvia %s\n", WGVIA_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		case ':':
			error_usage(&context.error, "option '%s' needs a value", argv[optind - 1]);
			return finish(&context.error);
		default:
			error_usage(&context.error, "unknown option '%s'", argv[optind - 1]);
			error_hint(&context.error, "'wgvia --help' lists the options");
			return finish(&context.error);
		}
	}
	if (optind == argc) {
		usage(stderr);
		return 2;
	}
	if (!strcmp(argv[optind], "help")) {
		usage(stdout);
		return 0;
	}
	programs_set_verbose(context.verbose);
	if (run(&context, netns, argc - optind, argv + optind))
		return finish(&context.error);
	if (fflush(stdout) || ferror(stdout)) {
		error_system(&context.error, errno, "cannot write the output");
		return finish(&context.error);
	}
	return context.found;
}

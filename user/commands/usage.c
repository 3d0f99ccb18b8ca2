// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables as text.
 */
#include "commands/usage.h"

#include "commands/options.h"
#include "commands/terminal.h"

static void print_command_line(FILE *out, const struct command *command)
{
	terminal_print(out, 21, "  %-7s %s", command->name, command->usage);
	terminal_print(out, 11, "           %s", command->description);
}

void usage_print(FILE *out)
{
	fprintf(out, "Usage: wgvia [OPTION]... COMMAND ...\n\n");
	terminal_print(out, 0, "Sends everything from a WireGuard tunnel's prefix via the firewall.\n\nCommands:");
	for (size_t i = 0; i < command_count; i++)
		print_command_line(out, &command_table[i]);
	fprintf(out, "\nOptions:\n");
	options_print(out);
	terminal_print(
		out, 0,
		"\nOptions may also follow the command, which may be abbreviated; 'wgvia COMMAND --help' explains\n"
		"its words.\n"
		"'wgvia up IFACE' alone takes the prefixes from the interface's addresses and the gateway\n"
		"from the default route, on a running instance too. With prefixes named the interface need\n"
		"not exist yet. On a running instance 'up' replaces all settings, and prints what it removes\n"
		"and adds.\n"
		"Exit status: 0 done, 1 refused by the system, 2 bad usage.");
}

void usage_print_command(const struct command *command, FILE *out)
{
	terminal_print(out, 0, "wgvia %s: %s\n", command->name, command->description);
	terminal_print(out, 21, "Usage: wgvia %s %s\n", command->name, command->usage);
	for (size_t i = 0; i < COMMAND_WORDS && command->words[i].word; i++)
		terminal_print(out, 22, "  %-19s %s", command->words[i].word, command->words[i].meaning);
	terminal_print(out, 9, "\nExample: %s", command->example);
}

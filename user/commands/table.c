// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only list of commands, their words and examples: `--help`, `COMMAND --help` and the choice of the command read
 * it, and tests compare it with the manual and the completion.
 */
#include "commands/table.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define WORD_IFACE {"IFACE", "the tunnel interface"}
#define WORD_ADDRESSES                                                                                                 \
	{"from addresses", "the prefixes of the interface's addresses, which an agent follows; up alone takes them"}
#define WORD_ALLOWED_IPS {"from allowed-ips", "sources that WireGuard's peers may use, which an agent follows"}
#define WORD_FROM {"from PREFIX", "sources: ADDRESS/LENGTH, or one ADDRESS"}
#define WORD_VIA {"via ADDRESS", "the firewall; without it the gateway of the default route"}
#define WORD_DEV {"dev DEV", "the device that leads to it; without it the kernel's choice"}
#define WORD_OR {"or ADDRESS", "another firewall, which 'wgvia run' uses while the first one is dead"}

#define WORD_HEALTH                                                                                                    \
	{"health KIND", "how 'wgvia run' watches these firewalls: neighbour [default], forward, ping ADDRESS or tcp "  \
			"ADDRESS:PORT"}

static const char *const apply_options[] = {"-c", "--dry-run", NULL};
static const char *const check_options[] = {"--probe", "--severity", NULL};
static const char *const stats_options[] = {"--prefix", "--watch", "--prometheus", NULL};

const struct command command_table[] = {
	{.name = "up",
	 .function = cmd_up,
	 .usage = "IFACE [from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV]\n"
		  "                     [or ADDRESS [dev DEV]]...\n"
		  "                     [health neighbour|forward|ping ADDRESS|tcp ADDRESS:PORT]]...\n"
		  "                     [via ADDRESS [dev DEV] [or ADDRESS [dev DEV]]...\n"
		  "                     [health neighbour|forward|ping ADDRESS|tcp ADDRESS:PORT]]...\n"
		  "                     [bypass PREFIX]... [mode fast|stack] [on-fail drop|pass]\n"
		  "                     [outside pass|drop] [mss auto|N|off] [counters prefix|off]\n"
		  "                     [return via|any|drop [also ADDRESS [dev DEV]|MAC]...]",
	 .description = "send packets from PREFIX via the firewall",
	 .words = {WORD_IFACE,
		   {"from PREFIX", "sources: ADDRESS/LENGTH, or one ADDRESS"},
		   WORD_ADDRESSES,
		   WORD_ALLOWED_IPS,
		   {"via ADDRESS", "the firewall; without it the gateway of the default route. Without 'from': the "
				   "same as 'from addresses via ADDRESS'"},
		   WORD_DEV,
		   WORD_OR,
		   WORD_HEALTH,
		   {"bypass PREFIX", "destinations that are exempt: the kernel routes packets to them"},
		   {"mode fast|stack", "fast [default] bypasses this host's forwarding and its netfilter; stack keeps "
				       "both"},
		   {"on-fail drop|pass", "packets without a usable gateway: drop them [default], or let the kernel "
					 "route them"},
		   {"outside pass|drop", "packets out of the tunnel whose source is in no PREFIX: let the kernel route "
					 "them [default], or drop those that would leave this host"},
		   {"mss auto|N|off", "lower the MSS of TCP connections to what fits tunnel and LAN, or to N bytes; "
				      "off [default] does not"},
		   {"counters prefix|off", "count packets and bytes of each PREFIX, too; off [default] does not"},
		   {"return via|any|drop", "frames for a prefix that are not from its firewall: send them there first "
					   "[default], accept or drop them"},
		   {"also ADDRESS|MAC", "another sender whose frames are accepted as the firewall's"}},
	 .example = "wgvia up wg6 from 10.6.0.0/16 via 192.0.2.1"},
	{.name = "apply",
	 .function = cmd_apply,
	 .usage = "[-c|--dry-run] IFACE FILE|-",
	 .description = "make the instance match FILE, one statement per line; -c only shows the difference",
	 .words = {{"-c, --dry-run", "show what would change, and what this host would refuse; change nothing"},
		   WORD_IFACE,
		   {"FILE", "a configuration with its drop-ins FILE.d/*.conf, see wgvia.conf(5); - is standard input"}},
	 .example = "wgvia save wg6 | wgvia apply -c wg6 -",
	 .options = apply_options},
	{.name = "save",
	 .function = cmd_save,
	 .usage = "IFACE",
	 .description = "print the running configuration as such a file",
	 .words = {WORD_IFACE},
	 .example = "wgvia save wg6"},
	{.name = "down",
	 .function = cmd_down,
	 .usage = "IFACE",
	 .description = "remove everything that up created",
	 .words = {{"IFACE", "the tunnel interface, which may no longer exist"}},
	 .example = "wgvia down wg6"},
	{.name = "route",
	 .function = cmd_route,
	 .usage = "add|replace|del IFACE from PREFIX|addresses|allowed-ips [via ADDRESS] [dev DEV]\n"
		  "                     [or ADDRESS [dev DEV]]...\n"
		  "                     [health neighbour|forward|ping ADDRESS|tcp ADDRESS:PORT]",
	 .description = "change one prefix of a running instance",
	 .words = {{"add", "refuses a prefix that the instance has already"},
		   {"replace", "adds the prefix or changes its gateways"},
		   {"del", "refuses a prefix that the instance lacks, or that has another gateway than the command "
			   "names"},
		   WORD_IFACE,
		   WORD_FROM,
		   WORD_ADDRESSES,
		   WORD_ALLOWED_IPS,
		   WORD_VIA,
		   WORD_DEV,
		   WORD_OR,
		   WORD_HEALTH},
	 .example = "wgvia route add wg6 from 10.6.3.0/24 via 192.0.2.1"},
	{.name = "bypass",
	 .function = cmd_bypass,
	 .usage = "add|del IFACE PREFIX",
	 .description = "change the list of destinations that are exempt",
	 .words = {{"add", "the kernel routes packets to it"},
		   {"del", "the packets go via the firewall again"},
		   WORD_IFACE,
		   {"PREFIX", "destinations: ADDRESS/LENGTH, or one ADDRESS"}},
	 .example = "wgvia bypass add wg6 198.18.0.0/15"},
	{.name = "run",
	 .function = cmd_run,
	 .usage = "IFACE [FILE] [interval SECONDS] [hold SECONDS] [tries N]",
	 .description = "keep the instance in sync with the host: devices, addresses, gateways that fail",
	 .words = {WORD_IFACE,
		   {"FILE", "a configuration to begin with, with its drop-ins FILE.d/*.conf, see wgvia.conf(5)"},
		   {"interval SECONDS", "how often each gateway is asked: 0.1 to 60 [1]"},
		   {"hold SECONDS", "how long a gateway is healthy before it is used again: 0 to 3600 [10]"},
		   {"tries N", "requests without an answer until a gateway is dead: 1 to 10 [3]"}},
	 .example = "wgvia run wg6 interval 0.5 hold 3"},
	{.name = "show",
	 .function = cmd_show,
	 .usage = "[IFACE]",
	 .description = "print attachments, prefixes, gateways, bypass list; also 'list'",
	 .words = {{"IFACE", "one tunnel interface; without it all instances of this network namespace"}},
	 .example = "wgvia show wg6",
	 .lists = true},
	{.name = "explain",
	 .function = cmd_explain,
	 .usage = "IFACE from ADDRESS to ADDRESS [len N] [hop-limit N] [dir in|out]",
	 .description = "report where this packet goes, and why; nothing is sent",
	 .words = {WORD_IFACE,
		   {"from ADDRESS", "source of the packet"},
		   {"to ADDRESS", "its destination"},
		   {"len N", "bytes of the IP packet [100]"},
		   {"hop-limit N", "hop limit or TTL [64]"},
		   {"dir in|out", "in from the LAN, out of the tunnel; without it as the addresses suggest"}},
	 .example = "wgvia explain wg6 from 10.6.0.10 to 192.0.2.3"},
	{.name = "check",
	 .function = cmd_check,
	 .usage = "IFACE [--probe] [--severity error|warning|info]",
	 .description = "report what is wrong or risky on this host, and what to do about it",
	 .words = {WORD_IFACE,
		   {"--probe", "send a ping via the firewall and back for each prefix that has an address "
			       "of the tunnel"},
		   {"--severity error|warning|info", "the lowest severity that makes the exit status 1 [warning]; a "
						     "finding that the configuration accepts does not count"}},
	 .example = "wgvia check wg6 --probe",
	 .options = check_options},
	{.name = "health",
	 .function = cmd_health,
	 .usage = "IFACE",
	 .description = "report by exit status whether the instance is healthy, for keepalived's track_script",
	 .words = {WORD_IFACE},
	 .example = "wgvia health wg6"},
	{.name = "trace",
	 .function = cmd_trace,
	 .usage = "IFACE [from PREFIX] [to PREFIX] [verdict V]... [count N]",
	 .description = "show decisions as they are made",
	 .words = {WORD_IFACE,
		   {"from PREFIX", "only packets from these sources"},
		   {"to PREFIX", "only packets to these destinations"},
		   {"verdict V", "only decisions with this verdict, see VERDICTS in wgvia(8); may be repeated"},
		   {"count N", "end after N decisions; without it at a signal"}},
	 .example = "wgvia trace wg6 from 10.6.0.0/16 verdict redirected count 10"},
	{.name = "monitor",
	 .function = cmd_monitor,
	 .usage = "[IFACE]",
	 .description = "show changes of instances as they happen, one per line",
	 .words = {{"IFACE", "one tunnel interface; without it all instances of this network namespace"}},
	 .example = "wgvia monitor wg6"},
	{.name = "stats",
	 .function = cmd_stats,
	 .usage = "[IFACE] [--prefix [PREFIX] | --watch [SECONDS] | --prometheus [SERIES]]",
	 .description = "packets and bytes by verdict",
	 .words = {{"IFACE", "one tunnel interface; without it all instances of this network namespace"},
		   {"--prefix [PREFIX]", "by prefix, with 'counters prefix'; those inside PREFIX alone"},
		   {"--watch [SECONDS]", "rates, every SECONDS [1], until a signal"},
		   {"--prometheus [SERIES]", "for node_exporter's textfile collector, with SERIES [1000] prefixes at "
					     "most"}},
	 .example = "wgvia stats wg6",
	 .options = stats_options},
	{.name = "import",
	 .function = cmd_import,
	 .usage = "FILE [IFACE]",
	 .description = "read a wg-quick file with a second routing table, print what replaces it",
	 .words = {{"FILE", "a file of wg-quick, which is not changed; - is standard input"},
		   {"IFACE", "the tunnel interface; without it the name of the file, IFACE.conf"}},
	 .example = "wgvia import /etc/wireguard/wg6.conf"},
};
const size_t command_count = ARRAY_SIZE(command_table);

const struct command command_help = {.name = "help"};
const struct command command_version = {.name = "version"};

static const struct {
	const char *name, *of; /* of: the command in the table */
} aliases[] = {{"list", "show"}};

static const struct command *find_named(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(command_table[i].name, name))
			return &command_table[i];
	return NULL;
}

/* Iterates over the names of `*command`; NULL: no more. */
static const char *next_name(size_t at, const struct command **command)
{
	if (at < command_count) {
		*command = &command_table[at];
		return command_table[at].name;
	}
	at -= command_count;
	if (at < ARRAY_SIZE(aliases)) {
		*command = find_named(aliases[at].of);
		return aliases[at].name;
	}
	*command = at == ARRAY_SIZE(aliases) ? &command_help : &command_version;
	return at < ARRAY_SIZE(aliases) + 2 ? (*command)->name : NULL;
}

const struct command *command_find(const char *word, struct error *error)
{
	const struct command *command, *found = NULL;
	char candidates[128] = "";
	size_t len = 0, count = 0;
	const char *name;

	for (size_t i = 0; (name = next_name(i, &command)); i++) {
		if (!strcmp(name, word))
			return command;
		if (strncmp(name, word, strlen(word)) != 0)
			continue;
		len += snprintf(candidates + len, sizeof(candidates) - len, "%s%s", count++ ? ", " : "", name);
		found = command;
	}
	if (count == 1)
		return found;
	if (count > 1 && *word)
		error_usage(error, "command '%s' is ambiguous: %s", word, candidates);
	else
		error_usage(error, "unknown command '%s'", word);
	error_hint(error, "'wgvia --help' lists the commands");
	return NULL;
}

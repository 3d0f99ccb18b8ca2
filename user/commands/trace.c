// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia trace IFACE [from PREFIX] [to PREFIX] [verdict V]... [count N]: decisions as they are made, a line each. Other
 * messages (that it listens, how many events were lost) go to stderr.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/abi_words.h"
#include "base/util.h"
#include "commands/output.h"
#include "config/parse.h"
#include "datapath/attach.h"
#include "datapath/trace.h"

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static const struct {
	uint8_t number;
	const char *word;
} protocols[] = {
	{IPPROTO_ICMP, "icmp"}, {IPPROTO_TCP, "tcp"},	    {IPPROTO_UDP, "udp"},
	{IPPROTO_ESP, "esp"},	{IPPROTO_FRAGMENT, "frag"}, {IPPROTO_ICMPV6, "icmp6"},
};

static void add_protocol(json *value, uint8_t number)
{
	char text[16];

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == number) {
			print_add_text(value, "protocol", protocols[i].word);
			return;
		}
	snprintf(text, sizeof(text), "proto-%u", number);
	print_add_text(value, "protocol", text);
}

static void add_device(json *value, uint32_t ifindex)
{
	char text[IFNAMSIZ];

	attach_device_name(ifindex, text);
	print_add_text(value, "dev", text);
}

static void add_address(json *value, const char *name, uint8_t family, const __u32 *addr)
{
	struct ip ip = {.family = family};
	char text[IP_TEXT_LEN];

	memcpy(ip.addr, addr, ip_bits(family) / 8);
	print_add_text(value, name, ip_text(&ip, text));
}

static void add_packet(json *value, const struct wgvia_event *event)
{
	bool is_icmp = event->protocol == IPPROTO_ICMP || event->protocol == IPPROTO_ICMPV6;

	add_address(value, "from", event->family, event->source);
	add_address(value, "to", event->family, event->destination);
	add_protocol(value, event->protocol);
	if (event->has_ports && is_icmp) {
		print_add_number(value, "icmp_type", ntohs(event->ports[0]) >> 8);
		print_add_number(value, "icmp_code", ntohs(event->ports[0]) & 0xff);
	} else if (event->has_ports) {
		print_add_number(value, "sport", ntohs(event->ports[0]));
		print_add_number(value, "dport", ntohs(event->ports[1]));
	}
	print_add_number(value, "hop_limit", event->hop_limit);
}

static json *describe_event(const char *tunnel, const struct wgvia_event *event, uint64_t realtime)
{
	json *value = print_object(), *gateway;

	print_add_text(value, "interface", tunnel);
	print_add_time(value, event->time + realtime);
	print_add_text(value, "direction", word_of(direction_words, WGVIA_DIRECTION_COUNT, event->direction));
	add_device(value, event->ifindex);
	if (event->family == AF_INET || event->family == AF_INET6)
		add_packet(value, event);
	print_add_number(value, "len", event->len);
	print_add_number(value, "packets", event->packets);
	print_add_text(value, "verdict", word_of(verdict_words, WGVIA_VERDICT_COUNT, event->verdict));
	if (event->gateway_family == AF_INET || event->gateway_family == AF_INET6) {
		gateway = print_object();
		add_address(gateway, "via", event->gateway_family, event->gateway);
		add_device(gateway, event->gateway_ifindex);
		print_add(value, "gateway", gateway);
	}
	return value;
}

/* In the format of tcpdump: ADDRESS.PORT. */
static void print_end_point(const json *value, const char *address, const char *port)
{
	printf(" %s", print_text(value, address));
	if (print_member(value, port))
		printf(".%" PRIu64, print_number(value, port));
}

static void print_decision(const json *value)
{
	time_t seconds = (time_t)json_object_get_double(print_member(value, "time"));
	const char *fraction = strchr(print_text(value, "time"), '.');
	const json *gateway = print_member(value, "gateway");
	char clock[16];
	struct tm tm;

	strftime(clock, sizeof(clock), "%T", localtime_r(&seconds, &tm));
	printf("%s%s %s %s", clock, fraction, print_text(value, "direction"), print_text(value, "dev"));
	if (print_member(value, "from")) {
		print_end_point(value, "from", "sport");
		printf(" >");
		print_end_point(value, "to", "dport");
		printf(" %s", print_text(value, "protocol"));
		if (print_member(value, "icmp_type"))
			printf(" type %" PRIu64 " code %" PRIu64, print_number(value, "icmp_type"),
			       print_number(value, "icmp_code"));
	}
	printf(" len %" PRIu64, print_number(value, "len"));
	if (print_number(value, "packets") > 1)
		printf(" (%" PRIu64 " packets)", print_number(value, "packets"));
	printf(" %s", print_text(value, "verdict"));
	if (gateway)
		printf(" via %s dev %s", print_text(gateway, "via"), print_text(gateway, "dev"));
	putchar('\n');
}

static void show(const struct context *context, const char *tunnel, const struct wgvia_event *event, uint64_t realtime)
{
	cleanup(print_release) json *value = describe_event(tunnel, event, realtime);

	if (context->json)
		print_line(value);
	else
		print_decision(value);
}

/* Runs until something ends it; 0, or negative with the error set. */
static int listen_on(struct context *context, struct trace *trace, const struct trace_words *words)
{
	uint64_t told = 0, shown = 0;
	bool enough = false;
	int ret = 0;

	fprintf(stderr, "listening on '%s'\n", words->tunnel);
	while (!ret && !ended && !enough) {
		const struct wgvia_event *event;

		ret = trace_wait(trace, &context->error);
		while (!ret && !ended && !enough && (event = trace_next(trace))) {
			show(context, words->tunnel, event, trace_realtime(trace));
			enough = ++shown == words->count;
		}
		if (fflush(stdout) && !ret)
			ret = error_system(&context->error, errno, "cannot write the output");
		if (trace_was_off(trace))
			fprintf(stderr, "this program was suspended and missed some decisions\n");
		if (trace_skipped(trace) != told)
			fprintf(stderr, "%" PRIu64 " decisions skipped\n", trace_skipped(trace) - told);
		told = trace_skipped(trace);
	}
	fprintf(stderr, "%" PRIu64 " decisions shown, %" PRIu64 " skipped\n", shown, trace_skipped(trace));
	return ret;
}

int cmd_trace(struct context *context, int argc, char **argv)
{
	cleanup(trace_close) struct trace *trace = NULL;
	struct sigaction action = {.sa_handler = end}, ignore = {.sa_handler = SIG_IGN};
	struct trace_words words;
	int ret = parse_trace(argc, argv, &words, &context->error);

	if (ret)
		return ret;
	/* if the reader exits, writing returns an error, after which tracing is switched off */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	ret = trace_open(context->pin_dir, &words, &trace, &context->error);
	return ret ? ret : listen_on(context, trace, &words);
}

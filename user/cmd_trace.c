// SPDX-License-Identifier: GPL-2.0-only
/*
 * wgvia trace IFACE [from PREFIX] [to PREFIX] [verdict V]... [count N]: decisions as they are made, a line each. What
 * is not a decision (that it listens, how much was skipped) goes to stderr.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "parse.h"
#include "print.h"
#include "trace.h"
#include "util.h"
#include "words.h"

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

static void add_device(json *value, const char *name, uint32_t ifindex)
{
	char text[IFNAMSIZ];

	if (!if_indextoname(ifindex, text))
		snprintf(text, sizeof(text), "if%u", ifindex);
	print_add_text(value, name, text);
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

	add_address(value, "source", event->family, event->source);
	add_address(value, "destination", event->family, event->destination);
	add_protocol(value, event->protocol);
	if (event->has_ports && is_icmp) {
		print_add_number(value, "type", ntohs(event->ports[0]) >> 8);
		print_add_number(value, "code", ntohs(event->ports[0]) & 0xff);
	} else if (event->has_ports) {
		print_add_number(value, "source_port", ntohs(event->ports[0]));
		print_add_number(value, "destination_port", ntohs(event->ports[1]));
	}
	print_add_number(value, "hop_limit", event->hop_limit);
}

static json *describe(const char *tunnel, const struct wgvia_event *event, uint64_t realtime)
{
	uint64_t time = event->time + realtime;
	json *value = print_object();
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%" PRIu64 ".%06" PRIu64, time / 1000000000, time % 1000000000 / 1000);
	print_add_text(value, "interface", tunnel);
	print_add(value, "time", json_object_new_double_s(time / 1e9, seconds));
	print_add_text(value, "direction", word_of(direction_words, WGVIA_DIRECTION_COUNT, event->direction));
	add_device(value, "dev", event->ifindex);
	if (event->family == AF_INET || event->family == AF_INET6)
		add_packet(value, event);
	print_add_number(value, "len", event->len);
	print_add_number(value, "packets", event->packets);
	print_add_text(value, "verdict", word_of(verdict_words, WGVIA_VERDICT_COUNT, event->verdict));
	if (event->gateway_family == AF_INET || event->gateway_family == AF_INET6) {
		add_address(value, "via", event->gateway_family, event->gateway);
		add_device(value, "via_dev", event->gateway_ifindex);
	}
	return value;
}

/* As tcpdump writes it: ADDRESS.PORT. */
static void print_end_point(const json *value, const char *address, const char *port)
{
	printf(" %s", print_text(value, address));
	if (print_member(value, port))
		printf(".%" PRIu64, print_number(value, port));
}

static void print_line(const json *value)
{
	time_t seconds = (time_t)json_object_get_double(print_member(value, "time"));
	const char *fraction = strchr(print_text(value, "time"), '.');
	char clock[16];
	struct tm tm;

	strftime(clock, sizeof(clock), "%T", localtime_r(&seconds, &tm));
	printf("%s%s %s %s", clock, fraction, print_text(value, "direction"), print_text(value, "dev"));
	if (print_member(value, "source")) {
		print_end_point(value, "source", "source_port");
		printf(" >");
		print_end_point(value, "destination", "destination_port");
		printf(" %s", print_text(value, "protocol"));
		if (print_member(value, "type"))
			printf(" type %" PRIu64 " code %" PRIu64, print_number(value, "type"),
			       print_number(value, "code"));
	}
	printf(" len %" PRIu64, print_number(value, "len"));
	if (print_number(value, "packets") > 1)
		printf(" (%" PRIu64 " packets)", print_number(value, "packets"));
	printf(" %s", print_text(value, "verdict"));
	if (print_member(value, "via"))
		printf(" via %s dev %s", print_text(value, "via"), print_text(value, "via_dev"));
	putchar('\n');
}

struct show {
	const struct context *context;
	const struct trace_words *words;
	uint64_t shown;
};

static int show(const struct wgvia_event *event, uint64_t realtime, void *data)
{
	struct show *so = data;
	cleanup(print_put) json *value = NULL;

	if (ended)
		return 1;
	value = describe(so->words->tunnel, event, realtime);
	if (so->context->json)
		puts(json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
	else
		print_line(value);
	so->shown++;
	return so->words->count && so->shown == so->words->count;
}

/* Until something ends it; 0, or negative with the error set. */
static int listen_on(struct context *context, struct trace *trace, const struct trace_words *words)
{
	struct show so = {context, words, 0};
	uint64_t told = 0;
	int ret = 0;

	fprintf(stderr, "listening on '%s'\n", words->tunnel);
	while (!ret && !ended) {
		ret = trace_wait(trace, show, &so, &context->error);
		if (fflush(stdout) && ret >= 0)
			ret = error_system(&context->error, errno, "cannot write the output");
		if (trace_was_off(trace))
			fprintf(stderr, "this program was held up, and did not see some decisions\n");
		if (trace_skipped(trace) != told)
			fprintf(stderr, "%" PRIu64 " decisions skipped\n", trace_skipped(trace) - told);
		told = trace_skipped(trace);
	}
	fprintf(stderr, "%" PRIu64 " decisions shown, %" PRIu64 " skipped\n", so.shown, trace_skipped(trace));
	return ret < 0 ? ret : 0;
}

int cmd_trace(struct context *context, int argc, char **argv)
{
	cleanup(trace_close) struct trace *trace = NULL;
	struct sigaction action = {.sa_handler = end}, ignore = {.sa_handler = SIG_IGN};
	struct trace_words words;
	int ret = parse_trace(argc, argv, &words, &context->error);

	if (ret)
		return ret;
	/* a reader that goes away is an error of writing, behind which the trace is switched off */
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	ret = trace_open(context->pin_dir, &words, &trace, &context->error);
	return ret ? ret : listen_on(context, trace, &words);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a file to a request: lines, comments, and errors that name file, line and word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/util.h"
#include "config/conffile.h"

#define WORD50 "12345678901234567890123456789012345678901234567890"
#define GOOD "from 10.6.0.0/16 via 192.0.2.1\n"

static char path[64];

/* Writes the text to a file, whose name is `path`. */
static int read_bytes(const char *text, size_t size, struct request *request, struct error *error)
{
	int fd = memfd_create("config", MFD_CLOEXEC), ret;

	memset(error, 0, sizeof(*error));
	assert_int_equal(write(fd, text, size), size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = conffile_read(path, "wg6", request, error);
	close(fd);
	return ret;
}

static int read_text(const char *text, struct request *request, struct error *error)
{
	return read_bytes(text, strlen(text), request, error);
}

static void a_file_says_what_up_says(void **state)
{
	static const char *const texts[] = {
		"from 2001:db8:1::/50 via 2001:db8:2::1 dev ens3\nfrom 10.6.0.0/16\nbypass 192.0.2.9\nmode stack\n"
		"on-fail pass\noutside drop\nmss 1360\ncounters prefix\n",
		"# by hand\r\n\r\non-fail pass # not drop\r\noutside drop\r\nmss 1360\r\ncounters prefix\r\nmode\tstack\r\n  from 2001:db8:1::/50 dev ens3 "
		"via 2001:db8:2::1\t\r\n#from 10.7.0.0/16\r\n\tfrom 10.6.0.0/16\t#\r\nbypass 192.0.2.9\r\n",
		"\n \n\t\n#\n # \x1b\xff\nbypass 192.0.2.9/32\nfrom 2001:db8:1::/50 via 2001:db8:2::1 dev ens3 #"
		"\nfrom 10.6.0.0/16\nmode stack\ncounters\tprefix\nmss 1360\noutside\tdrop\non-fail pass\n",
	};
	struct request request;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int ret = read_text(texts[i], &request, &error);

		if (ret)
			fail_msg("%zu: %s", i, error.text);
		assert_string_equal(request.tunnel, "wg6");
		assert_int_equal(request.route_count, 2);
		assert_int_equal(request.routes[0].from.len, 50);
		assert_int_equal(request.routes[0].via.family, AF_INET6);
		assert_string_equal(request.routes[0].dev, "ens3");
		assert_int_equal(request.routes[1].from.len, 16);
		assert_int_equal(request.routes[1].via.family, 0);
		assert_int_equal(request.bypass_count, 1);
		assert_int_equal(request.bypass[0].len, 32);
		assert_int_equal(request.mode, WGVIA_STACK);
		assert_int_equal(request.on_fail, WGVIA_PASS);
		assert_int_equal(request.outside, WGVIA_OUTSIDE_DROP);
		assert_int_equal(request.mss, 1360);
		assert_int_equal(request.counting, WGVIA_COUNT_PREFIXES);
		request_free(&request);
	}
}

static void what_is_left_out_is_as_up_has_it(void **state)
{
	struct request request;
	struct error error;

	(void)state;
	assert_int_equal(read_text("from 10.6.0.0/16\r\n", &request, &error), 0);
	assert_int_equal(request.mode, WGVIA_FAST);
	assert_int_equal(request.on_fail, WGVIA_DROP);
	assert_int_equal(request.outside, WGVIA_OUTSIDE_PASS);
	assert_int_equal(request.mss, WGVIA_MSS_OFF);
	assert_int_equal(request.counting, WGVIA_COUNT_VERDICTS);
	assert_int_equal(request.bypass_count, 0);
	request_free(&request);
}

static void the_same_text_is_recognized(void **state)
{
	static const char *const texts[] = {GOOD "mode fast\n", GOOD "mode fast\n", GOOD "mode stack\n",
					    GOOD "\nmode fast\n", "mode fast\n" GOOD};
	uint64_t hashes[ARRAY_SIZE(texts)];
	struct request request;
	struct error error;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(read_text(texts[i], &request, &error), 0);
		hashes[i] = request.text_hash;
		request_free(&request);
	}
	assert_true(hashes[0] == hashes[1]);
	for (size_t i = 2; i < ARRAY_SIZE(texts); i++)
		assert_true(hashes[0] != hashes[i]);
}

static void a_reason_is_all_that_is_left_of_the_line(void **state)
{
	static const char longest[] = WORD50 " " WORD50 " " WORD50 " 123456789 123456789 123456789 123456789 123456";
	struct request request;
	struct error error;
	char text[512];

	(void)state;
	snprintf(text, sizeof(text),
		 "accept  reach\treason  mode stack,   ticket 4711 # a comment\n" GOOD "accept mtu reason %s\n",
		 longest);
	assert_int_equal(read_text(text, &request, &error), 0);
	assert_int_equal(strlen(longest), 199);
	assert_int_equal(request.accepted.count, 2);
	assert_string_equal(request.accepted.all[0].finding.name, "mtu");
	assert_string_equal(accepted_reason(&request.accepted, "mtu"), longest);
	assert_string_equal(accepted_reason(&request.accepted, "reach"), "mode stack, ticket 4711");
	assert_null(accepted_reason(&request.accepted, "nat"));
	assert_int_equal(request.mode, WGVIA_FAST);
	request_free(&request);
}

static void what_is_wrong_is_named_with_line_and_word(void **state)
{
	/* `line` 0: the file as a whole */
	static const struct {
		const char *text;
		unsigned int line;
		const char *reason;
	} rows[] = {
		{"", 0, "no 'from'"},
		{"\n# nothing\n", 0, "no 'from'"},
		{"mode stack\nbypass 192.0.2.0/24\n", 0, "no 'from'"},
		{"form 10.6.0.0/16\n", 1, "unexpected word 'form'"},
		{GOOD "\n# 3\nvia 192.0.2.1\n", 4, "unexpected word 'via'"},
		{GOOD "from 10.7.0.0/33\n", 2, "'10.7.0.0/33' has no valid length"},
		{GOOD "from 10.7.0.1/16\n", 2, "do you mean '10.7.0.0/16'?"},
		{GOOD "from 10.7.0.0/16 frm\n", 2, "unexpected word 'frm': a line is one statement"},
		{GOOD "from 10.7.0.0/16 bypass 192.0.2.9\n", 2, "unexpected word 'bypass': a line is one statement"},
		{GOOD "mode fast on-fail drop\n", 2, "unexpected word 'on-fail'"},
		{GOOD "from\n", 2, "'from' needs a value"},
		{GOOD "from 10.7.0.0/16#\n", 2, "'10.7.0.0/16#' has no valid length"}, /* no white space, no comment */
		{GOOD "from #10.7.0.0/16\n", 2, "'from' needs a value"},
		{GOOD "bypass 192.0.2.9 192.0.2.10\n", 2, "unexpected word '192.0.2.10'"},
		{GOOD "bypass fe80::1%eth0\n", 2, "'fe80::1%eth0' is not a valid prefix"},
		{GOOD "mode\n", 2, "'mode' needs a value"},
		{GOOD "mode medium\n", 2, "'medium' is not a valid mode"},
		{GOOD "mode fast\nmode fast\n", 3, "'mode' is given twice"},
		{GOOD "on-fail drop\n\non-fail pass\n", 4, "'on-fail' is given twice"},
		{GOOD "from 10.7.0.0/16 dev wg6\n", 2, "the tunnel itself"},
		{GOOD "from 2001:db8::/48 via 192.0.2.1\n", 2, "IPv6 prefix '2001:db8::/48'"},
		{GOOD "from 10.7.0.0/16\n\n" GOOD "from 10.7.0.0/16\n", 4,
		 "from '10.6.0.0/16' is given twice, first in line 1"},
		{"from 10.8.0.0/16\nfrom 10.6.0.0/16\nfrom 10.8.0.0/16\nfrom 10.8.0.0/16\nfrom 10.6.0.0/16\n", 3,
		 "from '10.8.0.0/16' is given twice, first in line 1"},
		{GOOD "accept\n", 2, "'accept' needs a value"},
		{GOOD "accept rp_filter\n", 2, "'accept rp_filter' needs a reason: accept rp_filter reason TEXT"},
		{GOOD "accept rp_filter because of that\n", 2, "needs a reason"},
		{GOOD "accept rp_filter reason\n", 2, "'reason' needs a text"},
		{GOOD "accept rp_filter reason # none\n", 2, "'reason' needs a text"},
		{GOOD "accept mtu reason bad\377utf\n", 2, "the reason is not valid UTF-8"},
		{GOOD "accept mtu reason cut\303\n", 2, "the reason is not valid UTF-8"},
		{GOOD "accept mtu reason \300\200\n", 2, "the reason is not valid UTF-8"},
		{GOOD "accept mtu reason \355\240\200\n", 2, "the reason is not valid UTF-8"},
		{GOOD "accept mtu reason x\302\2332Jy\n", 2, "the reason has a control character"},
		{GOOD "accept mtu reason x\342\200\256y\n", 2, "the reason has a control character"},
		{GOOD "accept rpfilter reason x\n", 2,
		 "'rpfilter' is not a finding of 'check': do you mean 'rp_filter'?"},
		{GOOD "accept Reach reason x\n", 2, "do you mean 'reach'?"},
		{GOOD "accept xyzzy-plugh reason x\n", 2, "FINDINGS in wgvia(8) lists them"},
		{GOOD "accept 123456789012345678901234567890 reason x\n", 2, "FINDINGS in wgvia(8) lists them"},
		{GOOD "accept mtu reason x\naccept nat reason y\naccept mtu reason x\n", 4,
		 "'accept mtu' is given twice"},
		{GOOD "accept mtu reason " WORD50 " " WORD50 " " WORD50
		      " 123456789 123456789 123456789 123456789 1234567\n",
		 2, "the reason is too long: 199 bytes at most"},
		{GOOD "from 10.7.0.0/16", 2, "does not end with a newline"},
		{GOOD "#", 2, "does not end with a newline"},
		{GOOD "from 10.7.0.0/16 \x1b[31m\n", 2, "control character (0x1b)"},
		{GOOD "from 10.7.0.0/16\rfrom 10.8.0.0/16\n", 2, "control character (0x0d)"},
		{GOOD "from\v10.7.0.0/16\n", 2, "control character (0x0b)"},
		{GOOD "from 10.7.0.0/16 dev 1234567890123456\n", 2, "15 characters"},
		{GOOD "bypass 1111111111111111111111111111111111111111111111111111111111111111111111111111111111\n", 2,
		 "it has 82 characters"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct request request;
		struct error error;
		char place[80];

		if (!read_text(rows[i].text, &request, &error))
			fail_msg("'%s' is taken", rows[i].text);
		if (rows[i].line)
			snprintf(place, sizeof(place), "%s:%u: ", path, rows[i].line);
		else
			snprintf(place, sizeof(place), "%s: ", path);
		if (strncmp(error.text, place, strlen(place)) != 0 || !strstr(error.text, rows[i].reason))
			fail_msg("'%s': '%s' does not say '%s ... %s'", rows[i].text, error.text, place,
				 rows[i].reason);
		assert_int_equal(error.status, 2);
		assert_null(strchr(error.text, '\n'));
		request_free(&request);
	}
}

static void a_nul_byte_is_no_text(void **state)
{
	static const char text[] = GOOD "# \0\n";
	struct request request;
	struct error error;

	(void)state;
	assert_int_not_equal(read_bytes(text, sizeof(text) - 1, &request, &error), 0);
	assert_non_null(strstr(error.text, ":2: the file is not text: it has a NUL byte"));
	request_free(&request);
}

/* 1,024 bytes are accepted, one more is not; a comment counts. */
static void the_longest_line(void **state)
{
	char text[sizeof(GOOD) + CONFIG_LINE_MAX + 3];
	struct request request;
	struct error error;

	(void)state;
	for (int more = 0; more < 2; more++) {
		int len = snprintf(text, sizeof(text), GOOD "#%*s\n", CONFIG_LINE_MAX - 1 + more, "");
		int ret = read_bytes(text, len, &request, &error);

		assert_int_equal(!ret, !more);
		if (ret)
			assert_non_null(strstr(error.text, ":2: the line is too long: 1024 bytes"));
		request_free(&request);
	}
	/* the maximum number of words in a line */
	for (int i = 0; i < CONFIG_LINE_MAX; i++)
		text[i] = i % 2 ? ' ' : 'x';
	text[CONFIG_LINE_MAX] = '\n';
	assert_int_not_equal(read_bytes(text, CONFIG_LINE_MAX + 1, &request, &error), 0);
	assert_non_null(strstr(error.text, ":1: unexpected word 'x'"));
	request_free(&request);
}

static void what_cannot_be_read_is_a_fault_of_the_system(void **state)
{
	static const struct {
		const char *path, *text;
	} rows[] = {
		{"/", "cannot read '/': is a directory"},
		{"/nonexistent", "cannot open '/nonexistent': no such file or directory"},
		{"", "cannot open '': no such file or directory"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct request request;
		struct error error = {};

		assert_int_not_equal(conffile_read(rows[i].path, "wg6", &request, &error), 0);
		assert_string_equal(error.text, rows[i].text);
		assert_int_equal(error.status, 1);
		request_free(&request);
	}
}

/* An error line about a file with a long path still contains the reason. */
static void a_long_path_leaves_room_for_the_reason(void **state)
{
	char deep[600];
	struct request request;
	struct error error = {};
	FILE *file;
	size_t len;

	(void)state;
	snprintf(deep, sizeof(deep), "/tmp/wgvia-test-%d/", getpid());
	len = strlen(deep);
	assert_int_equal(mkdir(deep, 0700), 0);
	for (size_t i = 0; i < 250; i++)
		memcpy(deep + len + 2 * i, "./", 3);
	strcat(deep, "conf");
	file = fopen(deep, "we");
	assert_non_null(file);
	fputs(GOOD "form\n", file);
	fclose(file);
	assert_int_not_equal(conffile_read(deep, "wg6", &request, &error), 0);
	unlink(deep);
	deep[len] = '\0';
	rmdir(deep);
	assert_memory_equal(error.text, "...", 3);
	assert_non_null(strstr(error.text, "/conf:2: unexpected word 'form': from PREFIX"));
	request_free(&request);
}

static void many_lines_keep_their_numbers(void **state)
{
	enum { LINES = 70000 };
	char *text = NULL;
	struct request request;
	struct error error;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < LINES; i++)
		fprintf(file, "from 10.%d.%d.%d/32\n", i >> 16, i >> 8 & 255, i & 255);
	fprintf(file, "from 10.0.3.4/32\n");
	fclose(file);
	assert_int_not_equal(read_bytes(text, size, &request, &error), 0);
	assert_non_null(strstr(error.text, ":70001: from '10.0.3.4/32' is given twice, first in line 773"));
	request_free(&request);
	size -= strlen("from 10.0.3.4/32\n");
	assert_int_equal(read_bytes(text, size, &request, &error), 0);
	assert_int_equal(request.route_count, LINES);
	request_free(&request);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_says_what_up_says),
		cmocka_unit_test(what_is_left_out_is_as_up_has_it),
		cmocka_unit_test(the_same_text_is_recognized),
		cmocka_unit_test(a_reason_is_all_that_is_left_of_the_line),
		cmocka_unit_test(what_is_wrong_is_named_with_line_and_word),
		cmocka_unit_test(a_nul_byte_is_no_text),
		cmocka_unit_test(the_longest_line),
		cmocka_unit_test(what_cannot_be_read_is_a_fault_of_the_system),
		cmocka_unit_test(a_long_path_leaves_room_for_the_reason),
		cmocka_unit_test(many_lines_keep_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

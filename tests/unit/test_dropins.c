// SPDX-License-Identifier: GPL-2.0-only
/*
 * A configuration file and its drop-ins: which of a folder's files are read, in which order, and that what is wrong is
 * named with the file that it stands in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "config/conffile.h"

#define GOOD "from 10.6.0.0/16 via 192.0.2.1\n"
#define PATH_LEN 320

static char top[64]; /* a folder for each test */

static const char *path_of(const char *name, char path[PATH_LEN])
{
	snprintf(path, PATH_LEN, "%s/%s", top, name);
	return path;
}

/* A file that somebody removes when the folder's entry is read, or when the whole folder has been read. */
static const char *vanishing;
static bool vanishes_late;

struct dirent *readdir(DIR *folder)
{
	struct dirent *(*real)(DIR *folder) = dlsym(RTLD_NEXT, "readdir");
	struct dirent *entry = real(folder);
	char path[PATH_LEN];

	if (entry && vanishing && !vanishes_late && strstr(vanishing, entry->d_name))
		unlink(path_of(vanishing, path));
	return entry;
}

int closedir(DIR *folder)
{
	int (*real)(DIR *folder) = dlsym(RTLD_NEXT, "closedir");
	char path[PATH_LEN];

	if (vanishing && vanishes_late)
		unlink(path_of(vanishing, path));
	return real(folder);
}

static int make_top(void **state)
{
	(void)state;
	snprintf(top, sizeof(top), "/tmp/wgvia-dropins-XXXXXX");
	return !mkdtemp(top);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int remove_top(void **state)
{
	(void)state;
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *text)
{
	char path[PATH_LEN];
	FILE *file = fopen(path_of(name, path), "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void make_folder(const char *name)
{
	char path[PATH_LEN];

	assert_int_equal(mkdir(path_of(name, path), 0700), 0);
}

static void make_link(const char *to, const char *name)
{
	char path[PATH_LEN];

	assert_int_equal(symlink(to, path_of(name, path)), 0);
}

static int read_conf(struct request *request, struct error *error)
{
	char path[PATH_LEN];

	*error = (struct error){};
	return conffile_read(path_of("wg6.conf", path), "wg6", request, error);
}

/* "10.6.0.0/16 10.7.0.0/16", as they were read. */
static void routes_are(const struct request *request, const char *wanted)
{
	char text[512] = "", prefix[PREFIX_TEXT_LEN];

	for (size_t i = 0; i < request->route_count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 prefix_text(&request->routes[i].from, prefix));
	assert_string_equal(text, wanted);
}

static void must_read(const char *wanted)
{
	struct request request;
	struct error error;

	if (read_conf(&request, &error))
		fail_msg("%s", error.text);
	routes_are(&request, wanted);
	request_free(&request);
}

static void must_fail(int status, const char *wanted)
{
	struct request request;
	struct error error;
	char text[PATH_LEN * 3];
	size_t len = 0;

	assert_int_not_equal(read_conf(&request, &error), 0);
	/* '@' stands for the folder */
	for (; *wanted; wanted++)
		len += snprintf(text + len, sizeof(text) - len, *wanted == '@' ? "%s" : "%.1s",
				*wanted == '@' ? top : wanted);
	if (!strstr(error.text, text))
		fail_msg("'%s' does not say '%s'", error.text, text);
	assert_int_equal(error.status, status);
	request_free(&request);
}

static void a_folders_conf_files_are_read_by_name_after_the_file(void **state)
{
	/* by bytes: digits, capitals, small letters */
	static const char *const names[] = {"wg6.conf.d/a.conf", "wg6.conf.d/10-b.conf",
					    "wg6.conf.d/B.conf", "wg6.conf.d/10-b-c.conf",
					    "wg6.conf.d/9.conf", "wg6.conf.d/\303\244.conf"};
	char text[64];

	(void)state;
	write_file("wg6.conf", "from 10.99.0.0/16\n");
	make_folder("wg6.conf.d");
	must_read("10.99.0.0/16");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(text, sizeof(text), "# %zu\nfrom 10.%zu.0.0/16\n", i, i);
		write_file(names[i], text);
	}
	must_read("10.99.0.0/16 10.3.0.0/16 10.1.0.0/16 10.4.0.0/16 10.2.0.0/16 10.0.0.0/16 10.5.0.0/16");
}

static void what_editors_and_dpkg_leave_is_not_read(void **state)
{
	static const char *const names[] = {"a.conf~",	".a.conf", "a.conf.dpkg-new", "a.conf.dpkg-dist", "a.conf.bak",
					    "#a.conf#", "a",	   ".conf",	      "a.conf.rpmsave",	  "README",
					    "a.CONF",	"aconf"};
	char name[64];

	(void)state;
	write_file("wg6.conf", GOOD);
	make_folder("wg6.conf.d");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), "wg6.conf.d/%s", names[i]);
		write_file(name, "nonsense\n");
	}
	make_folder("wg6.conf.d/folder.conf");
	make_folder("wg6.d");
	write_file("wg6.d/a.conf", "nonsense\n");
	must_read("10.6.0.0/16");
}

static void links_are_followed_and_one_to_dev_null_hides_a_file(void **state)
{
	char path[PATH_LEN];

	(void)state;
	write_file("wg6.conf", GOOD);
	make_folder("elsewhere");
	write_file("elsewhere/file", "from 10.7.0.0/16\n");
	make_link("elsewhere", "wg6.conf.d");
	make_link("file", "elsewhere/10-a.conf");
	make_link("/dev/null", "elsewhere/20-b.conf");
	must_read("10.6.0.0/16 10.7.0.0/16");
	assert_int_equal(unlink(path_of("elsewhere/file", path)), 0);
	must_fail(1, "cannot read '@/wg6.conf.d/10-a.conf': no such file or directory");
}

static void statements_of_all_files_are_as_one_files(void **state)
{
	struct request request;
	struct error error;

	(void)state;
	write_file("wg6.conf", "mode stack\n"); /* all prefixes come from packages */
	make_folder("wg6.conf.d");
	write_file("wg6.conf.d/a.conf", "\xef\xbb\xbf# a mark of its own\r\nfrom 10.7.0.0/16\r\non-fail pass\r\n");
	write_file("wg6.conf.d/b.conf", "");
	write_file("wg6.conf.d/c.conf", "bypass 198.18.0.0/15\nfrom addresses\naccept mtu reason x\n");
	assert_int_equal(read_conf(&request, &error), 0);
	routes_are(&request, "10.7.0.0/16");
	assert_int_equal(request.mode, WGVIA_STACK);
	assert_int_equal(request.on_fail, WGVIA_PASS);
	assert_int_equal(request.bypass_count, 1);
	assert_int_equal(request.source_count, 1);
	assert_int_equal(request.accepted.count, 1);
	conffile_name_route(&error, &request, &request.sources[0]);
	assert_non_null(strstr(error.text, "wg6.conf.d/c.conf:2: "));
	request_free(&request);
}

struct row {
	const char *main, *first, *second; /* the files' texts */
	const char *error;		   /* '@': the folder */
};

static void what_is_wrong_is_named_with_its_file(void **state)
{
	static const struct row rows[] = {
		{GOOD, "\nform\n", "", "@/wg6.conf.d/a.conf:2: unexpected word 'form'"},
		{GOOD, "", "from 10.7.0.0/16", "@/wg6.conf.d/b.conf:1: the last line has no end"},
		{GOOD "form\n", "form\n", "", "@/wg6.conf:2: unexpected word 'form'"},
		{GOOD, "# 1\n" GOOD, "",
		 "@/wg6.conf.d/a.conf:2: from '10.6.0.0/16' is given twice, first in @/wg6.conf:1"},
		{GOOD, "from 10.7.0.0/16\n", "#\n#\nfrom 10.7.0.0/16 via 192.0.2.9\n",
		 "@/wg6.conf.d/b.conf:3: from '10.7.0.0/16' is given twice, first in @/wg6.conf.d/a.conf:1"},
		{GOOD, "from 10.7.0.0/16\nfrom 10.7.0.0/16\n", "",
		 "@/wg6.conf.d/a.conf:2: from '10.7.0.0/16' is given twice, first in line 1"},
		{GOOD "mode fast\n", "mode stack\n", "", "@/wg6.conf.d/a.conf:1: 'mode' is given twice"},
		{GOOD, "return via\n", "return drop\n", "@/wg6.conf.d/b.conf:1: 'return' is given twice"},
		{GOOD, "accept mtu reason x\n", "accept mtu reason y\n",
		 "@/wg6.conf.d/b.conf:1: 'accept mtu' is given twice"},
		{"from addresses\n", "from addresses\n", "", "@/wg6.conf.d/a.conf:1: from 'addresses' is given twice"},
		{"mode fast\n", "", "bypass 192.0.2.9\n", "@/wg6.conf: no 'from'"},
	};

	(void)state;
	make_folder("wg6.conf.d");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		write_file("wg6.conf", rows[i].main);
		write_file("wg6.conf.d/a.conf", rows[i].first);
		write_file("wg6.conf.d/b.conf", rows[i].second);
		must_fail(2, rows[i].error);
	}
}

static void without_the_file_drop_ins_are_not_an_instance(void **state)
{
	struct request request;
	struct error error;

	(void)state;
	make_folder("wg6.conf.d");
	must_fail(1, "cannot open '@/wg6.conf': no such file or directory");
	write_file("wg6.conf.d/a.conf", GOOD);
	assert_int_not_equal(read_conf(&request, &error), 0);
	assert_non_null(strstr(error.hint, "wg6.conf.d' are read together with this one only; it may be empty"));
	request_free(&request);
	write_file("wg6.conf", "");
	must_read("10.6.0.0/16");
}

static void what_cannot_be_read_is_an_error(void **state)
{
	char path[PATH_LEN];

	(void)state;
	write_file("wg6.conf", GOOD);
	write_file("wg6.conf.d", "");
	must_fail(1, "cannot read '@/wg6.conf.d': not a directory");
	unlink(path_of("wg6.conf.d", path));
	make_link("nowhere", "wg6.conf.d");
	must_fail(1, "cannot read '@/wg6.conf.d': no such file or directory");
	unlink(path_of("wg6.conf.d", path));
	make_folder("wg6.conf.d");
	write_file("wg6.conf.d/a.conf", GOOD);
	if (!geteuid()) { /* the agent's root may not read everything */
		pid_t pid;
		int status;

		assert_int_equal(chmod(top, 0755), 0);
		assert_int_equal(chmod(path_of("wg6.conf", path), 0644), 0);
		pid = fork();
		if (!pid) {
			struct request request;
			struct error error;
			int ret = setresuid(65534, 65534, 65534) ? 0 : read_conf(&request, &error);

			_exit(ret && strstr(error.text, "/wg6.conf.d': permission denied") ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

/* Standard input is a whole; and no folder belongs to a descriptor's name. */
static void other_names_of_a_file(void **state)
{
	char path[PATH_LEN];
	struct request request;
	struct error error = {};
	int fd, saved;

	(void)state;
	write_file("wg6.conf", GOOD);
	make_folder("wg6.conf.d");
	make_folder("-.d");
	write_file("wg6.conf.d/a.conf", "form\n");
	write_file("-.d/a.conf", "form\n");
	fd = open(path_of("wg6.conf", path), O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	assert_int_equal(conffile_read(path, "wg6", &request, &error), 0);
	request_free(&request);
	saved = dup(0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(dup2(fd, 0), 0);
	assert_int_equal(chdir(top), 0);
	assert_int_equal(conffile_read("-", "wg6", &request, &error), 0);
	request_free(&request);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(dup2(saved, 0), 0);
	close(saved);
	close(fd);
}

static void a_drop_in_that_is_removed_meanwhile_is_not_there(void **state)
{
	(void)state;
	write_file("wg6.conf", GOOD);
	make_folder("wg6.conf.d");
	for (int late = 0; late < 2; late++) {
		write_file("wg6.conf.d/one.conf", "from 10.7.0.0/16 via 192.0.2.1\n");
		write_file("wg6.conf.d/two.conf", "from 10.8.0.0/16 via 192.0.2.1\n");
		vanishing = "wg6.conf.d/one.conf";
		vanishes_late = late;
		must_read("10.6.0.0/16 10.8.0.0/16");
		vanishing = NULL;
	}
	/* the file itself is wanted, and so is what a link is for */
	make_link("nowhere", "wg6.conf.d/link.conf");
	must_fail(1, "cannot read");
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_top, remove_top)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_folders_conf_files_are_read_by_name_after_the_file),
		test(what_editors_and_dpkg_leave_is_not_read),
		test(links_are_followed_and_one_to_dev_null_hides_a_file),
		test(statements_of_all_files_are_as_one_files),
		test(what_is_wrong_is_named_with_its_file),
		test(without_the_file_drop_ins_are_not_an_instance),
		test(what_cannot_be_read_is_an_error),
		test(other_names_of_a_file),
		test(a_drop_in_that_is_removed_meanwhile_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Budgets: the number of instructions that the verifier processes, and the size of the JITed code, of each program in
 * each form in which it is loaded. budget.txt beside this file contains them; 10 % more is a failure, on the kernel
 * series and machine of that file, with any compiler. WGVIA_BUDGET_FIGURES names a file for the figures, and disables
 * the comparison: scripts/compilers uses it to make budget.txt and its table.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "programs.h"

struct figure {
	char program[32];
	char form[32];
	unsigned int insns, jited;
};

static const struct {
	const char *name;
	struct programs_options options;
} forms[] = {
	{"wireguard", {.l3 = true}},
	{"ethernet", {.tunnel_ether = true}},
	{"stack", {.l3 = true, .stack = true}},
	{"no_check_mtu", {.l3 = true, .no_check_mtu = true}},
};

static struct figure figures[32];
static unsigned int figure_count;

/* `relative` to the folder of this program; NULL: there is none. */
static FILE *open_beside(const char *relative)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 128);
	char *slash;

	path[len < 0 ? 0 : len] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash ? slash + 1 : path, 128, "%s", relative);
	return fopen(path, "r");
}

/* In the source tree, which is found from the compiler's path of this file or from the build's location. */
static FILE *open_budget(void)
{
	char path[4096];
	FILE *file;
	char *slash;

	snprintf(path, sizeof(path), "%s", __FILE__);
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, "budget.txt");
	file = fopen(path, "r");
	return file ? file : open_beside("../../../tests/prog/budget.txt");
}

/* Linux 5.16 and later report the count with the program, Linux 5.2 and later at the end of the verifier log. */
static unsigned int verified_insns(const struct bpf_program *program, const struct bpf_prog_info *info)
{
	unsigned int insns = 0;
	const char *line;
	size_t len;

	if (info->verified_insns)
		return info->verified_insns;
	line = bpf_program__log_buf(program, &len);
	line = line ? strstr(line, "processed ") : NULL;
	if (line)
		sscanf(line, "processed %u insns", &insns);
	return insns;
}

static void measure(const char *form, struct wgvia_bpf *skel)
{
	struct bpf_program *program;

	bpf_object__for_each_program (program, skel->obj) {
		struct bpf_prog_info info = {};
		struct figure *figure = &figures[figure_count++];
		__u32 len = sizeof(info);

		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len), 0);
		snprintf(figure->program, sizeof(figure->program), "%s", bpf_program__name(program));
		snprintf(figure->form, sizeof(figure->form), "%s", form);
		figure->insns = verified_insns(program, &info);
		figure->jited = info.jited_prog_len;
	}
}

static int set_up(void **state)
{
	(void)state;
	programs_namespace();
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct programs programs;

		programs_load(&programs, &forms[i].options);
		measure(forms[i].name, programs.skel);
		programs_unload(&programs);
	}
	return 0;
}

/* "6.18 x86_64": the verifier differs between kernel series, the JIT between machines. */
static void kernel_line(char *text, size_t size)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	snprintf(text, size, "%d.%d %s", major, minor, name.machine);
}

/* The compiler of the programs, in its own words. */
static void compiler(char *text, size_t size)
{
	FILE *file = open_beside("../../bpf/wgvia.bpf.compiler");

	if (!file || !fgets(text, size, file))
		snprintf(text, size, "an unknown compiler");
	text[strcspn(text, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void write_figures(const char *path)
{
	char line[128], clang[128];
	FILE *file = fopen(path, "w");

	if (!file)
		fail_msg("cannot write %s: %s", path, strerror(errno));
	kernel_line(line, sizeof(line));
	compiler(clang, sizeof(clang));
	fprintf(file, "# compiler: %s\n# kernel: %s\n", clang, line);
	for (unsigned int i = 0; i < figure_count; i++)
		fprintf(file, "%-18s %-14s %8u %8u\n", figures[i].program, figures[i].form, figures[i].insns,
			figures[i].jited);
	fclose(file);
}

static const struct figure *find_figure(const struct figure *of)
{
	for (unsigned int i = 0; i < figure_count; i++)
		if (!strcmp(figures[i].program, of->program) && !strcmp(figures[i].form, of->form))
			return &figures[i];
	return NULL;
}

static bool within(const struct figure *budget, const char *what, unsigned int now, unsigned int allowed)
{
	bool ok = now <= allowed + allowed / 10;

	printf("# %-16s %-14s %-9s %6u, budget %6u%s\n", budget->program, budget->form, what, now, allowed,
	       ok ? "" : "  OVER");
	return ok;
}

static void programs_stay_within_their_budgets(void **state)
{
	char line[256], ours[64], theirs[64] = "", clang[128];
	unsigned int over = 0, lines = 0;
	struct figure budget;
	FILE *file;

	(void)state;
	if (!figures[0].jited) {
		printf("# SKIP no JIT\n");
		skip();
	}
	if (getenv("WGVIA_BUDGET_FIGURES")) {
		write_figures(getenv("WGVIA_BUDGET_FIGURES"));
		return;
	}
	compiler(clang, sizeof(clang));
	printf("# %s\n", clang);
	file = open_budget();
	if (!file)
		fail_msg("cannot open budget.txt: %s", strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		const struct figure *now;

		if (sscanf(line, "# kernel: %63[^\n]", theirs) == 1 || line[0] == '#')
			continue;
		if (sscanf(line, "%31s %31s %u %u", budget.program, budget.form, &budget.insns, &budget.jited) != 4)
			fail_msg("budget.txt: cannot parse line: %s", line);
		lines++;
		now = find_figure(&budget);
		if (!now)
			fail_msg("budget.txt: no such program: %s %s", budget.program, budget.form);
		over += !within(&budget, "verified", now->insns, budget.insns);
		over += !within(&budget, "jited", now->jited, budget.jited);
	}
	fclose(file);
	kernel_line(ours, sizeof(ours));
	if (strcmp(ours, theirs) != 0) {
		printf("# SKIP the budget is for %s, this is %s\n", theirs, ours);
		skip();
	}
	assert_int_equal(lines, figure_count);
	assert_int_equal(over, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_stay_within_their_budgets),
	};

	programs_need_root();
	return cmocka_run_group_tests_name("budget", tests, set_up, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Budgets: how many instructions the verifier goes through, and how long the JITed code is, of each program in each
 * form in which it is loaded. budget.txt beside this file has them; 10 % more is a failure, on the kernel line and
 * machine that the file was made on. WGVIA_UPDATE_BUDGET=1 writes the file anew, WGVIA_BUDGET_FILE names another one.
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
	{"no_check_mtu", {.l3 = true, .no_check_mtu = true}},
};

static struct figure figures[32];
static unsigned int figure_count;

/* The file in the source tree, found from the compiler's path of this file or from where the build puts programs. */
static const char *budget_path(void)
{
	static char path[4096];
	const char *given = getenv("WGVIA_BUDGET_FILE");
	ssize_t len;
	char *slash;

	if (given)
		return given;
	snprintf(path, sizeof(path), "%s", __FILE__);
	slash = strrchr(path, '/');
	strcpy(slash ? slash + 1 : path, "budget.txt");
	if (!access(path, F_OK))
		return path;
	len = readlink("/proc/self/exe", path, sizeof(path) - 64);
	path[len < 0 ? 0 : len] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash ? slash : path, "/../../../tests/prog/budget.txt");
	return path;
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
		figure->insns = info.verified_insns;
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

/* "6.18 x86_64": the verifier differs from one kernel line to the next, the JIT from one machine to the next. */
static void kernel_line(char *text, size_t size)
{
	struct utsname name;
	int major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%d.%d", &major, &minor);
	snprintf(text, size, "%d.%d %s", major, minor, name.machine);
}

static void write_budget(const char *path)
{
	char line[128], compiler[128] = "an unknown compiler";
	FILE *file = fopen(path, "w"), *clang = popen("clang --version", "r");

	if (clang && fgets(compiler, sizeof(compiler), clang))
		compiler[strcspn(compiler, "\n")] = '\0';
	if (clang)
		pclose(clang);
	if (!file)
		fail_msg("cannot write %s: %s", path, strerror(errno));
	kernel_line(line, sizeof(line));
	fprintf(file,
		"# What each program may cost: instructions that the "
		"verifier goes through, bytes of JITed code. More than\n"
		"# 10 %% above is a failure of test_budget. Written by "
		"WGVIA_UPDATE_BUDGET=1 build/tests/prog/test_budget.\n"
		"# compiler: %s\n# kernel: %s\n#\n# %-16s %-14s %8s %8s\n",
		compiler, line, "program", "form", "verified", "jited");
	for (unsigned int i = 0; i < figure_count; i++)
		fprintf(file, "%-18s %-14s %8u %8u\n", figures[i].program, figures[i].form, figures[i].insns,
			figures[i].jited);
	fclose(file);
	printf("# written: %s\n", path);
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
	const char *path = budget_path();
	char line[256], ours[64], theirs[64] = "";
	unsigned int over = 0, lines = 0;
	struct figure budget;
	FILE *file;

	(void)state;
	if (!figures[0].insns) {
		printf("# SKIP this kernel does not tell how many instructions it verified (before 5.16)\n");
		skip();
	}
	if (!figures[0].jited) {
		printf("# SKIP no JIT\n");
		skip();
	}
	if (getenv("WGVIA_UPDATE_BUDGET")) {
		write_budget(path);
		return;
	}
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file)) {
		const struct figure *now;

		if (sscanf(line, "# kernel: %63[^\n]", theirs) == 1 || line[0] == '#')
			continue;
		if (sscanf(line, "%31s %31s %u %u", budget.program, budget.form, &budget.insns, &budget.jited) != 4)
			fail_msg("%s: not a budget: %s", path, line);
		lines++;
		now = find_figure(&budget);
		if (!now)
			fail_msg("%s: no such program: %s %s", path, budget.program, budget.form);
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

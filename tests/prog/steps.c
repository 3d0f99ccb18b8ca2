// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts executed instructions; see steps.h. A block is a stretch of instructions that is entered at its first one and
 * left after its last one only. A register is free at a place if on each way from there it is written before it is
 * read; where none is free, one is saved on the stack.
 *
 * The program is loaded without BTF, in which the places of its functions would have to be changed too. So the verifier
 * goes through the global ones at each call of them, which takes it longer and changes nothing else.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "steps.h"

#define INSNS 16384
#define ARGUMENTS 0x3e
#define CLOBBERED 0x3f
#define ADD_NUMBER (BPF_ALU64 | BPF_ADD) /* BPF_K is 0 */

static struct bpf_insn insns[INSNS], counting[INSNS * 4];
static bool leader[INSNS + 1], first[INSNS + 1];  /* of a block, of a subprogram */
static uint16_t live[INSNS + 1];		  /* registers that are read later, a bit for each */
static unsigned int entered[INSNS], moved[INSNS]; /* where it is now, with what counts before it, and itself */
static unsigned int count;

static void __attribute__((noreturn)) give_up(const char *name, const char *why, unsigned int insn)
{
	printf("Bail out! %s cannot be counted: %s, instruction %u\n", name, why, insn);
	fflush(stdout);
	_exit(1);
}

static unsigned int class_of(const struct bpf_insn *insn)
{
	return BPF_CLASS(insn->code);
}

static bool is_jump_class(const struct bpf_insn *insn)
{
	return class_of(insn) == BPF_JMP || class_of(insn) == BPF_JMP32;
}

static bool is_call(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_CALL);
}

static bool is_exit(const struct bpf_insn *insn)
{
	return insn->code == (BPF_JMP | BPF_EXIT);
}

static bool is_subprogram_call(const struct bpf_insn *insn)
{
	return is_call(insn) && insn->src_reg == BPF_PSEUDO_CALL;
}

static bool has_target(const struct bpf_insn *insn)
{
	return is_jump_class(insn) && !is_call(insn) && !is_exit(insn);
}

static bool goes_on(const struct bpf_insn *insn)
{
	return !is_exit(insn) && insn->code != (BPF_JMP | BPF_JA);
}

static bool is_wide(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static unsigned int target_of(unsigned int i)
{
	return i + 1 + (is_subprogram_call(&insns[i]) ? insns[i].imm : insns[i].off);
}

static uint16_t written(const struct bpf_insn *insn)
{
	uint16_t to = 1 << insn->dst_reg;

	switch (class_of(insn)) {
	case BPF_LD:
		return is_wide(insn) ? to : CLOBBERED;
	case BPF_LDX:
	case BPF_ALU:
	case BPF_ALU64:
		return to;
	case BPF_JMP:
		return is_call(insn) ? CLOBBERED : 0;
	default: /* an atomic operation may write more: to think that a register is in use does no harm */
		return 0;
	}
}

static uint16_t read_by_alu(const struct bpf_insn *insn)
{
	uint16_t from = BPF_SRC(insn->code) == BPF_X ? 1 << insn->src_reg : 0;

	return BPF_OP(insn->code) == BPF_MOV ? from : from | 1 << insn->dst_reg;
}

static uint16_t read_by(const struct bpf_insn *insn)
{
	uint16_t to = 1 << insn->dst_reg, from = 1 << insn->src_reg;

	switch (class_of(insn)) {
	case BPF_LD:
		return is_wide(insn) ? 0 : from | 1 << 6;
	case BPF_LDX:
		return from;
	case BPF_ST:
		return to;
	case BPF_STX:
		return from | to | 1; /* r0, by a compare and exchange */
	case BPF_ALU:
	case BPF_ALU64:
		return read_by_alu(insn);
	default:
		if (is_call(insn))
			return ARGUMENTS;
		if (is_exit(insn))
			return 1;
		return insn->code == (BPF_JMP | BPF_JA) ? 0 : read_by_alu(insn) | to;
	}
}

static void find_leaders(const char *name)
{
	memset(leader, 0, sizeof(leader));
	memset(first, 0, sizeof(first));
	leader[0] = first[0] = true;
	for (unsigned int i = 0; i < count; i++) {
		if (is_wide(&insns[i])) {
			if (insns[i].src_reg == BPF_PSEUDO_FUNC)
				give_up(name, "a callback", i);
			i++;
			continue;
		}
		if (insns[i].code == (BPF_JMP32 | BPF_JA))
			give_up(name, "a long jump", i);
		if (has_target(&insns[i]) || is_subprogram_call(&insns[i]))
			leader[target_of(i)] = true;
		if (is_subprogram_call(&insns[i]))
			first[target_of(i)] = true;
		if (has_target(&insns[i]) || is_exit(&insns[i]))
			leader[i + 1] = true;
	}
}

static uint16_t live_at(unsigned int i)
{
	uint16_t later = 0;

	if (goes_on(&insns[i]))
		later |= live[i + (is_wide(&insns[i]) ? 2 : 1)];
	if (has_target(&insns[i]))
		later |= live[target_of(i)];
	return (later & ~written(&insns[i])) | read_by(&insns[i]);
}

/* Until nothing changes. A subprogram's registers 6 to 9 are its own. */
static void find_live(void)
{
	bool changed = true;

	memset(live, 0, sizeof(live));
	while (changed) {
		changed = false;
		for (unsigned int i = count; i-- > 0;) {
			uint16_t now;

			if (i && is_wide(&insns[i - 1]))
				continue;
			now = live_at(i);
			changed |= now != live[i];
			live[i] = now;
		}
	}
}

/* One that is free there, or one of the registers 6 to 9 that is in use and is to be saved; not `other`. */
static int find_register(const char *name, unsigned int i, int other, bool *saved)
{
	*saved = false;
	for (int reg = 0; reg < 10; reg++)
		if (reg != other && !(live[i] & 1 << reg))
			return reg;
	*saved = true;
	for (int reg = 6; reg < 10; reg++)
		if (reg != other && live[i] & 1 << reg)
			return reg;
	give_up(name, "no register can be had", i);
}

/* The lowest byte of the stack that an instruction uses, from the frame's end. */
static int stack_of(unsigned int i)
{
	const struct bpf_insn *insn = &insns[i], *before = i ? insn - 1 : insn;
	bool store = class_of(insn) == BPF_ST || class_of(insn) == BPF_STX;

	if ((store && insn->dst_reg == 10) || (class_of(insn) == BPF_LDX && insn->src_reg == 10))
		return insn->off;
	if (insn->code == ADD_NUMBER && before->code == (BPF_ALU64 | BPF_MOV | BPF_X) && before->src_reg == 10 &&
	    before->dst_reg == insn->dst_reg)
		return insn->imm;
	return 0;
}

/* Of the program, or the subprogram, that begins there: what lies below is free. */
static int stack_bottom(unsigned int begin)
{
	int bottom = stack_of(begin);

	for (unsigned int i = begin + 1; i < count && !first[i]; i++)
		if (stack_of(i) < bottom)
			bottom = stack_of(i);
	return bottom & ~7;
}

static unsigned int put(unsigned int len, struct bpf_insn insn)
{
	counting[len] = insn;
	return len + 1;
}

static unsigned int put_counting(const char *name, unsigned int len, unsigned int i, int map, unsigned int block,
				 int stack)
{
	bool saved[2];
	int address = find_register(name, i, -1, &saved[0]), number = find_register(name, i, address, &saved[1]);
	const int regs[] = {address, number};

	for (int k = 0; k < 2; k++)
		if (saved[k])
			len = put(len, (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW,
							 .dst_reg = 10,
							 .src_reg = regs[k],
							 .off = stack - 8 * (k + 1)});
	len = put(len, (struct bpf_insn){.code = BPF_LD | BPF_IMM | BPF_DW,
					 .dst_reg = address,
					 .src_reg = BPF_PSEUDO_MAP_VALUE,
					 .imm = map});
	len = put(len, (struct bpf_insn){.imm = block * sizeof(uint64_t)});
	len = put(len, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = number, .src_reg = address});
	len = put(len, (struct bpf_insn){.code = ADD_NUMBER, .dst_reg = number, .imm = 1});
	len = put(len, (struct bpf_insn){.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = address, .src_reg = number});
	for (int k = 0; k < 2; k++)
		if (saved[k])
			len = put(len, (struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_DW,
							 .dst_reg = regs[k],
							 .src_reg = 10,
							 .off = stack - 8 * (k + 1)});
	return len;
}

/* The program with counting; its length. */
static unsigned int put_all(const char *name, struct steps *steps, int map)
{
	unsigned int len = 0;
	int stack = 0;

	for (unsigned int i = 0; i < count; i++) {
		if (first[i])
			stack = stack_bottom(i);
		entered[i] = len;
		if (leader[i]) {
			if (steps->blocks == STEPS_BLOCKS)
				give_up(name, "too many blocks", i);
			len = put_counting(name, len, i, map, steps->blocks++, stack);
		}
		moved[i] = len;
		steps->block[steps->blocks - 1].insns++;
		steps->block[steps->blocks - 1].calls += is_call(&insns[i]) && !is_subprogram_call(&insns[i]);
		counting[len++] = insns[i];
		if (is_wide(&insns[i]))
			counting[len++] = insns[++i];
	}
	return len;
}

/* Jumps and calls of subprograms go to where their targets are now. */
static void mend_jumps(void)
{
	for (unsigned int i = 0; i < count; i++) {
		int at = moved[i];

		if (is_wide(&insns[i]))
			i++;
		else if (is_subprogram_call(&insns[i]))
			counting[at].imm = (int)entered[target_of(i)] - at - 1;
		else if (has_target(&insns[i]))
			counting[at].off = (int)entered[target_of(i)] - at - 1;
	}
}

static int map_of_blocks(struct steps *steps)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "steps", sizeof(uint32_t), STEPS_BLOCKS * sizeof(uint64_t), 1,
				&opts);
	void *memory = mmap(NULL, STEPS_BLOCKS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd < 0 || memory == MAP_FAILED) {
		printf("Bail out! cannot make a map: %s\n", strerror(errno));
		_exit(1);
	}
	steps->runs = memory;
	return fd;
}

int steps_load(const char *name, const struct bpf_insn *program, unsigned int program_len, struct steps *steps)
{
	unsigned int len;
	int map, error;

	memset(steps, 0, sizeof(*steps));
	count = program_len;
	if (count > INSNS)
		give_up(name, "too long", count);
	memcpy(insns, program, count * sizeof(insns[0]));
	map = map_of_blocks(steps);
	find_leaders(name);
	find_live();
	len = put_all(name, steps, map);
	mend_jumps();
	steps->fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "steps", "GPL", counting, len, NULL);
	error = steps->fd < 0 ? -errno : 0;
	close(map);
	return error;
}

void steps_unload(struct steps *steps)
{
	munmap((void *)steps->runs, STEPS_BLOCKS * sizeof(uint64_t));
	close(steps->fd);
}

void steps_take(struct steps *steps, unsigned int *insn_count, unsigned int *calls)
{
	*insn_count = *calls = 0;
	for (unsigned int i = 0; i < steps->blocks; i++) {
		*insn_count += steps->runs[i] * steps->block[i].insns;
		*calls += steps->runs[i] * steps->block[i].calls;
		steps->runs[i] = 0;
	}
}

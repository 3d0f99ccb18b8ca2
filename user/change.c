// SPDX-License-Identifier: GPL-2.0-only
/*
 * A step for each point, undone in the reverse order.
 */
#include "change.h"

#include <bpf/bpf.h>
#include <string.h>

#include "attach.h"
#include "conntrack.h"
#include "devices.h"
#include "util.h"

enum { STEP_ADDED = -1, STEP_LEFT = -2, STEP_FINAL = -3, STEP_LATER = -4 };

/* What was done to one point, to be undone. */
struct step {
	struct attachment attachment;
	int old_program; /* or STEP_ADDED; STEP_LEFT: it had the program; STEP_FINAL: it cannot be undone;
			    STEP_LATER: nothing so far */
	int new_program; /* with STEP_LATER; the caller's */
};

/* A pin of the same name whose link or filter is gone is in the way. */
static void remove_dead(const struct change *change, const struct attachment *point)
{
	for (size_t i = 0; i < change->running->attachment_count; i++) {
		const struct attachment *old = &change->running->attachments[i];

		if (!old->alive && old->direction == point->direction && old->ifindex == point->ifindex)
			attach_remove(change->next->folder, old);
	}
}

static int make_qdisc(struct change *change, uint32_t ifindex, struct error *error)
{
	uint32_t *made;
	bool is_new;
	int ret = attach_make_qdisc(change->next->folder, ifindex, &is_new, error);

	if (ret || !is_new)
		return ret;
	made = array_grow(&change->qdiscs, &change->qdisc_count, sizeof(*made));
	if (made)
		*made = ifindex;
	return 0;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.id;
}

/*
 * Without CAP_SYS_ADMIN a program that has no pin, as that of a link which an older version made, can be replaced but
 * not put back. The new one serves as well where the maps are the same.
 */
static int replace(struct change *change, struct step *step, const struct attachment *old, int prog_fd,
		   struct error *error)
{
	int old_program = programs_get(change->running, old), ret;

	step->attachment = *old;
	step->old_program = old_program < 0 ? STEP_FINAL : old_program;
	if (old_program < 0 && old_program != -EPERM)
		return error_system(error, -old_program, "cannot read the running program");
	ret = attach_replace(change->running->folder, old, prog_fd, error);
	change->is_final |= !ret && old_program < 0;
	if (!ret) /* what is to be replaced when this is undone */
		step->attachment.prog_id = program_id(prog_fd);
	return ret;
}

static bool has_direction(const struct instance *instance, enum wgvia_direction direction)
{
	for (size_t i = 0; i < instance->attachment_count; i++)
		if (instance->attachments[i].alive && instance->attachments[i].direction == direction)
			return true;
	return false;
}

/*
 * From fast to stack: as long as the outward shortcut is in force, replies have to take the other one. A connection
 * tracker on this host would see replies to requests that it has not seen.
 */
static bool has_to_wait(const struct change *change, const struct point *point)
{
	return point->direction == WGVIA_BACK && change->plan->state.mode == WGVIA_STACK &&
	       has_direction(change->running, WGVIA_OUT);
}

static int attach_point(struct change *change, const struct point *point, enum attach_kind kind, int prog_fd,
			struct error *error)
{
	const struct attachment *old = instance_attachment(change->running, point);
	struct step *step = array_grow(&change->steps, &change->step_count, sizeof(*step));
	int ret = 0;

	if (!step)
		return error_system(error, ENOMEM, "cannot attach");
	if (old && old->kind == kind && programs_is(prog_fd, old->prog_id)) {
		step->attachment = *old;
		step->old_program = STEP_LEFT;
	} else if (old && old->kind == kind && has_to_wait(change, point)) {
		*step = (struct step){*old, STEP_LATER, prog_fd};
	} else if (old && old->kind == kind) {
		ret = replace(change, step, old, prog_fd, error);
	} else {
		step->attachment = (struct attachment){
			.kind = kind,
			.direction = point->direction,
			.ifindex = point->ifindex,
			/* as its pin's name will tell it: is_step() */
			.handle = kind == ATTACH_CLSACT ? attach_handle(change->plan->state.tunnel_ifindex,
									change->plan->state.tunnel)
							: 0};
		step->old_program = STEP_ADDED;
		remove_dead(change, &step->attachment);
		if (kind == ATTACH_CLSACT)
			ret = make_qdisc(change, point->ifindex, error);
		ret = ret ? ret : attach_add(change->next->folder, &step->attachment, prog_fd, error);
	}
	if (ret) {
		if (step->old_program >= 0)
			close(step->old_program);
		change->step_count--;
	}
	return ret;
}

void change_undo(struct change *change)
{
	struct error ignored = {};

	while (change->device_count)
		devices_remove(change->next->maps[MAP_DEVICES], change->devices[--change->device_count]);
	devices_set_tunnel(change->next->maps[MAP_DEVICES], change->tunnel);
	while (change->step_count) {
		struct step *step = &change->steps[--change->step_count];

		if (step->old_program >= 0) {
			attach_replace(change->running->folder, &step->attachment, step->old_program, &ignored);
			close(step->old_program);
			step->old_program = STEP_ADDED;
		} else if (step->old_program == STEP_ADDED) {
			attach_remove(change->next->folder, &step->attachment);
		}
	}
	while (change->qdisc_count)
		attach_remove_qdisc(change->next->folder, change->qdiscs[--change->qdisc_count]);
}

void change_free(struct change *change)
{
	for (size_t i = 0; i < change->step_count; i++)
		if (change->steps[i].old_program >= 0)
			close(change->steps[i].old_program);
	free(change->steps);
	free(change->qdiscs);
	free(change->devices);
}

/* Before a program is in force that asks for them. */
static int add_devices(struct change *change, struct error *error)
{
	int map = change->next->maps[MAP_DEVICES], ret;
	char name[IFNAMSIZ];

	ret = devices_set_tunnel(map, change->plan->state.tunnel_ifindex);
	if (ret)
		return error_system(error, -ret, "cannot use '%s'", change->plan->state.tunnel);
	for (size_t i = 0; i < change->plan->point_count; i++) {
		const struct point *point = &change->plan->points[i];
		uint32_t *added;
		bool is_new;

		if (!devices_holds(point))
			continue;
		ret = devices_add(map, point->ifindex, &is_new);
		if (ret) {
			attach_device_name(point->ifindex, name);
			return error_system(error, -ret, "cannot use '%s'", name);
		}
		added = is_new ? array_grow(&change->devices, &change->device_count, sizeof(*added)) : NULL;
		if (added)
			*added = point->ifindex;
	}
	return 0;
}

int change_attach(struct change *change, const struct programs *programs, struct error *error)
{
	const struct plan *plan = change->plan;
	enum attach_kind kind;
	int ret = add_devices(change, error);

	if (ret || !plan->point_count)
		return ret;
	ret = attach_choose_kind(programs->fds[program_at(plan->points[0].direction, plan->points[0].l3)], &kind,
				 error);
	/* a tracker that cannot be asked is no reason not to go */
	if (!ret && plan->state.mode == WGVIA_FAST && !has_direction(change->running, WGVIA_OUT))
		conntrack_relax(&plan->state);
	/* the tunnel's, too, in both modes: a change of mode is to lose nothing */
	if (!ret && kind == ATTACH_CLSACT && plan->state.tunnel_ifindex)
		ret = make_qdisc(change, plan->state.tunnel_ifindex, error);
	for (size_t i = 0; i < plan->point_count && !ret; i++) {
		const struct point *point = &plan->points[i];

		ret = attach_point(change, point, kind, programs->fds[program_at(point->direction, point->l3)], error);
	}
	return ret;
}

static bool is_step(const struct change *change, const struct attachment *attachment)
{
	for (size_t i = 0; i < change->step_count; i++) {
		const struct attachment *done = &change->steps[i].attachment;

		if (done->kind == attachment->kind && done->direction == attachment->direction &&
		    done->ifindex == attachment->ifindex && done->handle == attachment->handle)
			return true;
	}
	return false;
}

static int replace_late(const struct change *change, struct error *error)
{
	struct error ignored = {};
	int ret = 0;

	for (size_t i = 0; i < change->step_count && !ret; i++) {
		const struct step *step = &change->steps[i];

		/* all else has changed: what fails once, for want of memory say, is tried again */
		if (step->old_program == STEP_LATER &&
		    attach_replace(change->running->folder, &step->attachment, step->new_program, &ignored))
			ret = attach_replace(change->running->folder, &step->attachment, step->new_program, error);
	}
	return ret;
}

/*
 * What is not wanted any more: points of before, and the same points by the other kind of attachment. The outward
 * shortcut goes first, so that a connection tracker on this host sees the request before it sees the reply. What cannot
 * be detached keeps its pin, and the same command again detaches it: the change itself is in force by now.
 */
int change_detach(struct change *change, struct error *error)
{
	const struct attachment *left = NULL;
	char name[IFNAMSIZ];
	int ret = 0;

	devices_keep(change->next->maps[MAP_DEVICES], change->plan->points, change->plan->point_count);
	/* a tracker that cannot be asked is no reason to keep the old mode */
	if (change->plan->state.mode == WGVIA_STACK && has_direction(change->running, WGVIA_OUT))
		conntrack_forget(&change->plan->state);
	for (int direction = 0; direction < WGVIA_DIRECTION_COUNT; direction++)
		for (size_t i = 0; i < change->running->attachment_count; i++) {
			const struct attachment *old = &change->running->attachments[i];
			int failed = 0;

			if ((int)old->direction == direction && !is_step(change, old))
				failed = attach_remove(change->next->folder, old);
			if (failed && !left) {
				left = old;
				ret = failed;
			}
		}
	attach_forget_qdiscs(change->next->folder);
	if (!left)
		return replace_late(change, error);
	attach_device_name(left->ifindex, name);
	error_system(error, -ret, "cannot detach from '%s', all else has changed", name);
	error_hint(error, "the same command again detaches it");
	return ret;
}

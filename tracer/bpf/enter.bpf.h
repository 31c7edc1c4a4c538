/* SPDX-License-Identifier: MIT */
/* The entry of a call: what is there before it. */
#ifndef IMPTRACE_ENTER_BPF_H
#define IMPTRACE_ENTER_BPF_H

#include "made.bpf.h"

/* What stands where the walk has led, as far as the kernel's memory tells. */
static __always_inline u32 look(struct scratch *s, struct note_state *state)
{
	u8 ended = s->walk.ended;

	if (ended == WALK_ABSENT) {
		__builtin_memset(state, 0, sizeof(*state));
		return 1;
	}
	if (ended != WALK_DONE)
		return 0;
	state_of((u64)READ(s->walk.dentry, d_inode), state);
	return 1;
}

/* What an exec names, and whose it is: a thread that does not lead will be another then. */
static __always_inline void enter_exec(struct scratch *s, const struct made *made,
				       struct process_mark *process, struct pending *pending)
{
	u32 flags = flags_of(made);
	int dirfd = descriptor(made, made->shape.dirfd);
	struct file *file;

	pending->image = process->image;
	pending->process_marks = process->marks;
	pending->executed_known = 0;
	if (take_path(s, made, false)) {
		if (!walk_begin(s, dirfd, follows(made, flags), false) || walk_all() != WALK_DONE)
			return;
		pending->executed = s->walk.dentry;
		pending->executed_mount = s->walk.mount;
		pending->executed_known = 1;
		return;
	}
	file = made->shape.dirfd >= 0 && flags & AT_EMPTY_PATH_ ? file_of(dirfd) : NULL;
	if (file) {
		pending->executed = READ(file, f_path.dentry);
		pending->executed_mount = mount_of(READ(file, f_path.mnt));
		pending->executed_known = 1;
	}
}

static __always_inline void enter_file(const struct made *made, int fd, struct pending *pending)
{
	struct file *file = file_of(fd);

	if (!file)
		return;
	state_of((u64)READ(file, f_inode), &pending->before);
	pending->marks |= MARK_BEFORE;
}

/* What there is of the names of a call. */
static __always_inline void enter_named(struct scratch *s, const struct made *made, u32 flags,
					struct pending *pending)
{
	const struct call_shape *shape = &made->shape;
	u8 kind = shape->kind - 1;
	bool follow = kind == CALL_OPEN || kind == CALL_OPENAT2 ? !(flags & O_NOFOLLOW_) :
								  follows(made, flags);

	if (take_path(s, made, false)) {
		if (walk_begin(s, descriptor(made, shape->dirfd), follow && !is_for_entry(shape->op),
			       false)) {
			walk_all();
			if (look(s, &pending->before))
				pending->marks |= MARK_BEFORE;
		}
	} else if (shape->dirfd >= 0 && shape->op) {
		enter_file(made, (int)made->args[0], pending);
	}
	if (kind == CALL_RENAME && take_path(s, made, true) &&
	    walk_begin(s, descriptor(made, shape->dirfd2), false, false)) {
		walk_all();
		if (look(s, &pending->before2))
			pending->marks |= MARK_BEFORE2;
	}
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct call_shape *shape;
	struct process_mark *process;
	struct pending *pending;
	struct made made;
	struct scratch *s;
	u32 flags;
	u8 kind;

	if (!find_call(task, number, &made))
		return 0;
	shape = &made.shape;
	if (!(shape->bits & WANTS_ENTRY))
		return 0;
	kind = shape->kind - 1;
	take_arguments(regs, &made);
	flags = flags_of(&made);
	if ((kind == CALL_OPEN || kind == CALL_OPENAT2) && !(flags & O_TRUNC_))
		return 0;
	process = kind == CALL_EXEC ?
			  bpf_task_storage_get(&processes, task->group_leader, NULL, 0) :
			  process_now(task);
	if (!process || !(process->marks & PROCESS_TRACED))
		return 0;
	pending = bpf_task_storage_get(&pendings, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!pending)
		return 0;
	pending->marks = 0;
	pending->entered = bpf_ktime_get_ns();
	if (kind == CALL_FD) {
		enter_file(&made, (int)made.args[0], pending);
		return 0;
	}
	s = scratch_take();
	if (!s)
		return 0;
	if (kind == CALL_EXEC) {
		enter_exec(s, &made, process, pending);
		scratch_give(s);
		return 0;
	}
	enter_named(s, &made, flags, pending);
	scratch_give(s);
	return 0;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Which processes are recorded, and what becomes of them. */
#ifndef IMPTRACE_PROCESSES_BPF_H
#define IMPTRACE_PROCESSES_BPF_H

#include "paths.bpf.h"

enum { PID_LEVELS = 4, GROUPS_MAX = 24 };

/* "systemd-" and "executor", as they lie in memory. */
#define SYSTEMD_ 0x2d646d6574737973ULL
#define EXECUTOR 0x726f747563657865ULL

static __always_inline u32 new_image(void)
{
	return __sync_fetch_and_add(&counters.images, 1) + 1;
}

/* The number that our pid namespace gives a process; 0 if it is not in it. */
static __always_inline int pid_of(struct task_struct *leader)
{
	struct pid *pid = READ(leader, thread_pid);
	u32 level = READ(pid, level);
	u64 first = (u64)pid + bpf_core_field_offset(struct pid, numbers);

	for (u32 i = 0; i < PID_LEVELS && i <= level; i++) {
		struct upid *number = (void *)(first + i * bpf_core_type_size(struct upid));

		if (READ(number, ns, ns.inum) == settings.pid_namespace)
			return READ(number, nr);
	}
	return 0;
}

/* Whether a process has more rights than its user: by a setgid program, or by capabilities. */
static __always_inline bool is_privileged(struct cred *cred)
{
	u64 capabilities = 0;

	if (READ(cred, egid.val) != READ(cred, gid.val))
		return true;
	/* In a user namespace of its own they are worth nothing outside of it. */
	if (READ(cred, user_ns, ns.inum) != settings.user_namespace)
		return false;
	bpf_probe_read_kernel(&capabilities, sizeof(capabilities), &cred->cap_permitted);
	return capabilities;
}

static __always_inline void note_who(struct scratch *s, struct task_struct *task)
{
	struct task_struct *leader = READ(task, group_leader);
	struct cred *cred = READ(task, cred);

	s->note.pid = pid_of(leader);
	/* By whose rights it acts: of a setuid program these are not its user's. */
	s->note.uid = READ(cred, euid.val);
	s->note.gid = READ(cred, gid.val);
	if (is_privileged(cred))
		s->note.marks |= MARK_PRIVILEGED;
	s->note.group = bpf_get_current_cgroup_id();
}

static __always_inline bool is_in_scope(void)
{
	if (settings.scope == SCOPE_MACHINE)
		return true;
	return settings.scope == SCOPE_GROUP &&
	       counters.group &&
	       bpf_get_current_ancestor_cgroup_id(counters.group_level) == counters.group;
}

/*
 * Whether a process is the manager's still, on its way to become a command of the unit. What it
 * does until its exec is not the unit's doing.
 */
static __always_inline bool is_starting(struct task_struct *task)
{
	struct file *file = READ(task, mm, exe_file);
	const unsigned char *from = READ(file, f_path.dentry, d_name.name);
	u64 name[2] = {};

	bpf_probe_read_kernel(name, sizeof(name), from);
	if (name[0] == SYSTEMD_ && name[1] == EXECUTOR)
		return true;
	/* Before systemd 255 it is a child of systemd's that has not executed anything. */
	return name[0] << 8 == SYSTEMD_ << 8 && !(name[0] >> 56) &&
	       READ(task, flags) & PF_FORKNOEXEC;
}

/* Tells of a process that ran before it was watched. */
static __always_inline void note_found(u32 image)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct scratch *s = scratch_take();

	if (!s)
		return;
	note_begin(s, NOTE_FOUND, image);
	note_who(s, task);
	send_note(s);
	scratch_give(s);
}

/* What is kept of the process that runs; NULL if it is not recorded. */
static __always_inline struct process_mark *process_now(struct task_struct *task)
{
	struct process_mark *mark =
		bpf_task_storage_get(&processes, task->group_leader, NULL, 0);

	if (!mark) {
		if (settings.scope == SCOPE_TREE || !is_in_scope())
			return NULL;
		if (READ(task, flags) & PF_KTHREAD)
			return NULL;
		if (settings.scope == SCOPE_GROUP && is_starting(task))
			return NULL;
		mark = bpf_task_storage_get(&processes, task->group_leader, NULL,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (!mark)
			return NULL;
		if (!mark->image) {
			mark->marks = PROCESS_TRACED;
			mark->image = new_image();
			note_found(mark->image);
		}
	}
	if (!(mark->marks & PROCESS_TRACED) || mark->marks & PROCESS_ASKED)
		return NULL;
	if (settings.user != (u32)-1 && !(mark->marks & PROCESS_FOLLOWED) &&
	    READ(task, cred, uid.val) != settings.user)
		return NULL;
	return mark;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct process_mark *from, *mark;
	struct scratch *s;

	if (child->tgid != child->pid)
		return 0; /* a thread */
	from = bpf_task_storage_get(&processes, parent->group_leader, NULL, 0);
	if (!from || from->marks & PROCESS_ASKED)
		return 0;
	if (!(from->marks & (PROCESS_TRACED | PROCESS_OURS)))
		return 0;
	mark = bpf_task_storage_get(&processes, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (mark && from->marks & PROCESS_OURS) {
		mark->marks = PROCESS_OURS;
		return 0;
	}
	s = mark ? scratch_take() : NULL;
	if (!s)
		return 0;
	mark->marks = PROCESS_TRACED | (from->marks & PROCESS_FOLLOWED);
	mark->image = new_image();
	note_begin(s, NOTE_FORK, mark->image);
	s->note.other = from->image;
	note_who(s, parent);
	s->note.pid = pid_of(child);
	send_note(s);
	scratch_give(s);
	return 0;
}

/* Command line and environment, as the new image finds them on its stack. */
static __always_inline void note_words(struct scratch *s, struct task_struct *task, u32 image)
{
	u64 arguments = READ(task, mm, arg_start);
	u64 arguments_end = READ(task, mm, arg_end);
	u64 environ = READ(task, mm, env_start);
	u64 environ_end = READ(task, mm, env_end);
	u32 length = (u32)(arguments_end - arguments), more = (u32)(environ_end - environ);

	note_begin(s, NOTE_WORDS, image);
	if (length > ARGUMENTS_MAX - 1)
		length = ARGUMENTS_MAX - 1;
	if (more > ENVIRON_MAX - 1)
		more = ENVIRON_MAX - 1;
	length = MASKED(length, ARGUMENTS_MAX - 1);
	more = MASKED(more, ENVIRON_MAX - 1);
	if (bpf_probe_read_user(s->out + sizeof(struct note), length, (void *)arguments))
		length = 0;
	length = MASKED(length, ARGUMENTS_MAX - 1);
	if (bpf_probe_read_user(s->out + sizeof(struct note) + length, more, (void *)environ))
		more = 0;
	more = MASKED(more, ENVIRON_MAX - 1);
	s->note.texts[0].length = (u16)length;
	s->note.texts[1].length = (u16)more;
	bpf_probe_read_kernel(s->out, sizeof(struct note), &s->note);
	if (bpf_ringbuf_output(&ring, s->out, sizeof(struct note) + length + more,
			       BPF_RB_NO_WAKEUP))
		count_loss(s->note.at);
}

static __always_inline struct kernfs_node *above(struct kernfs_node *node)
{
	struct kernfs_node___before_6_15 *old = (void *)node;

	return bpf_core_field_exists(node->__parent) ? READ(node, __parent) : READ(old, parent);
}

/* One name of a control group before what is written; 0 at the top, or where there is no room. */
__noinline u64 group_step(u64 address)
{
	struct kernfs_node *node = (void *)address, *parent = above(node);
	struct scratch *s = scratch();
	u32 pos, length;
	long got;

	if (!s || !parent)
		return 0;
	got = bpf_probe_read_kernel_str(s->other, COMPONENT_MAX + 1, READ(node, name));
	if (got < 2)
		return 0;
	length = MASKED(got - 1, COMPONENT_MAX);
	pos = s->pos;
	if (pos < sizeof(struct note) + PLACED_MAX + length + 1)
		return 0;
	pos = MASKED(pos - length, OUT_MASK);
	if (pos >= OUT_END)
		return 0;
	bpf_probe_read_kernel(s->out + pos, length, s->other);
	pos = MASKED(pos - 1, OUT_MASK);
	if (pos >= OUT_END)
		return 0;
	s->out[pos] = '/';
	s->pos = pos;
	return (u64)parent;
}

/* The control group's path, for a process that may be gone before anybody reads that of it. */
static __always_inline void put_group(struct scratch *s, struct task_struct *task)
{
	u64 node = (u64)READ(task, cgroups, dfl_cgrp, kn);
	u32 end = s->pos;

	for (int i = 0; i < GROUPS_MAX && node; i++)
		node = group_step(node);
	s->note.texts[1].length = (u16)(end - s->pos);
}

static __always_inline void put_file(struct scratch *s, struct file *file, u32 which)
{
	struct dentry *dentry = READ(file, f_path.dentry);

	put_place(s, dentry, mount_of(READ(file, f_path.mnt)), which);
}

/*
 * The path that was asked to be executed: of a script its own, where @file is its interpreter.
 * The entry of the call has looked for it; where it found nothing the reader follows the name.
 */
static __always_inline void put_executed(struct scratch *s, const char *name,
					 struct pending *pending)
{
	long length;

	if (pending && pending->executed_known) {
		put_place(s, pending->executed, pending->executed_mount, 0);
		return;
	}
	length = bpf_probe_read_kernel_str(s->name + NAME_START, TEXT_MAX, name);
	if (length <= 1 || !walk_begin(s, -100, true, false))
		return;
	s->walk.end = NAME_START + (u32)length - 1;
	s->walk.ended = WALK_LINK;
	put_walked(0);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct process_mark *mark =
		bpf_task_storage_get(&processes, task->group_leader, NULL, 0);
	struct pending *pending = bpf_task_storage_get(&pendings, task, NULL, 0);
	struct fs_struct *fs = READ(task, fs);
	struct scratch *s;
	u32 before;

	if (!mark && pending && pending->image) {
		/* A thread that did not lead has taken the leader's place. */
		mark = bpf_task_storage_get(&processes, task->group_leader, NULL,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (mark) {
			mark->image = pending->image;
			mark->marks = pending->process_marks;
		}
	}
	if (!mark && settings.scope == SCOPE_GROUP && is_in_scope() && !is_starting(task)) {
		/* What the manager has started: a command of the unit. */
		mark = bpf_task_storage_get(&processes, task->group_leader, NULL,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (mark)
			mark->marks = PROCESS_TRACED;
	}
	if (!mark || !(mark->marks & PROCESS_TRACED))
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	before = mark->image;
	mark->image = new_image();
	note_begin(s, NOTE_EXEC, mark->image);
	s->note.other = before;
	if (mark->marks & PROCESS_ASKED)
		s->note.marks |= MARK_ROOT;
	mark->marks &= ~PROCESS_ASKED;
	note_who(s, task);
	put_file(s, READ(bprm, file), 1);
	put_executed(s, READ(bprm, filename), pending);
	send_note(s);
	note_begin(s, NOTE_WORDS, mark->image);
	put_group(s, task);
	if (fs)
		put_place(s, READ(fs, pwd.dentry), mount_of(READ(fs, pwd.mnt)), 0);
	s->note.kind = 1; /* the working directory, and the control group */
	send_note(s);
	note_words(s, task, mark->image);
	if (pending)
		pending->image = pending->executed_known = 0;
	scratch_give(s);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit_process, struct task_struct *task)
{
	struct process_mark *mark =
		bpf_task_storage_get(&processes, task->group_leader, NULL, 0);
	struct signal_struct *signal;
	struct scratch *s;

	if (!mark || !(mark->marks & PROCESS_TRACED))
		return 0;
	signal = READ(task, signal);
	if (READ(signal, live.counter))
		return 0; /* other threads are left */
	s = scratch_take();
	if (!s)
		return 0;
	note_begin(s, NOTE_EXIT, mark->image);
	s->note.result = READ(signal, flags) & SIGNAL_GROUP_EXIT ?
				 READ(signal, group_exit_code) :
				 READ(task, group_leader, exit_code);
	send_note(s);
	scratch_give(s);
	return 0;
}

#endif

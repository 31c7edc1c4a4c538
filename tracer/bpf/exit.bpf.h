/* SPDX-License-Identifier: MIT */
/* The exit of a call: what came of it. */
#ifndef IMPTRACE_EXIT_BPF_H
#define IMPTRACE_EXIT_BPF_H

#include "repeats.bpf.h"

static __always_inline bool is_wanted_device(const struct scratch *s, u32 device)
{
	u32 *known;

	if (!settings.only_devices || s->followed)
		return true;
	known = bpf_map_lookup_elem(&devices, &device);
	return known && *known & 2;
}

/* Keeps what the entry found for the note. */
static __always_inline void keep_pending(struct scratch *s, struct pending *pending)
{
	if (pending->marks & MARK_BEFORE)
		s->before = pending->before;
	if (pending->marks & MARK_BEFORE2)
		s->before2 = pending->before2;
	s->pending_marks = pending->marks & (MARK_BEFORE | MARK_BEFORE2);
	if (s->note.kind == CALL_RENAME)
		s->note.entered = pending->entered;
	pending->marks = 0;
}

static __always_inline void take_pending(struct scratch *s)
{
	if (s->pending_marks & MARK_BEFORE)
		s->note.before = s->before;
	if (s->pending_marks & MARK_BEFORE2)
		s->note.before2 = s->before2;
	s->note.marks |= s->pending_marks;
}

/* Marks of a file, by which its repeats are told apart as well. */
static __always_inline u32 marks_of(struct dentry *dentry, struct inode *inode)
{
	u16 mode = READ(inode, i_mode);
	u32 marks = MARK_THERE;

	if (is_type(mode, S_IFDIR))
		return marks | MARK_DIRECTORY;
	if (!is_type(mode, S_IFREG))
		return marks;
	if (!READ(inode, i_size))
		marks |= MARK_EMPTY;
	if (!READ(inode, i_nlink) || !READ(dentry, d_hash.pprev))
		marks |= MARK_NAMELESS;
	return marks;
}

/* Marks what an entry names, and notes its state. */
static __always_inline void mark_file(struct scratch *s, struct dentry *dentry)
{
	struct inode *inode = READ(dentry, d_inode);

	if (!inode)
		return;
	s->note.marks |= marks_of(dentry, inode);
	state_of((u64)inode, &s->note.before);
}

/*
 * A file that was opened, or that something was done to: tells of it, unless it is a repeat, which
 * the key knows it by. @is_new: it was made just now, which is none.
 */
static __always_inline void tell_file(struct scratch *s, struct file *file, u32 how, bool is_new)
{
	struct dentry *dentry = READ(file, f_path.dentry);
	struct mount *mount = mount_of(READ(file, f_path.mnt));
	struct inode *inode = READ(dentry, d_inode);
	struct repeat_key key = {};

	if (!inode || !is_wanted_device(s, device_of(dentry)))
		return;
	s->note.marks |= marks_of(dentry, inode);
	if (s->note.marks & MARK_NAMELESS)
		return;
	if (!is_new) {
		key_of_file(s, &key, dentry, mount);
		key.how = how | (s->note.marks & MARK_EMPTY ? HOW_EMPTY : 0);
		if (is_repeat(s, &key))
			return;
	}
	call_is_new(s);
	state_of((u64)inode, &s->note.before);
	take_pending(s);
	put_place(s, dentry, mount, 0);
	if (is_new)
		send_note(s);
	else
		send_once(s, &key);
}

/* An open that worked: the file itself says where it is. */
__noinline int exit_opened(void)
{
	struct scratch *s = scratch();
	struct file *file;
	u32 flags;
	bool is_new;

	if (!s)
		return 0;
	file = file_of(s->note.result);
	if (!file)
		return 0;
	flags = s->note.flags;
	is_new = READ(file, f_mode) & FMODE_CREATED;
	if (is_new)
		s->note.marks |= MARK_CREATED;
	else if (!(flags & O_TRUNC_))
		s->note.marks |= MARK_BEFORE;
	tell_file(s, file,
		  HOW_OPEN | (flags & (O_ACCMODE_ | O_TRUNC_)) | (flags & O_PATH_ ? 4 : 0), is_new);
	return 0;
}

/* What was done to an open file. */
__noinline int exit_file(int fd)
{
	struct scratch *s = scratch();
	struct file *file = file_of(fd);

	if (s && file)
		tell_file(s, file, HOW_FILE | s->note.op, false);
	return 0;
}

/* One path, which is in .name. */
__noinline int exit_named(int dirfd, u32 follow, u32 parent_only)
{
	struct scratch *s = scratch();
	struct repeat_key key = {};
	bool once;

	if (!s || !walk_begin(s, dirfd, follow, parent_only))
		return 0;
	once = s->note.result < 0 || s->note.kind == CALL_OPEN || s->note.op == OP_STAT ||
	       s->note.op >= OP_CHMOD || s->note.op == OP_TRUNCATE;
	if (once) {
		key_of_file(s, &key, s->walk.dentry, s->walk.mount);
		key.name = name_hash();
		key.epoch += counters.names_epoch;
		key.how = HOW_NAME | (u32)s->note.op << 8 | (follow ? 1 : 0) |
			  (s->note.flags & (O_ACCMODE_ | O_TRUNC_ | O_CREAT_ | O_EXCL_)) << 20 |
			  (u32)s->note.kind << 1;
		if (is_repeat(s, &key))
			return 0;
	}
	call_is_new(s);
	if (walk_all() == WALK_DONE) {
		if (s->note.op != OP_MKDIR)
			mark_file(s, s->walk.dentry);
		s->note.marks |= MARK_THERE;
	}
	if (!is_wanted_device(s, device_of(s->walk.dentry)))
		return 0;
	take_pending(s);
	put_walked(0);
	if (once)
		send_once(s, &key);
	else
		send_note(s);
	return 0;
}

static __always_inline void exit_open(struct scratch *s, const struct made *made)
{
	const struct call_shape *shape = &made->shape;
	u32 flags = s->note.flags;
	bool fresh;

	if ((flags & O_TMPFILE_) == O_TMPFILE_)
		return;
	if (settings.writes_only && !(flags & (O_ACCMODE_ | O_CREAT_ | O_TRUNC_)))
		return;
	if (!settings.stats && flags & O_PATH_)
		return;
	if (s->note.result >= 0 && !made->slot) {
		exit_opened();
		return;
	}
	if (!take_path(s, made, false))
		return;
	if (made->slot && s->pending_marks & MARK_BEFORE && !s->before.mode)
		s->note.marks |= MARK_CREATED;
	fresh = flags & O_CREAT_ && (flags & O_EXCL_ || ends_with_slash(s));
	exit_named(descriptor(made, shape->dirfd), !fresh && !(flags & O_NOFOLLOW_), fresh);
}

static __always_inline void exit_path(struct scratch *s, const struct made *made)
{
	const struct call_shape *shape = &made->shape;
	int dirfd = descriptor(made, shape->dirfd);

	if (!take_path(s, made, false)) {
		/* futimens, or AT_EMPTY_PATH: the descriptor itself */
		if (shape->dirfd >= 0 &&
		    (s->note.flags & AT_EMPTY_PATH_ ||
		     (!argument(made, shape->path) && s->note.op == OP_UTIME)))
			exit_file(dirfd);
		return;
	}
	exit_named(dirfd, follows(made, s->note.flags), is_for_entry(s->note.op));
}

/* Two paths; the second is written first. */
__noinline int exit_two(const struct made *made)
{
	struct scratch *s = scratch();
	const struct call_shape *shape;
	bool link;
	struct dentry *dentry;
	struct file *file;
	u32 device;

	if (!s || !made)
		return 0;
	shape = &made->shape;
	link = s->note.kind == CALL_LINK;
	call_is_new(s);
	if (!take_path(s, made, true) ||
	    !walk_begin(s, descriptor(made, shape->dirfd2), false, true))
		return 0;
	walk_all();
	device = device_of(s->walk.dentry);
	if (!is_wanted_device(s, device))
		return 0;
	put_walked(1);
	if (!take_path(s, made, false)) {
		file = link && s->note.flags & AT_EMPTY_PATH_ ?
			       file_of(descriptor(made, shape->dirfd)) : NULL;
		if (!file)
			return 0;
		dentry = READ(file, f_path.dentry);
		mark_file(s, dentry);
		put_file(s, file, 0);
	} else {
		if (!walk_begin(s, descriptor(made, shape->dirfd),
				link && s->note.flags & AT_SYMLINK_FOLLOW_, !link))
			return 0;
		if (walk_all() == WALK_DONE && link)
			mark_file(s, s->walk.dentry);
		put_walked(0);
	}
	if (s->note.marks & MARK_NAMELESS)
		s->note.texts[0].marks |= TEXT_GONE;
	take_pending(s);
	send_note(s);
	return 0;
}

__noinline int exit_symlink(const struct made *made)
{
	struct scratch *s = scratch();
	const struct call_shape *shape;
	u32 length;

	if (!s || !made)
		return 0;
	shape = &made->shape;
	length = take_path(s, made, true);
	call_is_new(s);
	put_text(s, s->name + NAME_START, length, 1);
	if (!take_path(s, made, false))
		return 0;
	if (!walk_begin(s, descriptor(made, shape->dirfd), false, true))
		return 0;
	if (walk_all() == WALK_DONE)
		s->note.marks |= MARK_THERE;
	if (!is_wanted_device(s, device_of(s->walk.dentry)))
		return 0;
	take_pending(s);
	put_walked(0);
	send_note(s);
	return 0;
}

static __always_inline void exit_socket(struct scratch *s, const struct made *made)
{
	u64 address = made->args[1], size = made->args[2];
	u32 args[3];

	if (s->note.kind == CALL_SOCKETCALL) {
		if (made->args[0] != SOCKETCALL_BIND_ && made->args[0] != SOCKETCALL_CONNECT_)
			return;
		if (bpf_probe_read_user(args, sizeof(args), (void *)address))
			return;
		s->note.op = made->args[0] == SOCKETCALL_BIND_ ? OP_BIND : OP_CONNECT;
		address = args[1];
		size = args[2];
	}
	if (take_address(s, address, size))
		exit_named(AT_FDCWD_, s->note.op == OP_CONNECT, s->note.op == OP_BIND);
}

/* Errors by which a call says that it has not really been made, or that it named nothing. */
static __always_inline bool is_no_answer(s32 result)
{
	return result == -EFAULT_ || result == -ENAMETOOLONG_ || result == -EBADF_ ||
	       (result <= -ERESTARTSYS_ && result >= -516);
}

/* Where a mount of its own lies for the process; false if it cannot be seen from its root. */
static __always_inline bool put_inside(struct scratch *s, struct mount *mount,
				       struct dentry *root, struct mount *root_mount)
{
	struct climb *climb = &s->climb;
	u32 end = s->pos;
	int more;

	climb->dentry = READ(mount, mnt.mnt_root);
	climb->mount = mount;
	climb->by_device = 0;
	climb->root = root;
	climb->root_mount = root_mount;
	climb->limit = climb_limit(s);
	more = climb_all();
	s->note.texts[1].length = (u16)(end - s->pos);
	return !more && climb->dentry == root && climb->mount == root_mount;
}

/* Tells what a process calls the mount that a path was on, or its root directory, once. */
__noinline int tell_name(u32 is_root)
{
	struct scratch *s = scratch();
	struct task_struct *task = bpf_get_current_task_btf();
	struct fs_struct *fs = READ(task, fs);
	struct dentry *root = READ(fs, root.dentry), *dentry;
	struct mount *root_mount = mount_of(READ(fs, root.mnt)), *mount;
	struct repeat_key key = { .how = HOW_MOUNT | is_root };

	if (!s)
		return 0;
	mount = is_root ? root_mount : s->placed;
	dentry = is_root ? root : READ(mount, mnt.mnt_root);
	key.what = (u64)dentry;
	key.where = (u64)root;
	key.mount = (u64)mount;
	key.epoch = counters.epoch;
	if (is_repeat(s, &key))
		return 0;
	note_begin(s, NOTE_MOUNT, s->note.image);
	if (is_root || put_inside(s, mount, root, root_mount)) {
		put_place(s, dentry, mount, 0);
		send_once(s, &key);
	}
	return 0;
}

__noinline int tell_names(void)
{
	struct scratch *s = scratch();
	struct task_struct *task = bpf_get_current_task_btf();
	struct fs_struct *fs = READ(task, fs);
	struct mount *mount, *root_mount = mount_of(READ(fs, root.mnt));
	struct dentry *root = READ(fs, root.dentry);

	if (!s)
		return 0;
	mount = s->placed;
	if (!is_our_root(root, root_mount))
		tell_name(1);
	if (!is_our_namespace(mount)) {
		s->placed = mount;
		tell_name(0);
	}
	return 0;
}

static __always_inline void exit_call(struct scratch *s, const struct made *made)
{
	switch (s->note.kind) {
	case CALL_OPEN:
	case CALL_OPENAT2:
		s->note.kind = CALL_OPEN;
		exit_open(s, made);
		break;
	case CALL_PATH:
	case CALL_LPATH:
	case CALL_ATPATH:
	case CALL_EXEC:
		exit_path(s, made);
		break;
	case CALL_FD:
		exit_file((int)made->args[0]);
		break;
	case CALL_RENAME:
	case CALL_LINK:
		exit_two(made);
		break;
	case CALL_SYMLINK:
		exit_symlink(made);
		break;
	case CALL_SOCKET:
	case CALL_SOCKETCALL:
		exit_socket(s, made);
		break;
	}
}

/* Says, once, that a process has io_uring do what is not seen. */
static __always_inline void tell_ring(u32 image)
{
	struct repeat_key key = { .image = image, .how = HOW_RING };
	struct scratch *s = scratch_take();

	if (!s)
		return;
	note_begin(s, NOTE_RING, image);
	if (!is_repeat(s, &key))
		send_once(s, &key);
	scratch_give(s);
}

static __always_inline bool is_changing_names(const struct made *made)
{
	u8 kind = made->shape.kind - 1;

	return kind == CALL_RENAME || kind == CALL_SYMLINK || kind == CALL_WORLD;
}

/* Tells of a call of a process that is recorded, which is over. */
static __always_inline void call_done(struct process_mark *process, const struct made *made,
				      struct pending *pending, long result)
{
	struct scratch *s;

	if (is_no_answer((s32)result))
		return;
	if (made->names && result >= 0 && is_changing_names(made))
		names_change(made, pending);
	s = scratch_take();
	if (!s)
		return;
	call_begin(s, process->image, made->shape.kind - 1, made->shape.op, (s32)result);
	s->followed = process->marks & PROCESS_FOLLOWED;
	s->note.flags = flags_of(made);
	if (made->compat)
		s->note.marks |= MARK_COMPAT;
	if (pending)
		keep_pending(s, pending);
	exit_call(s, made);
	if (s->placed)
		tell_names();
	scratch_give(s);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process_mark *process;
	struct pending *pending;
	struct made made;
	bool changes;
	u8 kind;

	if (!find_call(task, number_of(regs), &made))
		return 0;
	kind = made.shape.kind - 1;
	if (kind == CALL_EXEC && result >= 0)
		return 0; /* on_exec has told of it */
	process = process_now(task);
	pending = process && made.shape.bits & WANTS_ENTRY ?
			  bpf_task_storage_get(&pendings, task, NULL, 0) : NULL;
	changes = result >= 0 && is_changing_names(&made);
	if (!process && !changes)
		return 0;
	take_arguments(regs, &made);
	if (changes)
		names_change(&made, pending);
	if (!process)
		return 0;
	if (kind == CALL_URING && result > 0 && made.args[1])
		tell_ring(process->image);
	if (kind <= CALL_SOCKETCALL)
		call_done(process, &made, pending, result);
	return 0;
}

#endif

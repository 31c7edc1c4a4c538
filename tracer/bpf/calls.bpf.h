/* SPDX-License-Identifier: MIT */
/* Calls: at their entry what is there before, at their exit what came of them. */
#ifndef IMPTRACE_CALLS_BPF_H
#define IMPTRACE_CALLS_BPF_H

#include "../native/call_kinds.h"
#include "processes.bpf.h"

enum { HOW_OPEN = 1 << 16, HOW_NAME = 2 << 16, HOW_FILE = 3 << 16, HOW_RING = 4 << 16 };
enum { AT_FDCWD_ = -100, AT_SYMLINK_NOFOLLOW_ = 0x100, AT_SYMLINK_FOLLOW_ = 0x400 };
enum { AT_EMPTY_PATH_ = 0x1000, RENAME_EXCHANGE_ = 2 };
/* The same on x86-64 and aarch64, but for O_DIRECTORY and O_NOFOLLOW. */
enum { O_ACCMODE_ = 3, O_CREAT_ = 0100, O_EXCL_ = 0200, O_TRUNC_ = 01000, O_PATH_ = 010000000 };
enum { O_TMPFILE_ = 020000000, CREAT_FLAGS = O_CREAT_ | O_TRUNC_ | 1 };
#if defined(__TARGET_ARCH_x86)
enum { O_NOFOLLOW_ = 0400000 };
#else
enum { O_NOFOLLOW_ = 0100000 };
#endif
enum { EINTR_ = 4, EBADF_ = 9, EFAULT_ = 14, ENAMETOOLONG_ = 36, ERESTARTSYS_ = 512 };
enum { SOCKETCALL_BIND_ = 2, SOCKETCALL_CONNECT_ = 3, AF_UNIX_ = 1, UNIX_PATH_MAX_ = 108 };

/* A call as it was made. */
struct made {
	const volatile struct call_shape *shape;
	u64 args[6];
	u32 compat;
};

static __always_inline u32 is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return !!(task->thread_info.status & TS_COMPAT);
#else
	return !!(task->thread_info.flags & (1UL << TIF_32BIT));
#endif
}

static __always_inline long number_of(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (long)regs->orig_ax;
#else
	return regs->syscallno;
#endif
}

static __always_inline void take_arguments(struct pt_regs *regs, struct made *made)
{
#if defined(__TARGET_ARCH_x86)
	if (made->compat) {
		made->args[0] = (u32)regs->bx;
		made->args[1] = (u32)regs->cx;
		made->args[2] = (u32)regs->dx;
		made->args[3] = (u32)regs->si;
		made->args[4] = (u32)regs->di;
		made->args[5] = (u32)regs->bp;
	} else {
		made->args[0] = regs->di;
		made->args[1] = regs->si;
		made->args[2] = regs->dx;
		made->args[3] = regs->r10;
		made->args[4] = regs->r8;
		made->args[5] = regs->r9;
	}
#else
	made->args[0] = regs->orig_x0;
	made->args[1] = regs->regs[1];
	made->args[2] = regs->regs[2];
	made->args[3] = regs->regs[3];
	made->args[4] = regs->regs[4];
	made->args[5] = regs->regs[5];
#endif
}

/* Not by an index, which the verifier would have to follow through the stack. */
static __always_inline u64 argument(const struct made *made, signed char position)
{
	switch (position) {
	case 0:
		return made->args[0];
	case 1:
		return made->args[1];
	case 2:
		return made->args[2];
	case 3:
		return made->args[3];
	case 4:
		return made->args[4];
	default:
		return 0;
	}
}

static __always_inline int descriptor(const struct made *made, signed char position)
{
	return position < 0 ? AT_FDCWD_ : (int)argument(made, position);
}

/* Reads a path of the program into .name; its length, 0 for an empty one or none. */
static __always_inline u32 take_name(struct scratch *s, u64 address)
{
	long length = bpf_probe_read_user_str(s->name + NAME_START, TEXT_MAX, (void *)address);

	if (length <= 1 || length >= TEXT_MAX)
		return 0;
	s->walk.end = NAME_START + (u32)length - 1;
	return (u32)length - 1;
}

static __always_inline bool ends_with_slash(struct scratch *s)
{
	return s->name[MASKED(s->walk.end - 1, NAME_MASK)] == '/';
}

static __always_inline u64 hash_add(u64 hash, u64 word)
{
	hash = rotated(hash ^ word, 29) * GOLDEN_RATIO_64;
	return hash ^ hash >> 32;
}

/* A hash of what is in .name, for telling repeats. */
__noinline u64 name_hash(void)
{
	struct scratch *s = scratch();
	u64 hash = GOLDEN_RATIO_64, tail;
	u32 length, words;

	if (!s)
		return 0;
	length = s->walk.end - NAME_START;
	words = length / 8;
	for (u32 i = 0; i < TEXT_MAX / 8; i++) {
		if (i >= words)
			break;
		hash = hash_add(hash, *(u64 *)(s->name + NAME_START + i * 8));
	}
	tail = *(u64 *)(s->name + NAME_START + MASKED(words * 8, TEXT_MAX - 1));
	return hash_add(hash, tail & ((1ULL << (length % 8 * 8)) - 1)) ^ length;
}

/* Whether this was told before. If not it is remembered, and .serial of the note set. */
static __always_inline bool is_repeat(struct scratch *s, struct repeat_key *key)
{
	struct repeat *seen = bpf_map_lookup_elem(&repeats, key), first = {};

	if (seen) {
		__sync_fetch_and_add(&seen->count, 1);
		seen->last = bpf_ktime_get_ns();
		__sync_fetch_and_add(&counters.repeats, 1);
		return true;
	}
	first.serial = s->note.serial = __sync_fetch_and_add(&counters.serials, 1) + 1;
	bpf_map_update_elem(&repeats, key, &first, BPF_ANY);
	return false;
}

static __always_inline void send_once(struct scratch *s, struct repeat_key *key)
{
	if (!send_note(s))
		bpf_map_delete_elem(&repeats, key);
}

static __always_inline bool is_wanted_device(u32 device)
{
	u32 *known;

	if (!settings.only_devices)
		return true;
	known = bpf_map_lookup_elem(&devices, &device);
	return known && *known & 2;
}

/* Marks of a file, and its state. */
__noinline int file_mark(u64 entry)
{
	struct scratch *s = scratch();
	struct dentry *dentry = (struct dentry *)entry;
	struct inode *inode = READ(dentry, d_inode);

	if (!s || !inode)
		return 0;
	state_of((u64)inode, &s->note.before);
	s->note.marks |= MARK_THERE;
	if (is_type((u16)s->note.before.mode, S_IFDIR))
		s->note.marks |= MARK_DIRECTORY;
	if (is_type((u16)s->note.before.mode, S_IFREG)) {
		if (!s->note.before.size)
			s->note.marks |= MARK_EMPTY;
		if (!READ(inode, i_nlink) || !READ(dentry, d_hash.pprev))
			s->note.marks |= MARK_NAMELESS;
	}
	return 0;
}

static __always_inline void mark_file(struct scratch *s, struct dentry *dentry)
{
	(void)s;
	file_mark((u64)dentry);
}

static __always_inline void key_of_file(struct scratch *s, struct repeat_key *key,
					struct dentry *dentry, struct mount *mount)
{
	struct inode *inode = READ(dentry, d_inode);

	key->what = (u64)dentry;
	key->where = (u64)READ(dentry, d_parent);
	key->mount = (u64)mount;
	key->name = READ(dentry, d_name.hash_len);
	key->number = (u32)READ(inode, i_ino);
	key->generation = READ(inode, i_generation);
	key->image = s->note.image;
	key->epoch = counters.epoch;
	key->result = s->note.result < 0 ? s->note.result : 0;
}

/* Keeps what the entry found for the note. */
static __always_inline void keep_pending(struct scratch *s, struct pending *pending)
{
	if (pending->marks & MARK_BEFORE)
		s->before = pending->before;
	if (pending->marks & MARK_BEFORE2)
		s->before2 = pending->before2;
	s->pending_marks = pending->marks & (MARK_BEFORE | MARK_BEFORE2);
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

/* An open that worked: the file itself says where it is. */
static __always_inline void exit_opened(struct scratch *s)
{
	struct file *file = file_of(s->note.result);
	struct repeat_key key = {};
	struct dentry *dentry;
	struct mount *mount;
	u32 flags = s->note.flags;

	if (!file)
		return;
	dentry = READ(file, f_path.dentry);
	mount = mount_of(READ(file, f_path.mnt));
	if (!is_wanted_device(device_of(dentry)))
		return;
	mark_file(s, dentry);
	if (s->note.marks & MARK_NAMELESS)
		return;
	if (READ(file, f_mode) & FMODE_CREATED) {
		s->note.marks |= MARK_CREATED;
	} else {
		key_of_file(s, &key, dentry, mount);
		key.how = HOW_OPEN | (flags & (O_ACCMODE_ | O_TRUNC_)) | (flags & O_PATH_ ? 4 : 0) |
			  (s->note.marks & MARK_EMPTY ? 8 : 0);
		if (is_repeat(s, &key))
			return;
		if (!(flags & O_TRUNC_))
			s->note.marks |= MARK_BEFORE;
	}
	take_pending(s);
	put_place(s, dentry, mount, 0);
	if (key.how)
		send_once(s, &key);
	else
		send_note(s);
}

/* What was done to an open file. */
static __always_inline void exit_file(struct scratch *s, struct file *file)
{
	struct repeat_key key = {};
	struct dentry *dentry;
	struct mount *mount;

	if (!file)
		return;
	dentry = READ(file, f_path.dentry);
	mount = mount_of(READ(file, f_path.mnt));
	if (!is_wanted_device(device_of(dentry)))
		return;
	mark_file(s, dentry);
	if (s->note.marks & MARK_NAMELESS)
		return;
	key_of_file(s, &key, dentry, mount);
	key.how = HOW_FILE | s->note.op;
	if (is_repeat(s, &key))
		return;
	take_pending(s);
	put_place(s, dentry, mount, 0);
	send_once(s, &key);
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
		key.how = HOW_NAME | (u32)s->note.op << 8 | (follow ? 1 : 0) |
			  (s->note.flags & (O_ACCMODE_ | O_TRUNC_ | O_CREAT_ | O_EXCL_)) << 20 |
			  (u32)s->note.kind << 1;
		if (is_repeat(s, &key))
			return 0;
	}
	if (walk_all() == WALK_DONE) {
		if (s->note.op != OP_MKDIR)
			mark_file(s, s->walk.dentry);
		s->note.marks |= MARK_THERE;
	}
	if (!is_wanted_device(device_of(s->walk.dentry)))
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
	const volatile struct call_shape *shape = made->shape;
	u32 flags = s->note.flags;
	bool fresh;

	if ((flags & O_TMPFILE_) == O_TMPFILE_)
		return;
	if (settings.writes_only && !(flags & (O_ACCMODE_ | O_CREAT_ | O_TRUNC_)))
		return;
	if (!settings.stats && flags & O_PATH_)
		return;
	if (s->note.result >= 0) {
		exit_opened(s);
		return;
	}
	if (!take_name(s, argument(made, shape->path)))
		return;
	fresh = flags & O_CREAT_ && (flags & O_EXCL_ || ends_with_slash(s));
	exit_named(descriptor(made, shape->dirfd), !fresh && !(flags & O_NOFOLLOW_), fresh);
}

static __always_inline bool follows(const struct made *made, u32 flags)
{
	u8 kind = made->shape->kind - 1;

	return kind == CALL_PATH ||
	       ((kind == CALL_ATPATH || kind == CALL_EXEC) && !(flags & AT_SYMLINK_NOFOLLOW_));
}

static __always_inline bool is_for_entry(u8 op)
{
	return op == OP_MKDIR || op == OP_CREATE || op == OP_DELETE;
}

static __always_inline void exit_path(struct scratch *s, const struct made *made)
{
	const volatile struct call_shape *shape = made->shape;
	u64 address = argument(made, shape->path);
	int dirfd = descriptor(made, shape->dirfd);

	if (!address || !take_name(s, address)) {
		/* futimens, or AT_EMPTY_PATH: the descriptor itself */
		if (shape->dirfd >= 0 &&
		    (s->note.flags & AT_EMPTY_PATH_ || (!address && s->note.op == OP_UTIME)))
			exit_file(s, file_of(dirfd));
		return;
	}
	exit_named(dirfd, follows(made, s->note.flags), is_for_entry(s->note.op));
}

/* Two paths; the second is written first. */
static __always_inline void exit_two(struct scratch *s, const struct made *made)
{
	const volatile struct call_shape *shape = made->shape;
	bool link = s->note.kind == CALL_LINK;
	struct dentry *dentry;
	struct file *file;
	u32 device;

	if (!take_name(s, argument(made, shape->path2)) ||
	    !walk_begin(s, descriptor(made, shape->dirfd2), false, true))
		return;
	walk_all();
	device = device_of(s->walk.dentry);
	if (!is_wanted_device(device))
		return;
	put_walked(1);
	if (!take_name(s, argument(made, shape->path))) {
		file = link && s->note.flags & AT_EMPTY_PATH_ ?
			       file_of(descriptor(made, shape->dirfd)) : NULL;
		if (!file)
			return;
		dentry = READ(file, f_path.dentry);
		mark_file(s, dentry);
		put_file(s, file, 0);
	} else {
		if (!walk_begin(s, descriptor(made, shape->dirfd),
				link && s->note.flags & AT_SYMLINK_FOLLOW_, !link))
			return;
		if (walk_all() == WALK_DONE && link)
			mark_file(s, s->walk.dentry);
		put_walked(0);
	}
	if (s->note.marks & MARK_NAMELESS)
		s->note.texts[0].marks |= TEXT_GONE;
	take_pending(s);
	send_note(s);
}

static __always_inline void exit_symlink(struct scratch *s, const struct made *made)
{
	const volatile struct call_shape *shape = made->shape;
	u32 length = take_name(s, argument(made, shape->path2));

	put_text(s, s->name + NAME_START, length, 1);
	if (!take_name(s, argument(made, shape->path)))
		return;
	if (!walk_begin(s, descriptor(made, shape->dirfd), false, true))
		return;
	if (walk_all() == WALK_DONE)
		s->note.marks |= MARK_THERE;
	if (!is_wanted_device(device_of(s->walk.dentry)))
		return;
	take_pending(s);
	put_walked(0);
	send_note(s);
}

/* Reads the path of a socket's address into .name; false if it has none. */
static __always_inline bool take_address(struct scratch *s, u64 address, u64 size)
{
	u32 length = (u32)size - 2;
	u16 family = 0;

	if (size <= 2 || size > UNIX_PATH_MAX_ + 2)
		return false;
	length = MASKED(length, 127);
	if (bpf_probe_read_user(&family, sizeof(family), (void *)address) || family != AF_UNIX_ ||
	    bpf_probe_read_user(s->name + NAME_START, length, (void *)(address + 2)))
		return false;
	s->name[NAME_START + length] = 0;
	for (u32 i = 0; i < UNIX_PATH_MAX_ + 1; i++) {
		s->walk.end = NAME_START + i;
		if (!s->name[NAME_START + i])
			break;
	}
	return s->name[NAME_START];
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

static __always_inline u32 flags_of(const struct made *made)
{
	const volatile struct call_shape *shape = made->shape;
	u64 how = 0;

	if (shape->kind - 1 == CALL_OPENAT2) {
		bpf_probe_read_user(&how, sizeof(how), (void *)argument(made, shape->flags));
		return (u32)how;
	}
	if (shape->kind - 1 == CALL_OPEN && shape->flags < 0)
		return CREAT_FLAGS;
	return shape->flags < 0 ? 0 : (u32)argument(made, shape->flags);
}

/* Names lead elsewhere now: what was told by a name may have to be told again. */
static __always_inline void names_change(u8 kind, long result)
{
	if (result >= 0 && (kind == CALL_RENAME || kind == CALL_SYMLINK || kind == CALL_WORLD))
		__sync_fetch_and_add(&counters.epoch, 1);
}

static __always_inline bool find_call(struct pt_regs *regs, long number, struct made *made)
{
	struct task_struct *task = bpf_get_current_task_btf();

	made->compat = is_compat(task);
	if (number < 0 || number >= CALL_NUMBERS)
		return false;
	made->shape = &settings.calls[made->compat & 1][number & (CALL_NUMBERS - 1)];
	return made->shape->kind;
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
		exit_file(s, file_of((int)made->args[0]));
		break;
	case CALL_RENAME:
	case CALL_LINK:
		exit_two(s, made);
		break;
	case CALL_SYMLINK:
		exit_symlink(s, made);
		break;
	case CALL_SOCKET:
	case CALL_SOCKETCALL:
		exit_socket(s, made);
		break;
	}
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct process_mark *process;
	struct pending *pending;
	struct made made;
	struct scratch *s;
	u8 kind;

	if (!find_call(regs, number_of(regs), &made))
		return 0;
	kind = made.shape->kind - 1;
	if (kind == CALL_EXEC && result >= 0)
		return 0; /* on_exec has told of it */
	names_change(kind, result);
	process = process_now();
	if (!process)
		return 0;
	if (kind > CALL_SOCKETCALL && kind != CALL_URING)
		return 0;
	if (is_no_answer((s32)result))
		return 0;
	take_arguments(regs, &made);
	s = scratch_take();
	if (!s)
		return 0;
	note_begin(s, NOTE_CALL, process->image);
	s->note.kind = kind;
	s->note.op = made.shape->op;
	s->note.result = (s32)result;
	s->note.flags = flags_of(&made);
	if (made.compat)
		s->note.marks |= MARK_COMPAT;
	pending = made.shape->bits & WANTS_ENTRY ?
			  bpf_task_storage_get(&pendings, task, NULL, 0) : NULL;
	if (pending)
		keep_pending(s, pending);
	if (kind == CALL_URING) {
		struct repeat_key key = { .image = process->image, .how = HOW_RING };

		if (result > 0 && made.args[1] && !is_repeat(s, &key)) {
			s->note.type = NOTE_RING;
			send_once(s, &key);
		}
	} else {
		exit_call(s, &made);
	}
	scratch_give(s);
	return 0;
}

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
	int dirfd = descriptor(made, made->shape->dirfd);
	struct file *file;

	pending->image = process->image;
	pending->process_marks = process->marks;
	pending->executed_known = 0;
	if (take_name(s, argument(made, made->shape->path))) {
		if (!walk_begin(s, dirfd, follows(made, flags), false) || walk_all() != WALK_DONE)
			return;
		pending->executed = s->walk.dentry;
		pending->executed_mount = s->walk.mount;
		pending->executed_known = 1;
		return;
	}
	file = made->shape->dirfd >= 0 && flags & AT_EMPTY_PATH_ ? file_of(dirfd) : NULL;
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

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const volatile struct call_shape *shape;
	struct process_mark *process;
	struct pending *pending;
	struct made made;
	struct scratch *s;
	bool follow;
	u32 flags;
	u8 kind;

	if (!find_call(regs, number, &made))
		return 0;
	shape = made.shape;
	if (!(shape->bits & WANTS_ENTRY))
		return 0;
	kind = shape->kind - 1;
	process = kind == CALL_EXEC ?
			  bpf_task_storage_get(&processes, task->group_leader, NULL, 0) :
			  process_now();
	if (!process || !(process->marks & PROCESS_TRACED))
		return 0;
	take_arguments(regs, &made);
	flags = flags_of(&made);
	if ((kind == CALL_OPEN || kind == CALL_OPENAT2) && !(flags & O_TRUNC_))
		return 0;
	pending = bpf_task_storage_get(&pendings, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!pending)
		return 0;
	pending->marks = 0;
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
	follow = kind == CALL_OPEN || kind == CALL_OPENAT2 ? !(flags & O_NOFOLLOW_) :
							     follows(&made, flags);
	if (take_name(s, argument(&made, shape->path))) {
		if (walk_begin(s, descriptor(&made, shape->dirfd), follow && !is_for_entry(shape->op),
			       false)) {
			walk_all();
			if (look(s, &pending->before))
				pending->marks |= MARK_BEFORE;
		}
	} else if (shape->dirfd >= 0 && shape->op) {
		enter_file(&made, (int)made.args[0], pending);
	}
	if (kind == CALL_RENAME && take_name(s, argument(&made, shape->path2)) &&
	    walk_begin(s, descriptor(&made, shape->dirfd2), false, false)) {
		walk_all();
		if (look(s, &pending->before2))
			pending->marks |= MARK_BEFORE2;
	}
	scratch_give(s);
	return 0;
}

#endif

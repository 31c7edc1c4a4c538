/* SPDX-License-Identifier: MIT */
/* A call as it was made: its number, its arguments, the names in them. */
#ifndef IMPTRACE_MADE_BPF_H
#define IMPTRACE_MADE_BPF_H

#include "../native/call_kinds.h"
#include "processes.bpf.h"

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

/* A call as it was made. No pointers: the verifier lets no function of its own have those. */
struct made {
	struct call_shape shape;
	u64 args[6];
	/* An operation of io_uring: where its two names are, each in TEXT_MAX bytes; 0 for a call. */
	u64 names;
	u32 compat, slot;
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
__noinline u64 argument(const struct made *made, signed char position)
{
	if (!made)
		return 0;
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

/* Reads the first or the second path that a call names. */
static __always_inline u32 take_path(struct scratch *s, const struct made *made, bool second)
{
	const struct call_shape *shape = &made->shape;
	long length;

	if (!made->names)
		return take_name(s, argument(made, second ? shape->path2 : shape->path));
	length = bpf_probe_read_kernel_str(s->name + NAME_START, TEXT_MAX,
					   (void *)(made->names + (second ? TEXT_MAX : 0)));
	if (length <= 1 || length >= TEXT_MAX)
		return 0;
	s->walk.end = NAME_START + (u32)length - 1;
	return (u32)length - 1;
}

static __always_inline bool ends_with_slash(struct scratch *s)
{
	return s->name[MASKED(s->walk.end - 1, NAME_MASK)] == '/';
}

/* Reads the path of a socket's address into .name; false if it has none. */
static __always_inline bool take_address(struct scratch *s, u64 address, u64 size)
{
	u32 length = (u32)size - 2;
	u16 family = 0;
	long got;

	if (size <= 2 || size > UNIX_PATH_MAX_ + 2)
		return false;
	length = MASKED(length, 127);
	if (bpf_probe_read_user(&family, sizeof(family), (void *)address) || family != AF_UNIX_ ||
	    bpf_probe_read_user(s->name + NAME_START, length, (void *)(address + 2)))
		return false;
	s->name[NAME_START + length] = 0;
	/* A copy is the quickest way to find its end. */
	got = bpf_probe_read_kernel_str(s->link, UNIX_PATH_MAX_ + 1, s->name + NAME_START);
	if (got <= 1)
		return false;
	s->walk.end = NAME_START + (u32)got - 1;
	return true;
}

__noinline u32 flags_of(const struct made *made)
{
	const struct call_shape *shape;
	u64 how = 0;

	if (!made)
		return 0;
	shape = &made->shape;
	if (shape->kind - 1 == CALL_OPENAT2) {
		bpf_probe_read_user(&how, sizeof(how), (void *)argument(made, shape->flags));
		return (u32)how;
	}
	if (shape->kind - 1 == CALL_OPEN && shape->flags < 0)
		return CREAT_FLAGS;
	return shape->flags < 0 ? 0 : (u32)argument(made, shape->flags);
}

static __always_inline bool find_call(struct task_struct *task, long number, struct made *made)
{
	const volatile struct call_shape *shape;

	if (number < 0 || number >= CALL_NUMBERS)
		return false;
	made->compat = is_compat(task);
	made->names = 0;
	made->slot = 0;
	shape = &settings.calls[made->compat & 1][number & (CALL_NUMBERS - 1)];
	if (!shape->kind)
		return false;
	made->shape = *shape;
	return true;
}

static __always_inline bool follows(const struct made *made, u32 flags)
{
	u8 kind = made->shape.kind - 1;

	return kind == CALL_PATH ||
	       ((kind == CALL_ATPATH || kind == CALL_EXEC) && !(flags & AT_SYMLINK_NOFOLLOW_));
}

static __always_inline bool is_for_entry(u8 op)
{
	return op == OP_MKDIR || op == OP_CREATE || op == OP_DELETE;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Writing a record: .out of the scratch is filled from its end, second path first, then the
 * first, then the note, so that a path can be written while it is walked from its last name up.
 */
#ifndef IMPTRACE_PATHS_BPF_H
#define IMPTRACE_PATHS_BPF_H

#include "names.bpf.h"

enum { DEPTH_MAX = 304 };

static __always_inline void out_begin(struct scratch *s)
{
	s->pos = OUT_END;
}

/* One name before what is written; 0 at the top, 1 below it, 2 where there is no room. */
__noinline int climb_step(void)
{
	struct scratch *s = scratch();
	struct climb *climb;
	struct dentry *dentry, *parent;
	const unsigned char *name;
	u32 length, pos;

	if (!s)
		return 0;
	climb = &s->climb;
	dentry = climb->dentry;
	parent = READ(dentry, d_parent);
	if (dentry == climb->root && climb->mount == climb->root_mount)
		return 0;
	if (!climb->by_device && dentry == READ(climb->mount, mnt.mnt_root)) {
		struct mount *above = READ(climb->mount, mnt_parent);

		if (above == climb->mount)
			return 0;
		climb->dentry = READ(climb->mount, mnt_mountpoint);
		climb->mount = above;
		return 1;
	}
	if (dentry == parent)
		return 0;
	length = (u32)(READ(dentry, d_name.hash_len) >> 32);
	name = READ(dentry, d_name.name);
	pos = s->pos;
	length = MASKED(length, COMPONENT_MAX);
	if (pos < climb->limit + length + 1)
		return 2;
	pos = MASKED(pos - length, OUT_MASK);
	if (pos >= OUT_END)
		return 2;
	bpf_probe_read_kernel(s->out + pos, length, name);
	pos = MASKED(pos - 1, OUT_MASK);
	if (pos >= OUT_END)
		return 2;
	s->out[pos] = '/';
	s->pos = pos;
	climb->dentry = parent;
	return 1;
}

/* Some names; as climb_step. */
__noinline int climb_steps(void)
{
	int more = 1;

	for (int i = 0; i < STEPS_AT_ONCE && more == 1; i++)
		more = climb_step();
	return more;
}

/* All the names up to the top; as climb_step, and 1 where they are too many. */
__noinline int climb_all(void)
{
	int more = 1;

	for (int i = 0; i < DEPTH_MAX / STEPS_AT_ONCE && more == 1; i++)
		more = climb_steps();
	return more;
}

static __always_inline u32 device_of(struct dentry *dentry)
{
	return READ(dentry, d_sb, s_dev);
}

static __always_inline bool is_our_namespace(struct mount *mount)
{
	struct mnt_namespace *space = READ(mount, mnt_ns);

	return READ(space, ns.inum) == settings.mount_namespace;
}

/* Whether these are our own root directory, which is not the top of the mounts after chroot(2). */
static __always_inline bool is_our_root(struct dentry *dentry, struct mount *mount)
{
	return (u64)dentry == counters.root && (u64)mount == counters.root_mount;
}

static __always_inline struct note_text *text_of(struct scratch *s, u32 which)
{
	return which ? &s->note.texts[1] : &s->note.texts[0];
}

static __always_inline u32 climb_limit(struct scratch *s)
{
	u32 limit = s->pos > PLACED_MAX ? s->pos - PLACED_MAX : 0;

	return limit < sizeof(struct note) ? sizeof(struct note) : limit;
}

/* Writes the path of an entry before what is written already; all of the text but its lengths. */
__noinline int put_path(u64 entry, u64 mounted, u32 which)
{
	struct scratch *s = scratch();
	struct dentry *dentry = (struct dentry *)entry;
	struct mount *mount = (struct mount *)mounted;
	struct note_text *text;
	struct climb *climb;
	int more;

	if (!s)
		return 0;
	text = text_of(s, which);
	climb = &s->climb;
	climb->dentry = dentry;
	climb->mount = mount;
	climb->by_device = 0;
	climb->root = (struct dentry *)counters.root;
	climb->root_mount = (struct mount *)counters.root_mount;
	climb->limit = climb_limit(s);
	s->placed = mount;
	text->device = device_of(dentry);
	if (!is_our_namespace(mount)) {
		text->marks |= TEXT_FOREIGN;
		if (bpf_map_lookup_elem(&devices, &text->device)) {
			text->marks |= TEXT_DEVICE;
			climb->by_device = 1;
		}
	}
	more = climb_all();
	if (more)
		text->marks |= TEXT_CUT;
	if (!more && !climb->by_device && climb->dentry != READ(climb->mount, mnt.mnt_root) &&
	    !is_our_root(climb->dentry, climb->mount))
		text->marks |= TEXT_DETACHED;
	return 0;
}

/* Writes what is left of the walked path, which has no entry to be named by. */
static __always_inline void put_rest(struct scratch *s, struct note_text *text)
{
	u32 from = MASKED(s->walk.at, NAME_MASK), length = s->walk.end - s->walk.at, pos;

	if (!length || length >= TEXT_MAX || s->pos < length + 1 + sizeof(struct note))
		return;
	length = MASKED(length, TEXT_MAX - 1);
	pos = MASKED(s->pos - length, OUT_MASK);
	if (pos >= OUT_END)
		return;
	if (from + length > NAME_SIZE)
		return;
	bpf_probe_read_kernel(s->out + pos, length, s->name + from);
	pos = MASKED(pos - 1, OUT_MASK);
	if (pos >= OUT_END)
		return;
	s->out[pos] = '/';
	s->pos = pos;
	text->rest = (u16)(length + 1);
}

/* Writes the path that was walked to, as far as it led, and then as it was written. */
__noinline int put_walked(u32 which)
{
	struct scratch *s = scratch();
	struct note_text *text;
	u32 end;
	u8 ended;

	if (!s)
		return 0;
	text = text_of(s, which);
	end = s->pos;
	ended = s->walk.ended;
	if (ended != WALK_DONE)
		put_rest(s, text);
	if (ended == WALK_COLD)
		text->marks |= TEXT_UNSURE;
	if (ended == WALK_LINK || ended == WALK_FAILED)
		text->marks |= TEXT_JOIN | (s->walk.follow ? TEXT_FOLLOW : 0);
	put_path((u64)s->walk.dentry, (u64)s->walk.mount, which);
	text->length = (u16)(end - s->pos);
	return 0;
}

static __always_inline void put_place(struct scratch *s, struct dentry *dentry, struct mount *mount,
				      u32 which)
{
	u32 end = s->pos;

	put_path((u64)dentry, (u64)mount, which);
	text_of(s, which)->length = (u16)(end - s->pos);
}

/* Writes bytes that are no path. */
static __always_inline void put_text(struct scratch *s, const char *from, u32 length,
				     u32 which)
{
	u32 pos;

	length = MASKED(length, TEXT_MAX - 1);
	if (s->pos < length + sizeof(struct note))
		return;
	pos = MASKED(s->pos - length, OUT_MASK);
	if (pos >= OUT_END)
		return;
	bpf_probe_read_kernel(s->out + pos, length, from);
	s->pos = pos;
	text_of(s, which)->length = (u16)length;
}

/* Puts the note before the texts, and hands it over; false if there was no room for it. */
__noinline int note_send(void)
{
	struct scratch *s = scratch();
	u32 pos, size;

	if (!s || s->pos < sizeof(struct note) || s->pos > OUT_END)
		return 0;
	pos = MASKED(s->pos - sizeof(struct note), OUT_MASK);
	if (pos >= OUT_END)
		return 0;
	s->note.sent = bpf_ktime_get_ns();
	bpf_probe_read_kernel(s->out + pos, sizeof(struct note), &s->note);
	size = MASKED(OUT_END - pos, OUT_MASK);
	if (size > OUT_END)
		return 0;
	__sync_fetch_and_add(&counters.notes, 1);
	/* Without a wake-up: it would cost several times what all else does. */
	if (bpf_ringbuf_output(&ring, s->out + pos, size, BPF_RB_NO_WAKEUP)) {
		count_loss(s->note.at);
		return 0;
	}
	return 1;
}

static __always_inline bool send_note(struct scratch *s)
{
	(void)s;
	return note_send();
}

static __always_inline void note_begin(struct scratch *s, u8 type, u32 image)
{
	__builtin_memset(&s->note, 0, sizeof(s->note));
	s->note.type = type;
	s->note.image = image;
	s->note.at = bpf_ktime_get_ns();
	s->pending_marks = 0;
	s->placed = NULL;
	out_begin(s);
}

/* The note of a call, as far as it is needed to tell whether it is a repeat: most are. */
static __always_inline void call_begin(struct scratch *s, u32 image, u8 kind, u8 op, s32 result)
{
	s->note.type = NOTE_CALL;
	s->note.kind = kind;
	s->note.op = op;
	s->note.image = image;
	s->note.entered = 0;
	s->note.serial = 0;
	s->note.result = result;
	s->note.marks = 0;
	s->pending_marks = 0;
	s->placed = NULL;
	out_begin(s);
}

/* All the rest of it. */
static __always_inline void call_is_new(struct scratch *s)
{
	__builtin_memset(&s->note.pid, 0, sizeof(s->note) - offsetof(struct note, pid));
	s->note.at = bpf_ktime_get_ns();
	if (!s->note.entered)
		s->note.entered = s->note.at;
}

/* What the kernel knows of a file, as lstat(2) would tell it. */
__noinline int state_of(u64 inode_address, struct note_state *state)
{
	struct inode *inode = (struct inode *)inode_address;
	u16 mode = READ(inode, i_mode);

	if (!state)
		return 0;
	state->mode = mode;
	state->uid = READ(inode, i_uid.val);
	state->gid = READ(inode, i_gid.val);
	state->size = (u64)READ(inode, i_size);
	state->inode = READ(inode, i_ino);
	state->device = READ(inode, i_sb, s_dev);
	if (bpf_core_field_exists(inode->i_mtime_sec)) {
		state->mtime_s = READ(inode, i_mtime_sec);
		state->mtime_ns = READ(inode, i_mtime_nsec);
		state->ctime_s = READ(inode, i_ctime_sec);
		/* The highest bit says that somebody has asked for it. */
		state->ctime_ns = READ(inode, i_ctime_nsec) & 0x7fffffff;
	} else if (bpf_core_field_exists(((struct inode___6_7 *)0)->__i_mtime)) {
		struct inode___6_7 *old = (void *)inode;

		state->mtime_s = READ(old, __i_mtime.tv_sec);
		state->mtime_ns = (u32)READ(old, __i_mtime.tv_nsec);
		state->ctime_s = READ(old, __i_ctime.tv_sec);
		state->ctime_ns = (u32)READ(old, __i_ctime.tv_nsec);
	} else {
		struct inode___before_6_7 *old = (void *)inode;

		/* 6.6 has __i_ctime beside i_mtime. */
		state->mtime_s = READ(old, i_mtime.tv_sec);
		state->mtime_ns = (u32)READ(old, i_mtime.tv_nsec);
		if (bpf_core_field_exists(old->i_ctime)) {
			state->ctime_s = READ(old, i_ctime.tv_sec);
			state->ctime_ns = (u32)READ(old, i_ctime.tv_nsec);
		} else if (bpf_core_field_exists(((struct inode___6_7 *)0)->__i_ctime)) {
			struct inode___6_7 *mixed = (void *)inode;

			state->ctime_s = READ(mixed, __i_ctime.tv_sec);
			state->ctime_ns = (u32)READ(mixed, __i_ctime.tv_nsec);
		}
	}
	return 0;
}

#endif

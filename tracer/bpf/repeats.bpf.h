/* SPDX-License-Identifier: MIT */
/* What was told before is only counted: how it is known again. */
#ifndef IMPTRACE_REPEATS_BPF_H
#define IMPTRACE_REPEATS_BPF_H

#include "made.bpf.h"

enum { HOW_OPEN = 1 << 16, HOW_NAME = 2 << 16, HOW_FILE = 3 << 16, HOW_RING = 4 << 16 };
enum { HOW_MOUNT = 5 << 16 };
enum { HOW_EMPTY = 1 << 20 };
enum { HASHED_AT_ONCE = 8 };

static __always_inline u64 hash_add(u64 hash, u64 word)
{
	hash = rotated(hash ^ word, 29) * GOLDEN_RATIO_64;
	return hash ^ hash >> 32;
}

/* Adds some more words of .name to .hash of the scratch; whether there are more. */
__noinline int hash_more(u32 block)
{
	struct scratch *s = scratch();
	u32 words, word = block * HASHED_AT_ONCE;
	u64 hash;

	if (!s)
		return 0;
	words = (s->walk.end - NAME_START) / 8;
	hash = s->hash;
	for (u32 i = 0; i < HASHED_AT_ONCE; i++, word++) {
		if (word >= words)
			break;
		hash = hash_add(hash, *(u64 *)(s->name + NAME_START +
					       MASKED(word * 8, TEXT_MAX - 1)));
	}
	s->hash = hash;
	return word < words;
}

/* A hash of what is in .name, for telling repeats. */
__noinline u64 name_hash(void)
{
	struct scratch *s = scratch();
	u32 length;
	u64 tail;

	if (!s)
		return 0;
	s->hash = GOLDEN_RATIO_64;
	for (u32 i = 0; i < TEXT_MAX / 8 / HASHED_AT_ONCE; i++)
		if (!hash_more(i))
			break;
	length = s->walk.end - NAME_START;
	tail = *(u64 *)(s->name + NAME_START + MASKED(length & ~7U, TEXT_MAX - 1));
	return hash_add(s->hash, tail & ((1ULL << (length % 8 * 8)) - 1)) ^ length;
}

/* Whether this was told before. If not it is remembered, and .serial of the note set. */
static __always_inline bool is_repeat(struct scratch *s, struct repeat_key *key)
{
	struct repeat *seen = bpf_map_lookup_elem(&repeats, key), first = {};

	if (seen) {
		__sync_fetch_and_add(&seen->count, 1);
		seen->last = bpf_ktime_get_ns();
		if (!counters.repeated)
			counters.repeated = 1;
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

/* Nothing, or something that no path leads through. */
static __always_inline bool is_plain(const struct note_state *state)
{
	return !is_type((u16)state->mode, S_IFDIR) && !is_type((u16)state->mode, S_IFLNK);
}

/* What a rename of which nothing is known has moved: whether that is surely no directory. */
__noinline int moved_no_directory(u64 address, int dirfd)
{
	struct scratch *s = scratch_take();
	struct inode *inode;
	int is_file = 0;

	if (!s)
		return 0;
	if (take_name(s, address) && walk_begin(s, dirfd, false, false) &&
	    walk_all() == WALK_DONE) {
		inode = READ(s->walk.dentry, d_inode);
		is_file = !is_type(READ(inode, i_mode), S_IFDIR);
	}
	scratch_give(s);
	return is_file;
}

/*
 * Names lead elsewhere now: what was told by a name may have to be told again; when a directory
 * has moved, also what was told of open files. That a plain file has another name is of no matter.
 */
static __always_inline void names_change(const struct made *made, const struct pending *pending)
{
	u8 kind = made->shape.kind - 1;
	u32 known = MARK_BEFORE | MARK_BEFORE2;
	bool directory = true;

	if (kind == CALL_RENAME && pending && (pending->marks & known) == known) {
		if (is_plain(&pending->before) && is_plain(&pending->before2))
			return;
		directory = is_type((u16)pending->before.mode, S_IFDIR) ||
			    is_type((u16)pending->before2.mode, S_IFDIR);
	} else if (kind == CALL_RENAME && !made->names && !(flags_of(made) & RENAME_EXCHANGE_)) {
		directory = !moved_no_directory(argument(made, made->shape.path2),
						descriptor(made, made->shape.dirfd2));
	} else if (kind == CALL_SYMLINK) {
		directory = false;
	}
	__sync_fetch_and_add(directory ? &counters.epoch : &counters.names_epoch, 1);
}

#endif

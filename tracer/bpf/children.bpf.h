/* SPDX-License-Identifier: MIT */
/* A name in a directory, looked for in the kernel's cache of names as the kernel does. */
#ifndef IMPTRACE_CHILDREN_BPF_H
#define IMPTRACE_CHILDREN_BPF_H

#include "state.bpf.h"

enum {
	BUCKET_MAX = 64,
	CHILDREN_MAX = 2048,
	WORDS_AT_ONCE = 6,
	STEPS_AT_ONCE = 16,
	SAME_HASH_MAX = 4,	/* of names in a directory, of one length */
};

enum { COMPONENT_DIFFERS, COMPONENT_GOES_ON, COMPONENT_IS };

#define EACH_BYTE 0x0101010101010101ULL
#define HIGH_BITS 0x8080808080808080ULL
#define SLASHES 0x2f2f2f2f2f2f2f2fULL
#define GOLDEN_RATIO_64 0x61C8864680B583EBULL

static __always_inline u64 rotated(u64 value, u32 bits)
{
	return value << bits | value >> (64 - bits);
}

static __always_inline u64 zero_bytes(u64 word)
{
	return (word - EACH_BYTE) & ~word & HIGH_BITS;
}

/* Hashes some more words of a component; whether it has more. */
__noinline int component_more(void)
{
	struct scratch *s = scratch();
	u64 x, y, word, found = 0, mask;
	u32 length;

	if (!s)
		return 0;
	x = s->hashing_x;
	y = s->hashing_y;
	length = s->length;
	for (int i = 0; i < WORDS_AT_ONCE; i++) {
		u32 at = MASKED(s->walk.at + length, NAME_MASK);

		word = *(u64 *)(s->name + at);
		found = zero_bytes(word) | zero_bytes(word ^ SLASHES);
		if (found) {
			mask = ((found - 1) & ~found) >> 7;
			x ^= word & mask;
			length += (u32)((mask * 0x0001020304050608ULL) >> 56);
			break;
		}
		x ^= word;
		y ^= x;
		x = rotated(x, 12);
		x += y;
		y = rotated(y, 45);
		y *= 9;
		length += 8;
	}
	s->hashing_x = x;
	s->hashing_y = y;
	s->length = length;
	return !found;
}

/*
 * Measures the component at walk.at and hashes it as the kernel does in this directory
 * (hash_name in fs/namei.c, 64 bits, word at a time).
 */
__noinline int component_take(void)
{
	struct scratch *s = scratch();
	u64 y;

	if (!s)
		return 0;
	s->hashing_x = 0;
	s->hashing_y = (u64)s->walk.dentry;
	s->length = 0;
	for (int i = 0; i <= COMPONENT_MAX / 8 / WORDS_AT_ONCE; i++)
		if (!component_more())
			break;
	y = (s->hashing_y ^ s->hashing_x * GOLDEN_RATIO_64) * GOLDEN_RATIO_64;
	s->hash_len = (u64)s->length << 32 | (u32)(y >> 32);
	return 0;
}

/* Compares some words of the component with .other, from a byte on. */
__noinline int component_same(u32 from)
{
	struct scratch *s = scratch();

	if (!s)
		return COMPONENT_DIFFERS;
	for (int i = 0; i < WORDS_AT_ONCE; i++, from += 8) {
		u32 at = MASKED(s->walk.at + from, NAME_MASK);
		u64 differs = *(u64 *)(s->name + at) ^
			      *(u64 *)(s->other + MASKED(from, COMPONENT_MAX));
		u32 left = s->length - from;

		if (left < 8)
			return left && differs << (64 - left * 8) ? COMPONENT_DIFFERS :
								    COMPONENT_IS;
		if (differs)
			return COMPONENT_DIFFERS;
	}
	return COMPONENT_GOES_ON;
}

/* Whether the entry's name is the component. */
__noinline int component_is(u64 entry)
{
	struct scratch *s = scratch();
	struct dentry *dentry = (struct dentry *)entry;
	const unsigned char *name;
	u32 length;

	if (!s)
		return 0;
	length = s->length;
	if (!length || length > COMPONENT_MAX)
		return 0;
	name = READ(dentry, d_name.name);
	length = MASKED(length, COMPONENT_MAX);
	if (bpf_probe_read_kernel(s->other, length, name))
		return 0;
	for (u32 from = 0; from <= COMPONENT_MAX; from += WORDS_AT_ONCE * 8) {
		int same = component_same(from);

		if (same != COMPONENT_GOES_ON)
			return same == COMPONENT_IS;
	}
	return 1;
}

/* One entry of a bucket of the table: whether it may be the one. 1 to go on. */
__noinline int bucket_step(void)
{
	struct scratch *s = scratch();
	struct hlist_bl_node *node;
	struct dentry *entry;

	if (!s)
		return 0;
	node = (void *)s->search.node;
	if (!node)
		return 0;
	entry = (void *)node - bpf_core_field_offset(struct dentry, d_hash);
	s->search.node = (u64)READ(node, next);
	if (READ(entry, d_name.hash_len) != s->hash_len ||
	    READ(entry, d_parent) != s->walk.dentry)
		return 1;
	s->search.found = (u64)entry;
	return 0;
}

/* The next entry of the bucket that may be the one, 0 for none. */
__noinline u64 bucket_next(void)
{
	struct scratch *s = scratch();

	if (!s)
		return 0;
	s->search.found = 0;
	for (int i = 0; i < BUCKET_MAX; i++)
		if (!bucket_step())
			break;
	return s->search.found;
}

/* The entry among those with its hash; all that the kernel remembers are there. */
__noinline u64 child_by_table(void)
{
	struct scratch *s = scratch();
	u64 bucket, entry, head = 0;

	if (!s)
		return 0;
	bucket = counters.names_table + 8 * ((u32)s->hash_len >> (counters.names_shift & 31));
	bpf_probe_read_kernel(&head, sizeof(head), (void *)bucket);
	s->search.node = head & ~1ULL;
	for (int i = 0; i < SAME_HASH_MAX; i++) {
		entry = bucket_next();
		if (!entry || component_is(entry))
			return entry;
	}
	return 0;
}

static __always_inline bool child_fits(struct scratch *s, struct dentry *entry)
{
	/* Unhashed: it was removed, or never had a name. */
	return READ(entry, d_name.hash_len) >> 32 == s->length &&
	       READ(entry, d_hash.pprev) && component_is((u64)entry);
}

/* The entry among those of the directory, newest first: where the table cannot be found. */
__noinline u64 child_by_list(void)
{
	struct scratch *s = scratch();
	struct dentry *dir;

	if (!s || !settings.names_by_list)
		return 0;
	dir = s->walk.dentry;
	if (bpf_core_field_exists(dir->d_children)) {
		struct hlist_node *node = READ(dir, d_children.first);

		for (int i = 0; i < CHILDREN_MAX && node; i++) {
			struct dentry *entry =
				(void *)node - bpf_core_field_offset(struct dentry, d_sib);

			if (child_fits(s, entry))
				return (u64)entry;
			node = READ(node, next);
		}
	} else {
		struct dentry___before_6_8 *old = (void *)dir;
		u64 head = (u64)old + bpf_core_field_offset(struct dentry___before_6_8, d_subdirs);
		struct list_head *node = READ(old, d_subdirs.next);

		for (int i = 0; i < CHILDREN_MAX && (u64)node != head; i++) {
			struct dentry *entry =
				(void *)node -
				bpf_core_field_offset(struct dentry___before_6_8, d_child);

			if (child_fits(s, entry))
				return (u64)entry;
			node = READ(node, next);
		}
	}
	return 0;
}

#endif

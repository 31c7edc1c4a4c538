/* SPDX-License-Identifier: MIT */
/* The maps, and the memory that a program works in. */
#ifndef IMPTRACE_STATE_BPF_H
#define IMPTRACE_STATE_BPF_H

#include "kernel.bpf.h"
#include "notes.h"

/* An empty asm keeps the compiler from dropping the mask that the verifier wants to see. */
#define MASKED(value, mask)                                 \
	({                                                  \
		u32 masked_ = (u32)(value);                 \
		asm volatile("" : "+r"(masked_));           \
		masked_ &= (mask);                          \
		masked_;                                    \
	})

enum {
	NAME_START = 4096,	/* texts of links are put before what is left of a path */
	NAME_MASK = 8191,
	LINK_SIZE = 1024,
	NAME_SIZE = NAME_MASK + 1 + LINK_SIZE,
	OUT_END = 10240,	/* two paths, and a note before them; written from the end */
	OUT_MASK = 16383,
	COMPONENT_MAX = 255,
};

enum walk_end {
	WALK_GOES_ON,
	WALK_DONE,	/* .dentry and .mount are what the path names */
	WALK_PARENT,	/* they are the directory; the entry's name is at .at */
	WALK_ABSENT,	/* there is surely no such entry in it */
	WALK_COLD,	/* the kernel does not remember one */
	WALK_LINK,	/* a link at .at has a text that is not in memory */
	WALK_FAILED,	/* too many links, or one too long */
};

/* A path on its way through the kernel's cache of names. */
struct walk {
	struct dentry *dentry, *root;
	struct mount *mount, *root_mount;
	u32 at, end;		/* what is left of it in .name of the scratch */
	u32 links;
	u8 follow, parent_only, crosses, ended;
};

/* Where a path is walked up. */
struct climb {
	struct dentry *dentry;
	struct mount *mount;
	u32 limit;		/* of .pos */
	u32 by_device;		/* to the top of the file system, not of the mounts */
	struct dentry *root;	/* and no further than this */
	struct mount *root_mount;
};

/* What is looked for in a list of the kernel's, entry by entry. */
struct search {
	u64 node, head, found;
	u64 wanted;
};

struct scratch {
	u32 busy;
	u32 pos;		/* how far .out is written, from the end */
	struct walk walk;
	/* The component at walk.at. */
	u32 length, next;
	u64 hash_len;
	u64 hashing_x, hashing_y;	/* while it is hashed */
	struct climb climb;
	struct search search;
	u64 hash;		/* of .name, as far as it was taken */
	struct mount *placed;	/* where the path lies that was written last */
	struct note note;
	/* What the entry of the call left (struct pending). */
	struct note_state before, before2;
	u32 pending_marks;
	u32 followed;		/* somebody listens to the process: all file systems are of interest */
	char name[NAME_SIZE];
	char link[LINK_SIZE + 8];
	char other[COMPONENT_MAX + 9];
	char out[2 * OUT_END];	/* a copy from any place of the first half fits */
};

/* What is seen of one thing that is repeated. */
struct repeat_key {
	u64 what, where, mount, name;
	u32 number, generation;
	u32 image, epoch;
	u32 how;
	s32 result;
};

/* What the entry of a call leaves for its exit. */
struct pending {
	struct note_state before, before2;
	u64 entered;		/* when */
	u32 marks;
	u32 image;		/* an exec by a thread that does not lead: of the process */
	u32 process_marks;
	u32 executed_known;
	struct dentry *executed;	/* what an exec named */
	struct mount *executed_mount;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct process_mark);
} processes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pending);
} pendings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct repeat_key);
	__type(value, struct repeat);
} repeats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct loss);
} losses SEC(".maps");

/* File systems that the host has mounted, by number: 1, and 2 where they are wanted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u32);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

const volatile struct settings settings;
struct counters counters;

static __always_inline struct scratch *scratch(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline void count_loss(u64 now)
{
	u64 group = bpf_get_current_cgroup_id();
	struct loss first = { .count = 1, .since = now, .until = now }, *loss;

	__sync_fetch_and_add(&counters.lost, 1);
	loss = bpf_map_lookup_elem(&losses, &group);
	if (loss) {
		__sync_fetch_and_add(&loss->count, 1);
		loss->until = now;
	} else {
		bpf_map_update_elem(&losses, &group, &first, BPF_NOEXIST);
	}
}

/* The memory, unless another program on this processor was interrupted while it had it. */
static __always_inline struct scratch *scratch_take(void)
{
	struct scratch *s = scratch();

	if (!s)
		return NULL;
	if (s->busy) {
		count_loss(bpf_ktime_get_ns());
		return NULL;
	}
	s->busy = 1;
	return s;
}

static __always_inline void scratch_give(struct scratch *s)
{
	s->busy = 0;
}

static __always_inline struct mount *mount_of(struct vfsmount *mnt)
{
	return (void *)mnt - bpf_core_field_offset(struct mount, mnt);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Following a path through the kernel's cache of names, as the kernel does: what a call has just
 * named is in it. Each step is a function that the verifier looks at once, whatever the loop; a
 * long loop is one in another, each in a function of its own: it looks at the sum of both. (No more
 * than eight may call one another, as they do from exit_named() to component_is().)
 */
#ifndef IMPTRACE_NAMES_BPF_H
#define IMPTRACE_NAMES_BPF_H

#include "state.bpf.h"

enum {
	STEPS_MAX = 192,
	LINKS_MAX = 40,
	BUCKET_MAX = 64,
	CHILDREN_MAX = 2048,
	MOUNTS_MAX = 256,
	WORDS_AT_ONCE = 6,
	STEPS_AT_ONCE = 16,
};

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
	for (int i = 0; i < (COMPONENT_MAX + 1) / 8; i++) {
		u32 at = MASKED(s->walk.at + i * 8, NAME_MASK);
		u64 differs = *(u64 *)(s->name + at) ^ *(u64 *)(s->other + i * 8);
		u32 left = length - i * 8;

		if (left < 8)
			return !(differs << (64 - left * 8)) || !left;
		if (differs)
			return 0;
	}
	return 1;
}

/* One entry of a bucket of the table; 1 to go on. */
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
	if (READ(entry, d_name.hash_len) == s->hash_len &&
	    READ(entry, d_parent) == s->walk.dentry && component_is((u64)entry)) {
		s->search.found = (u64)entry;
		return 0;
	}
	s->search.node = (u64)READ(node, next);
	return 1;
}

/* The entry among those with its hash; all that the kernel remembers are there. */
__noinline u64 child_by_table(void)
{
	struct scratch *s = scratch();
	u64 bucket, head = 0;

	if (!s)
		return 0;
	bucket = counters.names_table + 8 * ((u32)s->hash_len >> (counters.names_shift & 31));
	bpf_probe_read_kernel(&head, sizeof(head), (void *)bucket);
	s->search.node = head & ~1ULL;
	s->search.found = 0;
	for (int i = 0; i < BUCKET_MAX; i++)
		if (!bucket_step())
			break;
	return s->search.found;
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

/* One mount on another one; 1 to go on. */
__noinline int mount_step(void)
{
	struct scratch *s = scratch();
	struct list_head *node;
	struct mount *child;

	if (!s || s->search.node == s->search.head)
		return 0;
	node = (void *)s->search.node;
	child = (void *)node - bpf_core_field_offset(struct mount, mnt_child);
	if ((u64)READ(child, mnt_mountpoint) == s->search.wanted) {
		s->search.found = (u64)child;
		return 0;
	}
	s->search.node = (u64)READ(node, next);
	return 1;
}

/* Some of them; 1 to go on. */
__noinline int mount_steps(void)
{
	int more = 1;

	for (int i = 0; i < STEPS_AT_ONCE && more; i++)
		more = mount_step();
	return more;
}

/* What is mounted on an entry, 0 for nothing. */
__noinline u64 mounted_on(u64 parent, u64 entry)
{
	struct mount *mount = (struct mount *)parent;
	struct scratch *s = scratch();

	if (!s)
		return 0;
	s->search.head = parent + bpf_core_field_offset(struct mount, mnt_mounts);
	s->search.node = (u64)READ(mount, mnt_mounts.next);
	s->search.wanted = entry;
	s->search.found = 0;
	for (int i = 0; i < MOUNTS_MAX / STEPS_AT_ONCE; i++)
		if (!mount_steps())
			break;
	return s->search.found;
}

static __always_inline bool is_mountpoint(struct dentry *dentry)
{
	u32 mounted = 0x10000;

	if (bpf_core_enum_value_exists(enum dentry_flags, DCACHE_MOUNTED))
		mounted = bpf_core_enum_value(enum dentry_flags, DCACHE_MOUNTED);
	return READ(dentry, d_flags) & mounted;
}

/* The file of a descriptor of the task that runs; NULL if there is none. */
static __always_inline struct file *file_of(int fd)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct file *file = NULL;
	struct fdtable *fdt;
	struct file **files;

	if (fd < 0)
		return NULL;
	fdt = READ(task, files, fdt);
	if ((u32)fd >= READ(fdt, max_fds))
		return NULL;
	files = READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

static __always_inline void walk_jump(struct walk *walk, struct path *to)
{
	walk->dentry = READ(to, dentry);
	walk->mount = mount_of(READ(to, mnt));
	walk->crosses = 0;
}

/* Behind /proc/self: the number of a descriptor, and what is behind that; false if it is none. */
static __always_inline bool jump_to_descriptor(struct scratch *s, u32 at)
{
	struct file *file;
	u32 number = 0, i;

	for (i = 0; i < 7; i++) {
		char digit = s->name[MASKED(at + i, NAME_MASK)];

		if (digit < '0' || digit > '9')
			break;
		number = number * 10 + (u32)(digit - '0');
	}
	file = i ? file_of((int)number) : NULL;
	if (!file)
		return false;
	walk_jump(&s->walk, &file->f_path);
	s->walk.at = at + i;
	return true;
}

/* The links of /proc/self, which have no text: to descriptors and to the working directory. */
__noinline int walk_self(void)
{
	struct scratch *s = scratch();
	struct task_struct *task = bpf_get_current_task_btf();
	u32 at;

	if (!s || READ(s->walk.dentry, d_sb, s_magic) != PROC_SUPER_MAGIC)
		return 0;
	at = s->walk.at;
	/* "self" and "thread-self" are all that has no text at the top of /proc. */
	if (s->length != 4 && s->length != 11)
		return 0;
	at += s->length;
	at = MASKED(at, NAME_MASK);
	if (s->name[at] == '/' && s->name[MASKED(at + 1, NAME_MASK)] == 'f' &&
	    s->name[MASKED(at + 2, NAME_MASK)] == 'd' && s->name[MASKED(at + 3, NAME_MASK)] == '/')
		return jump_to_descriptor(s, at + 4);
	if (s->name[at] == '/' && s->name[MASKED(at + 1, NAME_MASK)] == 'c' &&
	    s->name[MASKED(at + 2, NAME_MASK)] == 'w' && s->name[MASKED(at + 3, NAME_MASK)] == 'd') {
		walk_jump(&s->walk, &READ(task, fs)->pwd);
		s->walk.at = at + 4;
		return 1;
	}
	return 0;
}

/* Puts the text of a link in the place of its name. */
__noinline int walk_link(u64 inode_address)
{
	struct scratch *s = scratch();
	struct inode *inode = (struct inode *)inode_address;
	char *text = READ(inode, i_link);
	u32 length, start;
	long got;

	if (!s)
		return WALK_FAILED;
	if (++s->walk.links > LINKS_MAX)
		return WALK_FAILED;
	if (!text)
		return walk_self() ? WALK_GOES_ON : WALK_LINK;
	got = bpf_probe_read_kernel_str(s->link, LINK_SIZE, text);
	if (got < 2 || got >= LINK_SIZE)
		return WALK_LINK;
	length = MASKED(got - 1, LINK_SIZE - 1);
	start = s->next - length;
	if (start > NAME_MASK)
		return WALK_LINK;
	start = MASKED(start, NAME_MASK);
	if (bpf_probe_read_kernel(s->name + start, length, s->link))
		return WALK_FAILED;
	s->walk.at = start;
	if (s->link[0] == '/') {
		s->walk.dentry = s->walk.root;
		s->walk.mount = s->walk.root_mount;
	}
	return WALK_GOES_ON;
}

/* Up to the directory above; through a mount it takes one step more for each. */
static __always_inline void walk_up(struct scratch *s)
{
	struct walk *walk = &s->walk;
	struct mount *parent;

	if (walk->dentry == walk->root && walk->mount == walk->root_mount) {
		walk->at = s->next;
		return;
	}
	if (walk->dentry == READ(walk->mount, mnt.mnt_root)) {
		parent = READ(walk->mount, mnt_parent);
		if (parent == walk->mount) {
			walk->at = s->next;
			return;
		}
		walk->dentry = READ(walk->mount, mnt_mountpoint);
		walk->mount = parent;
		return;
	}
	walk->dentry = READ(walk->dentry, d_parent);
	walk->at = s->next;
	walk->crosses = 1;
}

/* Steps into what is mounted on the directory; false if nothing is. */
static __always_inline bool walk_cross(struct walk *walk)
{
	struct mount *mounted;

	walk->crosses = 0;
	if (!is_mountpoint(walk->dentry))
		return false;
	mounted = (void *)mounted_on((u64)walk->mount, (u64)walk->dentry);
	if (!mounted)
		return false;
	walk->mount = mounted;
	walk->dentry = READ(mounted, mnt.mnt_root);
	walk->crosses = 1;
	return true;
}

static __always_inline u32 skip_slashes(struct scratch *s, u32 at)
{
	for (int i = 0; i < 16; i++) {
		if (s->name[MASKED(at, NAME_MASK)] != '/')
			break;
		at++;
	}
	return at;
}

/* One component, or one mount, further. */
__noinline int walk_step(void)
{
	struct scratch *s = scratch();
	struct walk *walk;
	struct dentry *child;
	struct inode *inode;
	u32 after;
	bool last;
	u16 mode;
	u32 dots;

	if (!s)
		return WALK_FAILED;
	walk = &s->walk;
	if (walk->crosses && walk_cross(walk))
		return WALK_GOES_ON;
	walk->at = skip_slashes(s, walk->at);
	component_take();
	if (!s->length)
		return WALK_DONE;
	if (s->length > COMPONENT_MAX)
		return WALK_FAILED;
	s->next = walk->at + s->length;
	after = skip_slashes(s, s->next);
	last = !s->name[MASKED(after, NAME_MASK)];
	dots = s->name[MASKED(walk->at, NAME_MASK)] == '.' &&
	       (s->length == 1 ||
		(s->length == 2 && s->name[MASKED(walk->at + 1, NAME_MASK)] == '.')) ?
		       s->length : 0;
	if (dots == 1) {
		walk->at = s->next;
		return WALK_GOES_ON;
	}
	if (dots == 2) {
		walk_up(s);
		return WALK_GOES_ON;
	}
	if (last && walk->parent_only)
		return WALK_PARENT;
	child = (void *)(settings.names_by_list ? child_by_list() : child_by_table());
	if (!child)
		return WALK_COLD;
	inode = READ(child, d_inode);
	if (!inode)
		return WALK_ABSENT;
	mode = READ(inode, i_mode);
	if (is_type(mode, S_IFLNK) && (walk->follow || !last || after != s->next))
		return walk_link((u64)inode);
	if (!last && !is_type(mode, S_IFDIR))
		return WALK_ABSENT;
	walk->dentry = child;
	walk->at = s->next;
	walk->crosses = 1;
	return WALK_GOES_ON;
}

/* Follows what is in .name from walk.dentry on. Returns an enum walk_end. */
__noinline int walk_all(void)
{
	struct scratch *s = scratch();
	int ended = WALK_FAILED;

	if (!s)
		return WALK_FAILED;
	for (int i = 0; i < STEPS_MAX; i++) {
		ended = walk_step();
		if (ended)
			break;
	}
	if (!ended)
		ended = WALK_FAILED;
	s->walk.ended = (u8)ended;
	return ended;
}

/* Begins at the root directory or, for a relative path, at the descriptor's or the working one. */
static __always_inline bool walk_begin(struct scratch *s, int dirfd, bool follow, bool parent_only)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct fs_struct *fs = READ(task, fs);
	struct walk *walk = &s->walk;
	struct file *file;

	if (!fs)
		return false;
	walk->root = READ(fs, root.dentry);
	walk->root_mount = mount_of(READ(fs, root.mnt));
	walk->at = NAME_START;
	walk->links = 0;
	walk->follow = follow;
	walk->parent_only = parent_only;
	walk->crosses = 0;
	walk->ended = 0;
	if (s->name[NAME_START] == '/') {
		walk->dentry = walk->root;
		walk->mount = walk->root_mount;
	} else if (dirfd == -100) {
		walk_jump(walk, &fs->pwd);
	} else {
		file = file_of(dirfd);
		if (!file)
			return false;
		walk_jump(walk, &file->f_path);
	}
	return true;
}

#endif

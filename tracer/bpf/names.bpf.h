/* SPDX-License-Identifier: MIT */
/*
 * Following a path through the kernel's cache of names, as the kernel does: what a call has just
 * named is in it. Each step is a function that the verifier looks at once, whatever the loop; a
 * long loop is one in another, each in a function of its own: it looks at the sum of both. (No more
 * than eight may call one another, as they do from exit_named() to component_same().)
 */
#ifndef IMPTRACE_NAMES_BPF_H
#define IMPTRACE_NAMES_BPF_H

#include "children.bpf.h"

enum {
	STEPS_MAX = 192,
	LINKS_MAX = 40,
	MOUNTS_MAX = 256,
};

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

/* Some of them. */
__noinline int walk_steps(void)
{
	int ended = WALK_GOES_ON;

	for (int i = 0; i < STEPS_AT_ONCE && !ended; i++)
		ended = walk_step();
	return ended;
}

/* Follows what is in .name from walk.dentry on. Returns an enum walk_end. */
__noinline int walk_all(void)
{
	struct scratch *s = scratch();
	int ended = WALK_FAILED;

	if (!s)
		return WALK_FAILED;
	for (int i = 0; i < STEPS_MAX / STEPS_AT_ONCE; i++) {
		ended = walk_steps();
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

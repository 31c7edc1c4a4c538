/* SPDX-License-Identifier: MIT */
/* What the programs in the kernel and the reader outside of it share: settings, counts, records. */
#ifndef IMPTRACE_NOTES_H
#define IMPTRACE_NOTES_H

enum {
	CALL_NUMBERS = 512,
	TEXT_MAX = 4096,	/* of one path that a call names */
	PLACED_MAX = 4608,	/* of one that is told: such a directory, and a name in it */
	ARGUMENTS_MAX = 4096,	/* of what is kept of a command line */
	ENVIRON_MAX = 8192,
	CODE_SIZE = 1024,
	SYMBOLS = 3,
	SYMBOL_SIZE = 20,
	GROUP_NAME_MAX = 255,
	RING_CALLS = 64,	/* operations of io_uring, by their numbers */
};

/* Bits of a call that the loader adds to those of enum call_kind (tracer/native/calls.h). */
enum {
	WANTS_ENTRY = 1,	/* what is there before it is looked at */
	IS_QUESTION = 2,
};

/* A kind of ours, past those of enum call_kind: the call hands operations to io_uring. */
enum { CALL_URING = 64 };

/* In place of a kind: an operation of io_uring that concerns us, and of which nothing can be told. */
enum { RING_UNSEEN = 255 };

/* Operations of io_uring (IORING_OP_...). */
enum {
	RING_CONNECT = 16, RING_OPENAT = 18, RING_OPENAT2 = 28, RING_RENAMEAT = 35,
	RING_UNLINKAT = 36, RING_MKDIRAT = 37, RING_SYMLINKAT = 38, RING_LINKAT = 39,
	RING_FSETXATTR = 41, RING_SETXATTR = 42, RING_FTRUNCATE = 55, RING_BIND = 56,
};

/* struct call, without its name. */
struct call_shape {
	unsigned char kind, op;	/* kind: one more than enum call_kind, 0 for none */
	signed char dirfd, path, flags, dirfd2, path2;
	unsigned char bits;
};

enum scope {
	SCOPE_TREE,	/* processes that were named, and all that they start */
	SCOPE_GROUP,	/* the same, and whatever is in a control group */
	SCOPE_MACHINE,
};

struct settings {
	unsigned int scope;
	unsigned int stats, writes_only;
	unsigned int user;		/* only his; -1: everybody's */
	unsigned int only_devices;	/* leave out what lies on none of the map `devices` */
	/* SCOPE_GROUP: when a group of this name is made, it is that one anew. */
	char group_name[GROUP_NAME_MAX + 1];
	unsigned int names_by_list;	/* names are looked for among those of their directory */
	unsigned int mount_namespace, pid_namespace, user_namespace; /* ours: their inode numbers */
	struct call_shape calls[2][CALL_NUMBERS];	/* native, and of 32-bit programs */
	struct call_shape ring_calls[RING_CALLS];	/* the calls that io_uring's operations are like */
};

/* What the loader wants to know of the kernel: its table of names, and what uses that. */
enum { SYMBOL_TABLE, SYMBOL_SHIFT, SYMBOL_LOOKUP };

struct counters {
	unsigned long long names_table;
	unsigned int names_shift;
	unsigned int images, serials, repeated;
	unsigned int epoch, names_epoch;	/* directories have moved; other names lead elsewhere */
	unsigned long long notes, lost;
	/* SCOPE_GROUP: the control group, and the one that it lies in. */
	unsigned long long group, group_parent;
	int group_level, own_level;	/* how deep that one lies, and our own */
	unsigned long long root, root_mount;	/* our root directory: what paths begin at */
	/* Where the kernel keeps names: addresses of its symbols, 0 where it does not tell. */
	char symbol_names[SYMBOLS][SYMBOL_SIZE];
	unsigned long long symbols[SYMBOLS];
	unsigned char lookup_code[CODE_SIZE];	/* of the function that uses the table */
};

enum note_type {
	NOTE_CALL = 1,
	NOTE_FORK,
	NOTE_EXEC,
	NOTE_WORDS,	/* command line and environment of an image, behind its NOTE_EXEC */
	NOTE_EXIT,
	NOTE_FOUND,	/* a process that ran already */
	NOTE_RING,	/* operations handed to io_uring */
	NOTE_MOUNT,	/* what a process calls a mount, or its root directory: texts[1] */
};

enum note_marks {
	MARK_CREATED = 1,	/* the open made the file */
	MARK_NAMELESS = 2,	/* the file has lost its name, or never had one */
	MARK_THERE = 4,		/* something stands at the first path */
	MARK_BEFORE = 8,	/* .before is known; mode 0: nothing was there */
	MARK_BEFORE2 = 16,
	MARK_DIRECTORY = 32,
	MARK_EMPTY = 64,
	MARK_DESCRIPTOR = 128,	/* named by a descriptor */
	MARK_ROOT = 256,	/* NOTE_EXEC: the program that was asked for */
	MARK_COMPAT = 512,
	MARK_PRIVILEGED = 1024,	/* it has rights that an ordinary user has not */
};

/* Of each path, how it is to be read. */
enum text_marks {
	TEXT_CUT = 1,		/* its beginning is missing */
	TEXT_DEVICE = 2,	/* counts from the top of the file system .device, not from ours */
	TEXT_FOREIGN = 4,	/* is what a mount namespace of its own calls it */
	TEXT_JOIN = 8,		/* a link on the way, at .join, could not be followed in the kernel */
	TEXT_UNSURE = 16,	/* .. and what is behind it was not in the cache of names */
	TEXT_DETACHED = 32,	/* leads to no root: a pipe, a socket, an unmounted file system */
	TEXT_FOLLOW = 64,	/* TEXT_JOIN: a link at the end is to be followed */
	TEXT_GONE = 128,	/* the entry has been removed since */
};

struct note_state {
	unsigned int mode, uid, gid, device;
	unsigned long long size, inode;
	long long mtime_s;
	unsigned int mtime_ns, pad;
	long long ctime_s;
	unsigned int ctime_ns, pad2;
};

struct note_text {
	unsigned short length, rest;	/* the last .rest bytes were not looked at, only taken over */
	unsigned int marks;
	unsigned int device, pad;
};

struct note {
	unsigned char type, kind, op, pad;
	unsigned int image;
	/* CLOCK_MONOTONIC: when it was known, and sent; when the call began, of a rename */
	unsigned long long at, sent, entered;
	unsigned int serial;		/* by which `repeats` refers to it */
	int result;			/* of the call; wait status of NOTE_EXIT */
	unsigned int flags;		/* of the call */
	unsigned int marks;
	int pid;
	unsigned int other;		/* NOTE_FORK: the parent. NOTE_EXEC: the image before */
	unsigned int uid, gid;
	unsigned long long group;
	struct note_text texts[2];
	struct note_state before, before2;
};

/* Value of `repeats`. */
struct repeat {
	unsigned int serial, count;
	unsigned long long last;
};

/* Value of `losses`, by control group. */
struct loss {
	unsigned long long count, since, until;
};

/* Value of `processes`, of the thread that leads one. */
struct process_mark {
	unsigned int image;
	unsigned int marks;
};

enum {
	PROCESS_TRACED = 1,
	PROCESS_OURS = 2,	/* imptrace itself: never recorded */
	PROCESS_ASKED = 4,	/* the program that was asked for, before its exec */
	PROCESS_FOLLOWED = 8,	/* somebody listens to it: all file systems are of interest */
};

#endif

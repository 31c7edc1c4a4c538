/* SPDX-License-Identifier: MIT */
/* How calls name what they act on, and what they do: apart, for compilers without a C library. */
#ifndef IMPTRACE_CALL_KINDS_H
#define IMPTRACE_CALL_KINDS_H

enum call_kind {
	CALL_OPEN,	/* path, flags */
	CALL_OPENAT2,	/* path, pointer to struct open_how */
	CALL_PATH,	/* one path, one op, symbolic links followed */
	CALL_LPATH,	/* the same, a final symbolic link not followed */
	CALL_ATPATH,	/* the same, AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH in a flags argument */
	CALL_FD,	/* an op on an open descriptor */
	CALL_RENAME,	/* two paths */
	CALL_LINK,	/* two paths */
	CALL_SYMLINK,	/* a text and a path */
	CALL_EXEC,
	CALL_SOCKET,	/* descriptor, sockaddr, length */
	CALL_SOCKETCALL, /* i386: the same behind a pointer */
	CALL_EXIT,	/* a thread ends */
	CALL_CHDIR,	/* the working directory changes: nothing to record */
	CALL_WORLD,	/* root directory or mount namespace may change: nothing to record */
	CALL_LISTENER,	/* seccomp(SET_MODE_FILTER, NEW_LISTENER): will be refused by the kernel */
	CALL_FAULTS,	/* userfaultfd: the process serves its own pages from now on */
	CALL_HANDLER,	/* a signal gets a handler: nothing to record */
	CALL_TRACER,	/* ptrace(TRACEME, ATTACH or SEIZE): nothing to record */
	CALL_RING,	/* io_uring_setup: what a ring does is not seen */
};

/* The order is that of OPS in tracer/native/ring.py; tests/tracer/test_tables.py compares. */
#define EACH_OP(OP) \
	OP(READ, "read") OP(WRITE, "write") OP(CREATE, "create") \
	OP(TRUNCATE, "truncate") OP(DELETE, "delete") OP(RENAME, "rename") \
	OP(LINK, "link") OP(SYMLINK, "symlink") OP(MKDIR, "mkdir") \
	OP(CHMOD, "chmod") OP(CHOWN, "chown") OP(UTIME, "utime") \
	OP(XATTR, "xattr") OP(EXEC, "exec") OP(CONNECT, "connect") \
	OP(BIND, "bind") OP(STAT, "stat")

#define OP_NUMBER(name, word) OP_##name,
enum op { EACH_OP(OP_NUMBER) };
#undef OP_NUMBER

#endif

/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "foretell.h"
#include "image.h"
#include "journal.h"
#include "memory.h"
#include "mounts.h"
#include "names.h"
#include "opens.h"
#include "paths.h"
#include "permission.h"

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

enum { SOCKETCALL_BIND = 2, SOCKETCALL_CONNECT = 3 };

/* The call's argument as the kernel reads it: 32-bit tracees leave the upper half undefined. */
static uint64_t argument(const struct syscall_site *site, int position)
{
	uint64_t value = site->args[position];

	return site->arch == AUDIT_ARCH_I386 ? (uint32_t)value : value;
}

static int descriptor(const struct syscall_site *site, int position)
{
	return position == NO_ARG ? AT_FDCWD : (int)site->args[position];
}

static void unseen(struct staging *staging)
{
	struct process *process = staging->process;

	if (!process->unreadable && errno != ETIMEDOUT) {
		process->unreadable = true;
		image_ensure(process);
		journal_count(RECORD_WARNING, process->image, WARN_UNREADABLE);
	}
	image_ensure(process);
	process->unseen++;
}

static bool is_refusal(int error)
{
	return error == EPERM || error == EACCES || error == ETIMEDOUT;
}

/* Reads a path of the tracee; false if it cannot be read, which is counted. */
static bool read_path(const struct syscall_site *site, struct staging *staging, int position,
		      char *raw)
{
	uint64_t address = argument(site, position);
	ssize_t length;

	if (!address)
		return false; /* the call fails with EFAULT, or means the descriptor */
	length = tracee_read_text(site->tid, address, raw, PATH_MAX);
	if (length < 0 && is_refusal(errno))
		unseen(staging);
	if (length >= 0 && length < PATH_MAX && staging->text_count < TEXTS_MAX) {
		struct text *text = &staging->texts[staging->text_count++];

		text->address = address;
		text->size = (size_t)length + 1;
		memcpy(text->bytes, raw, text->size);
	}
	/* Without a NUL within PATH_MAX the call fails with ENAMETOOLONG: no path. */
	return length >= 0 && length < PATH_MAX;
}

static bool ends_with_slash(const char *raw)
{
	size_t length = strlen(raw);

	return length && raw[length - 1] == '/';
}

/* What the end of a path stands for. */
enum end {
	END_ENTRY,	/* an entry of a directory, which is made, moved or removed */
	END_LINK,	/* what is there; not what a symbolic link points to, but for a slash behind */
	END_FOLLOW,	/* what is there, or what it points to */
};

/* Resolves a path into the next place; NULL if it is no path. */
static struct place *locate(const struct syscall_site *site, struct staging *staging, int dirfd,
			    const char *raw, enum end end)
{
	bool slash = ends_with_slash(raw);
	struct place *place = &staging->places[staging->place_count];
	const struct query query = {
		.process = staging->process,
		.tid = site->tid,
		.dirfd = dirfd,
		.raw = raw,
		.follow = end == END_FOLLOW || (end == END_LINK && slash),
		.changes = staging->changes || end == END_ENTRY,
		.resolve = staging->resolve,
	};

	if (!resolve(&query, place)) {
		if (place->too_long)
			journal_too_long();
		place_release(place);
		return NULL;
	}
	place->wants_directory = slash;
	if (slash && end != END_ENTRY && !place->error && !S_ISDIR(place->st.st_mode))
		place->error = ENOTDIR;
	staging->place_count++;
	return place;
}

static struct place *locate_argument(const struct syscall_site *site, struct staging *staging,
				     int dirfd, int position, enum end end, bool empty)
{
	char raw[PATH_MAX];

	if (!read_path(site, staging, position, raw) || (!*raw && !empty))
		return NULL;
	return locate(site, staging, descriptor(site, dirfd), raw, end);
}

/* A file that has lost its name, or never had one: what is done to it is done to no path. */
static bool is_nameless(const struct place *place)
{
	struct stat st;

	if (place->error || !S_ISREG(place->st.st_mode))
		return false;
	if (!place->st.st_nlink)
		return true;
	/* The kernel calls by this name also what has another one, which it does not tell. */
	return path_is_marked_deleted(place->path) && lstat(place->path, &st);
}

static struct staged_access *stage(struct staging *staging, uint8_t op, int error)
{
	struct staged_access *access = &staging->accesses[staging->count++];
	const struct place *place = &staging->places[staging->place_count - 1];

	*access = (struct staged_access){ .op = op, .place = (uint8_t)(staging->place_count - 1) };
	permission_set_outcome(&access->outcome, &access->error, error);
	if (!place->error && S_ISDIR(place->st.st_mode))
		access->flags |= FLAG_DIRECTORY;
	if (place->private_mount)
		access->flags |= FLAG_PRIVATE_MOUNT;
	return access;
}

static void stage_open_existing(struct staging *staging, const struct place *place, int flags,
				int error)
{
	bool directory = !place->error && S_ISDIR(place->st.st_mode);
	bool empty = !place->error && S_ISREG(place->st.st_mode) && !place->st.st_size;
	int mode = flags & O_ACCMODE;

	if (mode != O_WRONLY && !(flags & O_TRUNC && mode == O_RDWR)) {
		struct staged_access *access = stage(staging, OP_READ, error);

		if (empty)
			access->flags |= FLAG_EMPTY;
	}
	if (open_truncates(flags, directory, error))
		stage(staging, OP_TRUNCATE, error);
	if (mode != O_RDONLY)
		stage(staging, OP_WRITE, error);
}

static void stage_open_new(struct staging *staging, int flags, int error)
{
	uint32_t detail = flags & O_EXCL ? FLAG_EXCLUSIVE : 0;

	stage(staging, OP_CREATE, error)->flags |= detail;
	if ((flags & O_ACCMODE) != O_RDONLY)
		stage(staging, OP_WRITE, error)->flags |= detail;
}

static void stage_open(const struct syscall_site *site, struct staging *staging, int dirfd,
		       const char *raw, int flags)
{
	bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	struct place *place;
	int error;

	staging->changes = flags & (O_ACCMODE | O_TRUNC | O_CREAT);
	if ((flags & O_TMPFILE) == O_TMPFILE || !*raw)
		return; /* it has no name: the link that gives it one is what matters */
	place = locate(site, staging, dirfd, raw,
		       flags & O_CREAT && (exclusive || ends_with_slash(raw)) ? END_ENTRY :
		       flags & O_NOFOLLOW				      ? END_LINK :
										END_FOLLOW);
	if (!place || is_nameless(place))
		return;
	if (!strcmp(place->path, "/dev/userfaultfd"))
		memory_suspect();
	if (flags & O_PATH) {
		if (staging->options->stats)
			stage(staging, OP_STAT, place->error);
		return;
	}
	error = foretell_open(place, flags);
	if (open_creates(flags, place->error == ENOENT, error))
		stage_open_new(staging, flags, error);
	else
		stage_open_existing(staging, place, flags, error);
}

static void stage_plain_open(const struct syscall_site *site, struct staging *staging,
			     const struct call *call)
{
	char raw[PATH_MAX];

	if (read_path(site, staging, call->path, raw))
		stage_open(site, staging, descriptor(site, call->dirfd), raw,
			   call->flags == NO_ARG ? O_CREAT | O_WRONLY | O_TRUNC :
						   (int)site->args[call->flags]);
}

static void stage_openat2(const struct syscall_site *site, struct staging *staging,
			  const struct call *call)
{
	struct open_how how;
	char raw[PATH_MAX];

	if (tracee_read(site->tid, argument(site, call->flags), &how, sizeof(how)) ||
	    !read_path(site, staging, call->path, raw))
		return;
	staging->resolve = how.resolve;
	stage_open(site, staging, descriptor(site, call->dirfd), raw, (int)how.flags);
}

/* Names of directories that lead through @place hold no longer. */
static void expect_change(const struct syscall_site *site, const struct place *place)
{
	if (place->error == NOT_LOOKED ||
	    (!place->error && (S_ISDIR(place->st.st_mode) || S_ISLNK(place->st.st_mode))))
		names_changing(site->tid, site->nr);
}

static void stage_one(const struct syscall_site *site, struct staging *staging,
		      const struct call *call, enum end end)
{
	int flags = call->flags == NO_ARG ? 0 : (int)site->args[call->flags];
	struct place *place;

	staging->changes = call->op != OP_STAT;
	if (call->kind == CALL_ATPATH)
		end = flags & AT_SYMLINK_NOFOLLOW ? END_LINK : END_FOLLOW;
	if (call->op == OP_MKDIR || call->op == OP_CREATE || call->op == OP_DELETE)
		end = END_ENTRY;
	if (call->op == OP_UTIME && !argument(site, call->path)) /* futimens */
		place = locate(site, staging, descriptor(site, call->dirfd), "", END_FOLLOW);
	else
		place = locate_argument(site, staging, call->dirfd, call->path, end,
					call->kind == CALL_ATPATH && flags & AT_EMPTY_PATH);
	if (!place || is_nameless(place))
		return;
	if (call->op == OP_DELETE)
		expect_change(site, place);
	stage(staging, call->op, foretell_change(call, flags, place));
}

static void stage_two(struct staging *staging, uint8_t op, int error, uint32_t flags)
{
	struct staged_access *access = stage(staging, op, error);

	access->two_paths = true;
	access->place = 0;
	access->flags |= flags;
	/* The directory flag speaks of the object that gets a new name. */
	access->flags &= ~(uint32_t)FLAG_DIRECTORY;
	if (!staging->places[0].error && S_ISDIR(staging->places[0].st.st_mode))
		access->flags |= FLAG_DIRECTORY;
}

static void stage_rename(const struct syscall_site *site, struct staging *staging,
			 const struct call *call)
{
	unsigned int flags = call->flags == NO_ARG ? 0 : (unsigned int)site->args[call->flags];
	struct place *from =
		locate_argument(site, staging, call->dirfd, call->path, END_ENTRY, false);
	struct place *to = from ? locate_argument(site, staging, call->dirfd2, call->path2,
						  END_ENTRY, false) :
				  NULL;

	if (!to)
		return;
	expect_change(site, from);
	expect_change(site, to);
	stage_two(staging, OP_RENAME, foretell_rename(from, to, flags),
		  flags & RENAME_EXCHANGE ? FLAG_EXCHANGE : 0);
}

static void stage_link(const struct syscall_site *site, struct staging *staging,
		       const struct call *call)
{
	int flags = call->flags == NO_ARG ? 0 : (int)site->args[call->flags];
	/* Opened with O_TMPFILE, a file gets its first name by way of its descriptor. */
	struct place *from = locate_argument(site, staging, call->dirfd, call->path,
					     flags & AT_SYMLINK_FOLLOW ? END_FOLLOW : END_LINK,
					     flags & AT_EMPTY_PATH);
	struct place *to = from ? locate_argument(site, staging, call->dirfd2, call->path2,
						  END_ENTRY, false) :
				  NULL;

	if (to)
		stage_two(staging, OP_LINK, foretell_link(from, to),
			  is_nameless(from) ? FLAG_TMPFILE : 0);
}

static void stage_symlink(const struct syscall_site *site, struct staging *staging,
			  const struct call *call)
{
	struct place *place =
		locate_argument(site, staging, call->dirfd, call->path, END_ENTRY, false);

	if (place && read_path(site, staging, call->path2, staging->text))
		stage(staging, OP_SYMLINK, foretell_new(place, false));
}

static void stage_socket(const struct syscall_site *site, struct staging *staging, uint8_t op,
			 uint64_t address, uint64_t length)
{
	struct sockaddr_un name;
	char raw[sizeof(name.sun_path) + 1];
	size_t head = offsetof(struct sockaddr_un, sun_path);
	struct place *place;

	if (length <= head || length > sizeof(name))
		return;
	if (tracee_read(site->tid, address, &name, length)) {
		if (is_refusal(errno))
			unseen(staging);
		return;
	}
	if (name.sun_family != AF_UNIX || !name.sun_path[0])
		return; /* another family, or a name that is no path */
	memcpy(raw, name.sun_path, length - head);
	raw[length - head] = '\0';
	place = locate(site, staging, AT_FDCWD, raw, op == OP_CONNECT ? END_FOLLOW : END_ENTRY);
	if (place)
		stage(staging, op, op == OP_BIND ? foretell_bind(place) : foretell_connect(place));
}

static void stage_socketcall(const struct syscall_site *site, struct staging *staging)
{
	int which = (int)site->args[0];
	uint32_t args[3];

	if ((which == SOCKETCALL_BIND || which == SOCKETCALL_CONNECT) &&
	    !tracee_read(site->tid, argument(site, 1), args, sizeof(args)))
		stage_socket(site, staging, which == SOCKETCALL_BIND ? OP_BIND : OP_CONNECT,
			     args[1], args[2]);
}

static void stage_exec(const struct syscall_site *site, struct staging *staging,
		       const struct call *call)
{
	int flags = call->flags == NO_ARG ? 0 : (int)site->args[call->flags];
	struct place *place =
		locate_argument(site, staging, call->dirfd, call->path,
				flags & AT_SYMLINK_NOFOLLOW ? END_LINK : END_FOLLOW,
				flags & AT_EMPTY_PATH);

	if (!place)
		return;
	staging->is_exec = true;
	stage(staging, OP_EXEC, foretell_exec(place));
	if (!staging->options->privileged && !place->error && place->st.st_mode & S_ISUID &&
	    place->st.st_uid != staging->process->fsuid)
		journal_count(RECORD_WARNING, staging->process->image, WARN_SETUID);
	else if (!staging->options->privileged && !place->error &&
		 (place->st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
		 place->st.st_gid != staging->process->fsgid)
		journal_count(RECORD_WARNING, staging->process->image, WARN_SETGID);
}

/* The kernel names a mapped file from our root directory, or within its own mount namespace. */
static bool locate_mapping(const struct holding *holding, struct staging *staging)
{
	const struct syscall_site site = { .tid = holding->process->pid };

	if (holding->process->root_kind == ROOT_FOREIGN)
		return locate(&site, staging, AT_FDCWD, holding->path, END_FOLLOW);
	place_from_host(holding->path, &staging->places[staging->place_count++]);
	return true;
}

void stage_holding(const struct holding *holding, struct staging *staging)
{
	const struct syscall_site site = { .tid = holding->process->pid };
	bool mapped = holding->fd < 0;
	int mode = holding->open_flags & O_ACCMODE;
	uint32_t flags = mapped ? FLAG_MAPPED : FLAG_ALREADY_OPEN;
	const struct place *place = &staging->places[0];

	if (mapped ? !locate_mapping(holding, staging) :
		     !locate(&site, staging, holding->fd, "", END_FOLLOW))
		return;
	if (!place->error && S_ISREG(place->st.st_mode) && !place->st.st_size)
		flags |= FLAG_EMPTY;
	if (mapped || mode != O_WRONLY)
		stage(staging, OP_READ, 0)->flags |= flags;
	if (mapped ? holding->writable : mode != O_RDONLY)
		stage(staging, OP_WRITE, 0)->flags |= flags & ~(uint32_t)FLAG_EMPTY;
}

void stage_call(const struct syscall_site *site, struct staging *staging,
		       const struct call *call)
{
	struct process *process = staging->process;

	switch ((enum call_kind)call->kind) {
	case CALL_OPEN:
		stage_plain_open(site, staging, call);
		break;
	case CALL_OPENAT2:
		stage_openat2(site, staging, call);
		break;
	case CALL_PATH:
	case CALL_ATPATH:
		stage_one(site, staging, call, END_FOLLOW);
		break;
	case CALL_LPATH:
		stage_one(site, staging, call, END_LINK);
		break;
	case CALL_FD: {
		struct place *place = locate(site, staging, (int)site->args[call->dirfd], "", END_FOLLOW);

		if (place && !is_nameless(place))
			stage(staging, call->op, place->error);
		break;
	}
	case CALL_RENAME:
		stage_rename(site, staging, call);
		break;
	case CALL_LINK:
		stage_link(site, staging, call);
		break;
	case CALL_SYMLINK:
		stage_symlink(site, staging, call);
		break;
	case CALL_EXEC:
		stage_exec(site, staging, call);
		break;
	case CALL_SOCKET:
		stage_socket(site, staging, call->op, argument(site, 1), argument(site, 2));
		break;
	case CALL_SOCKETCALL:
		stage_socketcall(site, staging);
		break;
	case CALL_EXIT:
		if (site->tid != process->pid)
			process_thread_exits(site->tid);
		break;
	case CALL_CHDIR:
		process_chdir_begins(process, site->tid);
		break;
	case CALL_WORLD:
		names_changing(site->tid, site->nr);
		process->cwd_unsure = true;
		process->world_tid = site->tid;
		mounts_suspect();
		break;
	case CALL_LISTENER:
		journal_count(RECORD_WARNING, process->image, WARN_LISTENER);
		break;
	case CALL_FAULTS:
		memory_suspect();
		break;
	case CALL_HANDLER:
	case CALL_TRACER:
	case CALL_RING:
		break;
	}
}

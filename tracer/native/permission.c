/* SPDX-License-Identifier: MIT */
#include "permission.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"
#include "journal.h"
#include "names.h"

/* How long an answer about a directory is trusted. */
#define KNOWN_NS UINT64_C(50000000)

void permission_set_outcome(uint8_t *outcome, int *failed, int error)
{
	*failed = 0;
	switch (error) {
	case 0:
		*outcome = OUTCOME_OK;
		break;
	case NOT_LOOKED:
		*outcome = OUTCOME_UNKNOWN;
		break;
	case ENOENT:
	case ENOTDIR:
		*outcome = OUTCOME_MISSING;
		break;
	case EACCES:
	case EPERM:
		*outcome = OUTCOME_DENIED;
		break;
	default:
		*outcome = OUTCOME_FAILED;
		*failed = error;
	}
}

static bool in_group(const struct process *process, gid_t gid)
{
	if (process->fsgid == gid)
		return true;
	for (size_t i = 0; i < process->group_count; i++)
		if (process->groups[i] == gid)
			return true;
	return false;
}

/* @want: R_OK, W_OK, X_OK. */
static bool mode_allows(const struct process *process, const struct stat *st, unsigned int want)
{
	unsigned int bits = st->st_mode & 7;

	if (!process->fsuid)
		return true;
	if (process->fsuid == st->st_uid)
		bits = st->st_mode >> 6 & 7;
	else if (in_group(process, st->st_gid))
		bits = st->st_mode >> 3 & 7;
	return (bits & want) == want;
}

/* Asks the kernel for ourselves; what that says of the tracee depends on the error and the users. */
static int ask(const struct process *process, int fd, const char *name, const struct stat *st,
	       unsigned int want)
{
	/* The system call itself: older C libraries imitate the flags by reading mode bits. */
	if (syscall(SYS_faccessat2, fd, name, want,
		    AT_EACCESS | AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH)) &&
	    (errno == EROFS || (errno == EACCES && process->fsuid == geteuid())))
		return errno;
	return mode_allows(process, st, want) ? 0 : EACCES;
}

static int ask_directory(const struct process *process, struct place *place)
{
	struct stat st;

	if (!*place->name || place_parent(place) < 0 || fstat(place->parent, &st))
		return 0;
	if (!st.st_nlink)
		return ENOENT;
	return ask(process, place->parent, "", &st, W_OK | X_OK);
}

/*
 * Whether entries of the place's directory can be made and removed. The last answer is kept for a
 * moment: programs make many files in one directory.
 */
static int check_directory(const struct process *process, struct place *place)
{
	static char known[PLACE_PATH_MAX];
	static uid_t known_user;
	static uint64_t known_at, known_generation;
	static int known_error;
	size_t length = (size_t)(strrchr(place->path, '/') - place->path);
	uint64_t now = journal_now();

	if (names_steady() && known_generation == names_generation() && known_user == process->fsuid &&
	    now < known_at + KNOWN_NS && !strncmp(known, place->path, length) && !known[length])
		return known_error;
	known_error = ask_directory(process, place);
	known_generation = names_generation();
	known_user = process->fsuid;
	known_at = now;
	memcpy(known, place->path, length);
	known[length] = '\0';
	return known_error;
}

static int check_object(const struct process *process, struct place *place, unsigned int want)
{
	if (place->error)
		return 0;
	if (mode_allows(process, &place->st, want))
		return want & W_OK && check_directory(process, place) == EROFS ? EROFS : 0;
	if (place_parent(place) < 0)
		return EACCES;
	return ask(process, place->parent, place->name, &place->st, want);
}

static int check_owner(const struct process *process, struct place *place)
{
	if (place->error)
		return 0;
	if (process->fsuid && process->fsuid != place->st.st_uid)
		return EPERM;
	return check_directory(process, place) == EROFS ? EROFS : 0;
}

/* A file can be renamed and linked only within a mount. */
static int check_mount(struct place *place, struct place *other)
{
	struct statx here, there;

	if (place_parent(place) < 0 || place_parent(other) < 0 ||
	    statx(place->parent, "", AT_EMPTY_PATH, STATX_MNT_ID, &here) ||
	    statx(other->parent, "", AT_EMPTY_PATH, STATX_MNT_ID, &there))
		return 0;
	return here.stx_mnt_id == there.stx_mnt_id ? 0 : EXDEV;
}

int permission_error(const struct process *process, uint8_t op, struct place *place,
		     struct place *other)
{
	int error;

	switch (op) {
	case OP_READ:
		return check_object(process, place, R_OK);
	case OP_WRITE:
	case OP_TRUNCATE:
		/* Of a file that the call itself makes, the directory decides. */
		return place->error ? check_directory(process, place) :
				      check_object(process, place, W_OK);
	case OP_EXEC:
		return check_object(process, place, X_OK);
	case OP_CONNECT:
		return check_object(process, place, W_OK);
	case OP_CREATE:
	case OP_MKDIR:
	case OP_SYMLINK:
	case OP_BIND:
	case OP_DELETE:
		return check_directory(process, place);
	case OP_LINK:
		error = check_directory(process, place);
		return error || !other ? error : check_mount(place, other);
	case OP_RENAME:
		error = check_directory(process, place);
		if (!error && other)
			error = check_directory(process, other);
		return error || !other ? error : check_mount(place, other);
	case OP_CHMOD:
	case OP_CHOWN:
		return check_owner(process, place);
	default:
		return 0;
	}
}

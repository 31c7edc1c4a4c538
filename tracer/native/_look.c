/* SPDX-License-Identifier: MIT */
/*
 * The CPython module that looks at many paths at once, without the interpreter's lock: what a
 * run has changed is looked at when it ends, and the user waits.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HEAD_MAX = 4096, CLUES_MAX = 128, BATCH_MAX = 4096, PAIRS = 1 << 16 };

/* Bytes that make the beginning of a file worth keeping. */
struct clue {
	const char *text;	/* the caller's; in lower case if @offset is -1 */
	size_t length;
	Py_ssize_t offset;	/* where they must stand; -1: anywhere, in any case */
};

struct clues {
	struct clue clue[CLUES_MAX];
	size_t count;		/* 0: no file is read */
	bool *begins;		/* owned, by pair(): a clue that may stand anywhere begins so */
};

struct sight {
	const char *path;	/* the caller's */
	struct stat st;
	int error;		/* of lstat; @st is valid if it is 0 */
	bool has_text;		/* of a link, or the beginning of a file */
	size_t text, length;	/* where among the texts */
};

/* The texts of all sights, one after the other. */
struct texts {
	char *data;		/* owned */
	size_t used, capacity;
};

static uint16_t pair(const unsigned char *text)
{
	return (uint16_t)(text[0] << 8 | text[1]);
}

static bool stands_at(const struct clue *clue, const unsigned char *text, size_t at, size_t length)
{
	return at + clue->length <= length && !memcmp(text + at, clue->text, clue->length);
}

/* Whether one of the clues that may stand anywhere stands in @text, which is in lower case. */
static bool has_word(const unsigned char *text, size_t length, const struct clues *clues)
{
	for (size_t at = 0; at + 1 < length; at++) {
		if (!clues->begins[pair(text + at)])
			continue;
		for (size_t i = 0; i < clues->count; i++)
			if (clues->clue[i].offset < 0 && stands_at(&clues->clue[i], text, at, length))
				return true;
	}
	return false;
}

static bool has_clue(const unsigned char *head, size_t length, const struct clues *clues)
{
	unsigned char lowered[HEAD_MAX];

	for (size_t i = 0; i < clues->count; i++) {
		const struct clue *clue = &clues->clue[i];

		if (clue->offset >= 0 && stands_at(clue, head, (size_t)clue->offset, length))
			return true;
	}
	for (size_t i = 0; i < length; i++)
		lowered[i] = head[i] >= 'A' && head[i] <= 'Z' ? head[i] | 0x20 : head[i];
	return has_word(lowered, length, clues);
}

/* Out of memory a text is left out. */
static void keep_text(struct texts *texts, struct sight *sight, const void *text, size_t length)
{
	if (length > texts->capacity - texts->used) {
		size_t capacity = 2 * (texts->capacity + length);
		char *data = realloc(texts->data, capacity);

		if (!data)
			return;
		texts->data = data;
		texts->capacity = capacity;
	}
	memcpy(texts->data + texts->used, text, length);
	sight->has_text = true;
	sight->text = texts->used;
	sight->length = length;
	texts->used += length;
}

/* A directory that many paths lie in one after the other. */
struct above {
	int fd;			/* owned; -1: not opened, by @error */
	int error;
	const char *path;	/* a caller's; its first @length bytes name the directory */
	size_t length;
};

/* Opens the directory of @path, through no link. */
static void enter(struct above *above, const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				      .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	char directory[PATH_MAX];

	if (above->path && above->length == length && !memcmp(above->path, path, length))
		return;
	if (above->fd >= 0)
		close(above->fd);
	above->path = path;
	above->length = length;
	above->fd = -1;
	above->error = ENAMETOOLONG;
	if (length >= sizeof(directory))
		return;
	memcpy(directory, path, length);
	strcpy(directory + length, length ? "" : "/");
	above->fd = (int)syscall(SYS_openat2, AT_FDCWD, directory, &how, sizeof(how));
	above->error = above->fd < 0 ? errno : 0;
}

/*
 * What stands at a path that led through no link when it was named. Where it does now, something
 * else has that name, and has another one too: ELOOP.
 */
static int lstat_direct(struct above *above, struct sight *sight)
{
	enter(above, sight->path);
	if (above->fd < 0 && (above->error == ENOSYS || above->error == EPERM))
		return lstat(sight->path, &sight->st) ? errno : 0; /* before Linux 5.6 */
	if (above->fd < 0)
		return above->error;
	return fstatat(above->fd, strrchr(sight->path, '/') + 1, &sight->st,
		       AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) ? errno : 0;
}

/*
 * Opens what lstat has seen; -1 if something else is there now. Whose files these are may exchange
 * them, and what is above them, for a device or for a file that only we may open: so the file is
 * held first, without being opened and through no link, looked at, and only then opened.
 */
static int open_same(const struct sight *sight)
{
	const struct open_how how = { .flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
				      .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	int held = (int)syscall(SYS_openat2, AT_FDCWD, sight->path, &how, sizeof(how)), fd = -1;
	struct stat st;
	char link[32];

	if (held < 0)
		return -1;
	if (!fstat(held, &st) && S_ISREG(st.st_mode) && st.st_ino == sight->st.st_ino &&
	    st.st_dev == sight->st.st_dev) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", held);
		fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	close(held);
	return fd;
}

static void read_head(struct texts *texts, struct sight *sight, const struct clues *clues)
{
	unsigned char head[HEAD_MAX];
	ssize_t length;
	int fd = open_same(sight);

	if (fd < 0)
		return;
	length = read(fd, head, sizeof(head));
	close(fd);
	if (length > 0 && has_clue(head, (size_t)length, clues))
		keep_text(texts, sight, head, (size_t)length);
}

static void read_link(struct texts *texts, struct sight *sight)
{
	char text[PATH_MAX];
	ssize_t length = readlink(sight->path, text, sizeof(text));

	if (length > 0)
		keep_text(texts, sight, text, (size_t)length);
}

/* @above: NULL if links on the way are followed. */
static void look_at(struct texts *texts, struct sight *sight, const struct clues *clues,
		    struct above *above)
{
	sight->error = above && sight->path[0] == '/' ? lstat_direct(above, sight) :
		       lstat(sight->path, &sight->st) ? errno : 0;
	if (sight->error)
		return;
	if (S_ISLNK(sight->st.st_mode))
		read_link(texts, sight);
	else if (clues->count && S_ISREG(sight->st.st_mode) && sight->st.st_size)
		read_head(texts, sight, clues);
}

/* Some file systems hold dates millennia away: the nearest that fits. */
static long long nanoseconds(const struct timespec *time)
{
	long long result;

	if (__builtin_mul_overflow((long long)time->tv_sec, 1000000000LL, &result) ||
	    __builtin_add_overflow(result, (long long)time->tv_nsec, &result))
		return time->tv_sec < 0 ? LLONG_MIN : LLONG_MAX;
	return result;
}

static PyObject *answer_of(const struct texts *texts, const struct sight *sight)
{
	const struct stat *st = &sight->st;

	if (sight->error)
		return PyLong_FromLong(sight->error);
	return Py_BuildValue("(ILIILKKLy#)", st->st_mode, (long long)st->st_size, st->st_uid,
			     st->st_gid, nanoseconds(&st->st_mtim), (unsigned long long)st->st_ino,
			     (unsigned long long)st->st_dev, nanoseconds(&st->st_ctim),
			     sight->has_text ? texts->data + sight->text : NULL,
			     (Py_ssize_t)sight->length);
}

/* The paths of @list; false with an exception. */
static bool take_paths(PyObject *list, struct sight *sights)
{
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
		char *path;

		if (PyBytes_AsStringAndSize(PyList_GET_ITEM(list, i), &path, NULL))
			return false;
		sights[i].path = path;
	}
	return true;
}

/* False with an exception; clues->begins is to be freed in both cases. */
static bool take_clues(PyObject *tuple, struct clues *clues)
{
	if (!PyTuple_GET_SIZE(tuple))
		return true;
	clues->begins = PyMem_Calloc(PAIRS, sizeof(*clues->begins));
	if (!clues->begins) {
		PyErr_NoMemory();
		return false;
	}
	if ((size_t)PyTuple_GET_SIZE(tuple) > CLUES_MAX) {
		PyErr_SetString(PyExc_ValueError, "too many clues");
		return false;
	}
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
		struct clue *clue = &clues->clue[clues->count++];
		Py_ssize_t length;

		if (!PyArg_ParseTuple(PyTuple_GET_ITEM(tuple, i), "ny#", &clue->offset, &clue->text,
				      &length))
			return false;
		if (length < 2) {
			PyErr_SetString(PyExc_ValueError, "a clue of less than two bytes");
			return false;
		}
		clue->length = (size_t)length;
		if (clue->offset < 0)
			clues->begins[pair((const unsigned char *)clue->text)] = true;
	}
	return true;
}

static PyObject *answers_of(const struct texts *texts, const struct sight *sights,
			    Py_ssize_t count)
{
	PyObject *answers = PyList_New(count);

	for (Py_ssize_t i = 0; answers && i < count; i++) {
		PyObject *answer = answer_of(texts, &sights[i]);

		if (answer)
			PyList_SET_ITEM(answers, i, answer);
		else
			Py_CLEAR(answers);
	}
	return answers;
}

PyDoc_STRVAR(look_doc,
"look(paths, clues, direct=False) -> list\n\n"
"What lstat says of each of `paths` (a list of at most 4,096 bytes objects): its errno, or a tuple\n"
"(mode, size, uid, gid, mtime_ns, inode, device, ctime_ns, text). text is that of a symbolic link,\n"
"the first 4,096 bytes of a file that hold one of `clues`, else None. clues: a tuple of\n"
"(offset, bytes); an offset of -1 stands for anywhere, in upper or lower case. direct: nothing is\n"
"told but ELOOP of a path that leads through a link.");

static PyObject *look(PyObject *module, PyObject *args)
{
	struct clues clues = { .count = 0 };
	struct texts texts = { .data = NULL };
	struct above above = { .fd = -1 };
	PyObject *list, *tuple, *answers = NULL;
	struct sight *sights;
	Py_ssize_t count;
	int direct = 0;

	(void)module;
	if (!PyArg_ParseTuple(args, "O!O!|p", &PyList_Type, &list, &PyTuple_Type, &tuple,
			      &direct))
		return NULL;
	count = PyList_GET_SIZE(list);
	if (count > BATCH_MAX)
		return PyErr_Format(PyExc_ValueError, "more than %d paths", BATCH_MAX);
	sights = PyMem_Calloc((size_t)count + 1, sizeof(*sights));
	if (!sights)
		return PyErr_NoMemory();
	if (take_paths(list, sights) && take_clues(tuple, &clues)) {
		Py_BEGIN_ALLOW_THREADS
		for (Py_ssize_t i = 0; i < count; i++)
			look_at(&texts, &sights[i], &clues, direct ? &above : NULL);
		if (above.fd >= 0)
			close(above.fd);
		Py_END_ALLOW_THREADS
		answers = answers_of(&texts, sights, count);
	}
	free(texts.data);
	PyMem_Free(clues.begins);
	PyMem_Free(sights);
	return answers;
}

static PyMethodDef methods[] = {
	{ "look", look, METH_VARARGS, look_doc },
	{ NULL, NULL, 0, NULL },
};

static struct PyModuleDef definition = {
	.m_base = PyModuleDef_HEAD_INIT,
	.m_name = "_look",
	.m_doc = "What stands at many paths now.",
	.m_size = -1,
	.m_methods = methods,
};

PyMODINIT_FUNC PyInit__look(void)
{
	return PyModule_Create(&definition);
}
